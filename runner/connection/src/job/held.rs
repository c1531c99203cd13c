//! A dialogue whose terminal the host holds: it outlives the connection, and the runner too.
//!
//! What is shown is a job's output and is read by offset. Each answer is typed once, however often it is asked for: the host
//! keeps count. Whoever comes later finds the dialogue with all that was shown, and where each answer was given; until the last
//! of these is passed, reading and sending only repeat what happened.
//!
//! Must not: interpret what is on the screen, or end the program because nobody looks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::time;

use super::follow::BackOff;
use super::script::LOOK_BYTES;
use super::terminal::{self, Line, TerminalMaker};
use super::view;
use super::{JobId, JobOffsets, JobRequest, JobState, JobView, Patience, refusal};
use crate::command::{Command, ExitStatus, Stream};
use crate::connection::Connection;
use crate::dialogue::{Screen, Sent};
use crate::error::ConnectionError;
use crate::identity::Identity;
use crate::transport::TerminalSize;

/// Longest wait of one look on the host: its shell serves nobody else meanwhile.
const LONGEST_LOOK: Duration = Duration::from_secs(1);
/// How long it may take to type: the pipe has a reader as long as the terminal is there.
const TYPING: Duration = Duration::from_secs(20);
/// How long making a terminal to try may take.
const PROBING: Duration = Duration::from_secs(20);
/// Signals that an exit code above 128 can stand for.
const SIGNALS: std::ops::RangeInclusive<i32> = 129..=160;

/// A program on a terminal that its host holds; dropped, it goes on.
#[derive(Debug)]
pub struct HeldDialogue {
    connection: Connection,
    identity: Identity,
    id: JobId,
    patience: Patience,
    /// Number of the next answer.
    next: u32,
    /// Answers that a former viewer gave and this one has not come to yet.
    past: VecDeque<Said>,
    about: Vec<(String, String)>,
    state: JobState,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    /// Bytes of the screen that it answered.
    at: u64,
    /// A word by which the same answer is known again; none for what must not be known.
    mark: Option<String>,
}

/// How what is typed is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// A word or a line.
    Text,
    /// The same, not to be recognised by what the host keeps.
    Sensitive,
    /// The interrupt key.
    Interrupt,
}

impl Connection {
    /// Tells which program of the host makes terminals; none where there is no such program.
    ///
    /// # Errors
    /// The host could not be reached.
    pub async fn terminal_maker(
        &self,
        identity: &Identity,
    ) -> Result<Option<TerminalMaker>, ConnectionError> {
        let command = Command {
            timeout: Some(PROBING),
            ..Command::shell(terminal::probe())
        };
        let output = self.run(identity, &command, None).await?;
        Ok(TerminalMaker::parse(&output.stdout.text()))
    }

    /// Begins a command on a terminal that the host holds, unless there is a job of that name.
    ///
    /// # Errors
    /// The host could not be reached for too long, or takes no jobs.
    pub async fn hold_dialogue(
        &self,
        identity: &Identity,
        request: &JobRequest,
        maker: &TerminalMaker,
        size: TerminalSize,
        patience: &Patience,
    ) -> Result<HeldDialogue, ConnectionError> {
        let holder = terminal::holder(&request.command, maker, size);
        let held = JobRequest {
            command: Command::shell(holder.map_err(|problem| self.error(problem))?),
            ..request.clone()
        };
        self.ensure_job(identity, &held, patience).await?;
        Ok(HeldDialogue {
            connection: self.clone(),
            identity: identity.clone(),
            id: request.id.clone(),
            patience: patience.clone(),
            next: 0,
            past: VecDeque::new(),
            about: request.about.clone(),
            state: JobState::Starting,
        })
    }

    /// Finds a dialogue that was begun before; none when it never was and never will be.
    ///
    /// # Errors
    /// The host could not be reached for too long.
    pub async fn find_dialogue(
        &self,
        identity: &Identity,
        id: &JobId,
        patience: &Patience,
    ) -> Result<Option<HeldDialogue>, ConnectionError> {
        let mut back_off = BackOff::new();
        let command = Command::shell(terminal::find(id));
        let output = loop {
            match self.run(identity, &command, None).await {
                Ok(output) => break output,
                Err(error) => back_off.wait(error, patience).await?,
            }
        };
        let text = output.stdout.text().into_owned();
        let mut lines = text.lines();
        let view = view::parse(lines.next().unwrap_or_default());
        let view = view.ok_or_else(|| self.error(refusal(&text, &output.stderr.bytes())))?;
        if view.state == JobState::Absent {
            return Ok(None);
        }
        let (about, said) = found(lines);
        Ok(Some(HeldDialogue {
            connection: self.clone(),
            identity: identity.clone(),
            id: id.clone(),
            patience: patience.clone(),
            next: u32::try_from(said.len()).unwrap_or(u32::MAX),
            // What interrupted it may have been the clock: it is not waited for again.
            past: said.into_iter().flatten().collect(),
            about,
            state: view.state,
        }))
    }
}

