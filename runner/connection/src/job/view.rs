//! What a host says of a job, and its output as it arrives.
//!
//! Must not: lose or double a byte, however the answer is cut.

use super::follow::JobOffsets;
use super::script::BLOCK_BYTES;
use crate::command::{ExitStatus, OutputSink, Stream, TimedOut};
use crate::shell::frame::{self, Greeting, Leftovers};

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// There is none of that name, or it was settled that it never begins: nothing of it was done.
    Absent,
    /// Its name is taken; it has not begun yet.
    Starting,
    /// It runs.
    Running,
    /// It ended by itself, or was ended.
    Finished(ExitStatus),
    /// The host was booted since it began; how far it came is not known.
    Rebooted,
    /// Its process is gone and left no result; how far it came is not known.
    Gone,
}

impl JobState {
    /// Tells whether nothing will change any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Starting | Self::Running)
    }
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// How it stands.
    pub state: JobState,
    /// Seconds since 1970 when it began, by the host's clock.
    pub started_at: Option<u64>,
    /// Seconds since 1970 when it ended, by the host's clock.
    pub ended_at: Option<u64>,
    /// Process id of its session or process group.
    pub pid: Option<u32>,
    /// How it got a session of its own: `setsid`, `perl`, or `nohup` where there is no way to.
    pub session: Option<String>,
    /// Says that somebody told it to end.
    pub was_stopped: bool,
    /// Says that processes of it are there although its own is gone.
    pub is_leaving_processes: bool,
    /// Bytes of output so far.
    pub written: JobOffsets,
    pub(super) process: Option<Greeting>,
}

/// Reads the line that says how a job stands.
pub(super) fn parse(line: &str) -> Option<JobView> {
    let mut words = line.split_ascii_whitespace();
    let state = words.next()?;
    let pid: u32 = words.next()?.parse().ok()?;
    let leads_group = words.next()? == "1";
    let started_at = words.next()?.parse().ok();
    let session = words.next().filter(|word| *word != "-");
    let (code, killed) = (words.next()?, words.next()?);
    let ended_at = words.next()?.parse().ok();
    let ended_by = words.next()?;
    let is_leaving_processes = words.next()? == "1";
    let written = JobOffsets {
        stdout: words.next()?.parse().ok()?,
        stderr: words.next()?.parse().ok()?,
    };
    let state = match state {
        "absent" | "void" => JobState::Absent,
        "starting" => JobState::Starting,
        "running" => JobState::Running,
        "rebooted" => JobState::Rebooted,
        "gone" => JobState::Gone,
        "finished" if ended_by == "late" => {
            JobState::Finished(ExitStatus::TimedOut(TimedOut::Killed))
        }
        "finished" => match frame::parse_end(&format!("{code} 0 {killed}")) {
            Some(end) => JobState::Finished(end.status),
            // A result of no meaning is none: a crash of the host may leave such a file.
            None => JobState::Gone,
        },
        _ => return None,
    };
    let process = (pid > 1).then_some(Greeting {
        pid,
        leads_group,
        leftovers: Leftovers::Unknown,
        is_merged: false,
    });
    Some(JobView {
        state,
        started_at,
        ended_at,
        pid: process.as_ref().map(|process| process.pid),
        session: session.map(str::to_owned),
        was_stopped: ended_by == "stopped",
        is_leaving_processes,
        written,
        process,
    })
}

/// Longest line about a job's state that is waited for.
const HEADER_LIMIT: usize = 4096;

/// Takes an answer apart while it arrives: a line about the state, then output from the beginning of a block on.
pub(super) struct Reading<'o> {
    offsets: &'o mut JobOffsets,
    sink: &'o mut dyn OutputSink,
    header: Vec<u8>,
    is_header_done: bool,
    /// Bytes of each stream that were there before the offset, back to the beginning of its block.
    known: [usize; 2],
}