/// Reads words about a dialogue, and its answers; an interrupt is none.
fn found<'t>(lines: impl Iterator<Item = &'t str>) -> (Vec<(String, String)>, Vec<Option<Said>>) {
    let (mut about, mut said) = (Vec::new(), Vec::new());
    for line in lines {
        if let Some((name, value)) = line.strip_prefix("about ").and_then(|l| l.split_once('=')) {
            about.push((name.to_owned(), value.to_owned()));
        } else if let Some(words) = line.strip_prefix("said ") {
            let (at, mark) = words.split_once(' ').unwrap_or((words, "-"));
            let is_interrupt = mark == INTERRUPT_MARK;
            said.push(at.parse().ok().filter(|_| !is_interrupt).map(|at| Said {
                at,
                mark: Some(mark.to_owned()).filter(|mark| mark != "-"),
            }));
        }
    }
    (about, said)
}

const INTERRUPT_MARK: &str = "interrupt";

impl HeldDialogue {
    /// The job that it is.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// A word that was kept about it from its beginning.
    pub fn about(&self, name: &str) -> Option<&str> {
        let mut words = self.about.iter();
        words.find(|(known, _)| known == name).map(|(_, v)| &**v)
    }

    /// How its job stood when it was last looked at.
    pub fn state(&self) -> JobState {
        self.state
    }

    /// Waits until something was shown since an offset, or nothing follows any more, or the time is over.
    ///
    /// The connection may be lost and come back meanwhile.
    ///
    /// # Errors
    /// The host could not be reached for longer than patience allows; the program goes on.
    pub async fn read(&mut self, since: u64, wait: Duration) -> Result<Screen, ConnectionError> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let screen = self.look(since, left).await?;
            let is_over = screen.is_closed || !screen.bytes.is_empty() || !self.past.is_empty();
            if is_over || Instant::now() >= deadline {
                return Ok(screen);
            }
        }
    }

    /// One look, after a wait on the host.
    async fn look(&mut self, since: u64, wait: Duration) -> Result<Screen, ConnectionError> {
        let is_live = self.past.is_empty();
        let pauses = pauses(if is_live { wait } else { Duration::ZERO });
        let mut back_off = BackOff::new();
        let (view, mut bytes) = loop {
            match self.fetch(since, &pauses).await {
                Ok(found) => break found,
                Err(error) => back_off.wait(error, &self.patience).await?,
            }
        };
        self.state = view.state;
        let is_whole = since + bytes.len() as u64 >= view.written.stdout;
        if let Some(said) = self.past.front() {
            let shown = said.at.saturating_sub(since);
            bytes.truncate(usize::try_from(shown).unwrap_or(usize::MAX));
        }
        let is_closed = is_live && view.state.is_final() && is_whole;
        if !is_closed {
            bytes.truncate(whole_characters(&bytes));
        }
        Ok(Screen {
            offset: since,
            bytes,
            is_closed,
            exit: exit(view.state).filter(|_| is_closed),
        })
    }

    async fn fetch(
        &self,
        since: u64,
        pauses: &[&str],
    ) -> Result<(JobView, Vec<u8>), ConnectionError> {
        if !pauses.is_empty() {
            let waiting = Command::shell(terminal::wait(&self.id, since, pauses));
            self.connection.run(&self.identity, &waiting, None).await?;
        }
        let mut bytes = Vec::new();
        let mut sink = |stream: Stream, part: &[u8]| {
            if stream == Stream::Stdout {
                bytes.extend_from_slice(part);
            }
        };
        let mut offsets = JobOffsets {
            stdout: since,
            stderr: 0,
        };
        let reading = self.connection.read_part(
            &self.identity,
            &self.id,
            &mut offsets,
            &mut sink,
            LOOK_BYTES,
        );
        let view = reading.await?;
        Ok((view, bytes))
    }

    /// Types once; with an offset, only if nothing was shown beyond it.
    ///
    /// # Errors
    /// The host could not be reached for longer than patience allows, or the same place was answered otherwise before.
    pub async fn send(
        &mut self,
        bytes: &[u8],
        expected: Option<u64>,
        typed: Typed,
    ) -> Result<Sent, ConnectionError> {
        if let (Some(said), Some(expected)) = (self.past.front(), expected) {
            if said.at != expected {
                return Ok(Sent::ScreenMoved(said.at));
            }
            let is_same = match (&said.mark, typed) {
                (Some(mark), Typed::Text) => *mark == mark_of(&self.id, bytes),
                _ => true,
            };
            if !is_same {
                let said = format!(
                    "refused the dialogue that is there was answered otherwise at byte {expected}"
                );
                return Err(self.connection.error(refusal(&said, b"")));
            }
            self.past.pop_front();
            return Ok(Sent::Sent);
        }
        let mark = match typed {
            Typed::Text => mark_of(&self.id, bytes),
            Typed::Sensitive => "-".to_owned(),
            Typed::Interrupt => INTERRUPT_MARK.to_owned(),
        };
        let line = Line {
            number: self.next,
            bytes,
            expected,
            mark: &mark,
        };
        let command = Command {
            timeout: Some(TYPING),
            ..Command::shell(terminal::say(&self.id, &line))
        };
        let mut back_off = BackOff::new();
        let output = loop {
            match self.connection.run(&self.identity, &command, None).await {
                Ok(output) => break output,
                Err(error) => back_off.wait(error, &self.patience).await?,
            }
        };
        let text = output.stdout.text().into_owned();
        let answer = text.lines().next_back().unwrap_or_default();
        let moved = answer.strip_prefix("moved ").map(str::trim);
        match (answer, moved.and_then(|bytes| bytes.parse().ok())) {
            ("said", _) => {
                self.next += 1;
                Ok(Sent::Sent)
            }
            ("closed", _) => Ok(Sent::Closed),
            (_, Some(bytes)) => Ok(Sent::ScreenMoved(bytes)),
            _ => Err(self
                .connection
                .error(refusal(answer, &output.stderr.bytes()))),
        }
    }

    /// Ends the program and everything that it started, if it still runs; what was shown last.
    ///
    /// # Errors
    /// The host could not be reached.
    pub async fn close(&mut self) -> Result<Screen, ConnectionError> {
        self.past.clear();
        if !self.state.is_final() {
            self.connection.stop_job(&self.identity, &self.id).await?;
            time::sleep(Duration::from_millis(50)).await;
        }
        self.look(0, Duration::ZERO).await
    }
}

/// How a program ended, as the shell on its terminal told it.
fn exit(state: JobState) -> Option<ExitStatus> {
    match state {
        JobState::Finished(ExitStatus::Code(code)) if SIGNALS.contains(&code) => {
            Some(ExitStatus::Signal(code - 128))
        }
        JobState::Finished(status) => Some(status),
        _ => None,
    }
}

/// A word by which an answer is known again, in this dialogue only.
fn mark_of(id: &JobId, bytes: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(id.as_str())
        .chain_update([0])
        .chain_update(bytes)
        .finalize();
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// Pauses between looks on the host that make up a wait: short ones first.
fn pauses(wait: Duration) -> Vec<&'static str> {
    let steps = [(30, "0.03"), (60, "0.06"), (120, "0.12"), (250, "0.25")];
    let mut left = u64::try_from(wait.min(LONGEST_LOOK).as_millis()).unwrap_or(0);
    let mut pauses = Vec::new();
    while left > 0 {
        let next = steps.get(pauses.len()).or(steps.last());
        let (length, word) = next
            .filter(|(length, _)| *length <= left)
            .copied()
            .unwrap_or((30, "0.03"));
        pauses.push(word);
        left = left.saturating_sub(length);
    }
    pauses
}

/// Length without a character at the end whose bytes are not all there.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let last = bytes.get(tail..).unwrap_or_default();
    let begins = last.iter().rposition(|byte| byte & 0xC0 != 0x80);
    match begins.and_then(|at| last.get(at).map(|byte| (tail + at, *byte))) {
        Some((at, byte)) => {
            let length = match byte {
                0xC2..=0xDF => 2,
                0xE0..=0xEF => 3,
                0xF0..=0xF4 => 4,
                _ => 1,
            };
            if at + length > bytes.len() {
                at
            } else {
                bytes.len()
            }
        }
        None => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_shown_whole_or_not_yet() {
        for (text, keep, shown) in [
            ("a–b", 5, 5),
            ("a–b", 3, 1),
            ("a–b", 2, 1),
            ("a–b", 4, 4),
            ("é", 1, 0),
            ("𝄞", 3, 0),
            ("𝄞", 4, 4),
            ("", 0, 0),
        ] {
            let bytes = text.as_bytes().get(..keep).unwrap();
            assert_eq!(whole_characters(bytes), shown, "{text} {keep}");
        }
        assert_eq!(whole_characters(b"\xff\xfe"), 2);
    }

    #[test]
    fn what_a_host_keeps_of_a_dialogue_is_read() {
        let lines = "about step=a=b\nsaid 12 0a\nsaid 30 -\nsaid 44 interrupt\nsaid - -";
        let (about, said) = found(lines.lines());
        assert_eq!(about, [("step".to_owned(), "a=b".to_owned())]);
        let given: Vec<_> = said.iter().flatten().collect();
        assert_eq!(said.len(), 4);
        assert_eq!(
            given.iter().map(|said| said.at).collect::<Vec<_>>(),
            [12, 30]
        );
        assert_eq!(given[0].mark.as_deref(), Some("0a"));
        assert_eq!(given[1].mark, None);
    }

    #[test]
    fn pauses_make_up_the_wait() {
        for wait in [0, 20, 120, 500, 1000, 60_000] {
            let pauses = pauses(Duration::from_millis(wait));
            let sum: f64 = pauses
                .iter()
                .map(|pause| pause.parse::<f64>().unwrap())
                .sum();
            let wanted = wait.min(1000) as f64 / 1000.0;
            assert!((sum - wanted).abs() <= 0.031, "{wait}: {sum}");
        }
    }
}