impl<'o> Reading<'o> {
    pub(super) fn new(offsets: &'o mut JobOffsets, sink: &'o mut dyn OutputSink) -> Self {
        let known = [offsets.stdout, offsets.stderr]
            .map(|offset| usize::try_from(offset % BLOCK_BYTES).unwrap_or_default());
        Self {
            offsets,
            sink,
            header: Vec::new(),
            is_header_done: false,
            known,
        }
    }

    pub(super) fn header(&self) -> String {
        String::from_utf8_lossy(&self.header).into_owned()
    }

    fn pass_on(&mut self, stream: Stream, bytes: &[u8]) {
        let (known, offset) = match stream {
            Stream::Stdout => (&mut self.known[0], &mut self.offsets.stdout),
            Stream::Stderr => (&mut self.known[1], &mut self.offsets.stderr),
        };
        let skipped = bytes.len().min(*known);
        *known -= skipped;
        let fresh = &bytes[skipped..];
        if !fresh.is_empty() {
            *offset += fresh.len() as u64;
            self.sink.take(stream, fresh);
        }
    }
}

impl OutputSink for Reading<'_> {
    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let mut rest = bytes;
        if stream == Stream::Stdout && !self.is_header_done {
            let end = memchr::memchr(b'\n', rest);
            let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
            self.header.extend_from_slice(line);
            self.is_header_done = end.is_some() || self.header.len() > HEADER_LIMIT;
            rest = after.get(1..).unwrap_or_default();
        }
        if !rest.is_empty() {
            self.pass_on(stream, rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn states_are_read() {
        let view = |line: &str| parse(line).unwrap();
        assert_eq!(view("absent 0 0 - - - - - - 0 0 0").state, JobState::Absent);
        assert_eq!(view("void 0 0 - - - - - - 0 0 0").state, JobState::Absent);
        let running = view("running 77 1 1000 setsid - - - - 0 12 3");
        assert_eq!(running.state, JobState::Running);
        assert_eq!((running.pid, running.started_at), (Some(77), Some(1000)));
        assert_eq!((running.written.stdout, running.written.stderr), (12, 3));
        let ended = |words: &str| view(&format!("finished 77 1 1 setsid {words} 9 - 0 0 0")).state;
        assert_eq!(ended("3 0"), JobState::Finished(ExitStatus::Code(3)));
        assert_eq!(ended("143 0"), JobState::Finished(ExitStatus::Code(143)));
        assert_eq!(ended("143 1"), JobState::Finished(ExitStatus::Signal(15)));
        assert_eq!(ended("x 1"), JobState::Gone);
        let late = view("finished 77 1 1 setsid 143 1 9 late 0 0 0").state;
        assert_eq!(
            late,
            JobState::Finished(ExitStatus::TimedOut(TimedOut::Killed))
        );
        assert!(parse("").is_none() && parse("running").is_none() && parse("mad 1 1").is_none());
    }

    proptest! {
        #[test]
        fn output_is_whole_however_it_is_cut(
            output in proptest::collection::vec(any::<u8>(), 0..20_000),
            at in 0usize..20_000,
            cuts in proptest::collection::vec(1usize..3000, 1..20),
        ) {
            let at = at.min(output.len());
            let mut offsets = JobOffsets { stdout: at as u64, stderr: 0 };
            let block = at - at % 4096;
            let answer = [b"running 1 1 1 x - - - - 0 1 1\n", &output[block..]].concat();
            let mut seen = output[..at].to_vec();
            let mut sink = |_: Stream, bytes: &[u8]| seen.extend_from_slice(bytes);
            let mut reading = Reading::new(&mut offsets, &mut sink);
            let (mut left, mut cuts) = (answer.as_slice(), cuts.into_iter().cycle());
            while !left.is_empty() {
                let (piece, next) = left.split_at(cuts.next().unwrap().min(left.len()));
                reading.take(Stream::Stdout, piece);
                left = next;
            }
            prop_assert_eq!(reading.header(), "running 1 1 1 x - - - - 0 1 1");
            prop_assert_eq!(offsets.stdout, output.len() as u64);
            prop_assert_eq!(seen, output);
        }
    }
}
