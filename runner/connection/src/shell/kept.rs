//! A shell that is kept open and fed frames.
//!
//! Must not: decide what happens to a shell after a failure; the connection does.

use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time;

use super::captured::Captured;
use super::frame::{self, End, Greeting, Input, Scanner};
use crate::command::{Command, OutputSink, Stream};
use crate::error::{Problem, excerpt};
use crate::transport::{ByteChannel, ChannelEvent, ChannelExit, ChannelReader, ChannelWriter};

/// One `/bin/sh` at the far end of a channel, ready for the next frame.
#[derive(Debug)]
pub(crate) struct Shell {
    channel: ByteChannel,
    greeting: Greeting,
    /// Bytes that came behind the last frame's end: they belong to the next one.
    pending: [Bytes; 2],
}

/// One command with the limits of its answer.
#[derive(Debug)]
pub(crate) struct Frame<'c> {
    pub command: &'c Command,
    pub output_bytes: usize,
    /// Says that the script is our own and safe to run in the shell itself: it reads no input, starts nothing that stays, never
    /// exits, and leaves its status in `_s`.
    pub is_own: bool,
}

/// What came of a frame.
#[derive(Debug)]
pub(crate) struct Answer {
    pub end: End,
    pub stdout: Captured,
    pub stderr: Captured,
    pub elapsed: Duration,
}

/// A frame that did not end as frames do; the shell is of no further use.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Its time was over.
    TimedOut(Box<Partial>),
    /// The shell ended under it.
    Ended(Option<ChannelExit>, Box<Partial>),
    /// The controller could not read what it was to send.
    Source(io::Error),
    /// It could not be sent or understood.
    Problem(Problem),
}

/// What a frame had brought when it came to no end.
#[derive(Debug)]
pub(crate) struct Partial {
    pub stdout: Captured,
    pub stderr: Captured,
    pub elapsed: Duration,
}

/// Longest wait for what a shell wrote before it ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

impl Shell {
    /// Prepares a fresh shell behind a channel and waits for its greeting.
    pub(crate) async fn greet(mut channel: ByteChannel, is_merged: bool) -> Result<Self, Problem> {
        let token = frame::token();
        let script = frame::greeting_script(&token, is_merged);
        channel
            .writer
            .write(script.into())
            .await
            .map_err(|reason| Problem::ShellStart { reason })?;
        let mut receiver = Receiver::new(&token, 16 << 10, is_merged);
        let mut pending = [Bytes::new(), Bytes::new()];
        loop {
            match channel.reader.next().await {
                ChannelEvent::Stdout(bytes) => receiver.take(0, bytes, &mut pending, &mut None),
                ChannelEvent::Stderr(bytes) => receiver.take(1, bytes, &mut pending, &mut None),
                ChannelEvent::Exited(_) => {}
                ChannelEvent::Closed => {
                    let mut said = receiver.stderr.bytes().into_owned();
                    said.extend_from_slice(&receiver.stdout.bytes());
                    let reason = match excerpt(&said) {
                        text if text.is_empty() => "it ended without a word".to_owned(),
                        text => text,
                    };
                    return Err(Problem::ShellStart { reason });
                }
            }
            if receiver.is_done() {
                break;
            }
        }
        let fields = receiver.out.fields().unwrap_or_default();
        let greeting =
            frame::parse_greeting(&fields, is_merged).ok_or_else(|| Problem::Protocol {
                request: "the greeting",
                answer: excerpt(fields.as_bytes()),
            })?;
        Ok(Self {
            channel,
            greeting,
            pending,
        })
    }

    pub(crate) fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Tells whether nothing came since the last frame; anything that did is from a process that a frame left behind.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        if self.pending.iter().any(|bytes| !bytes.is_empty()) {
            return false;
        }
        tokio::select! {
            biased;
            _ = self.channel.reader.next() => false,
            () = std::future::ready(()) => true,
        }
    }

    pub(crate) fn into_channel(self) -> ByteChannel {
        self.channel
    }

    /// Runs one command.
    pub(crate) async fn run(
        &mut self,
        frame: &Frame<'_>,
        sink: Option<&mut dyn OutputSink>,
    ) -> Result<Answer, Failure> {
        let token = frame::token();
        let mut text = String::with_capacity(frame.command.script.len() + 512);
        frame::render(
            &mut text,
            &self.greeting,
            &token,
            frame.command,
            Input::Nothing,
        )
        .map_err(Failure::Problem)?;
        let mut receiver = Receiver::new(&token, frame.output_bytes, self.greeting.is_merged);
        let sending = send(&mut self.channel.writer, text.into());
        let mut sending = std::pin::pin!(sending);
        let mut wait = Wait {
            reader: &mut self.channel.reader,
            pending: &mut self.pending,
            is_sent: false,
        };
        wait.answer(&mut sending, &mut receiver, frame.command, sink)
            .await
    }

    /// Runs several commands, sent at once and answered in order.
    pub(crate) async fn run_all(&mut self, frames: &[Frame<'_>]) -> Result<Vec<Answer>, Failure> {
        let mut text = String::new();
        let mut tokens = Vec::with_capacity(frames.len());
        for frame in frames {
            let token = frame::token();
            if frame.is_own && !self.greeting.is_merged {
                frame::render_own(&mut text, &token, &frame.command.script);
            } else {
                frame::render(
                    &mut text,
                    &self.greeting,
                    &token,
                    frame.command,
                    Input::Nothing,
                )
                .map_err(Failure::Problem)?;
            }
            tokens.push(token);
        }
        let sending = send(&mut self.channel.writer, text.into());
        let mut sending = std::pin::pin!(sending);
        let mut wait = Wait {
            reader: &mut self.channel.reader,
            pending: &mut self.pending,
            is_sent: false,
        };
        let mut answers = Vec::with_capacity(frames.len());
        for (frame, token) in frames.iter().zip(&tokens) {
            let mut receiver = Receiver::new(token, frame.output_bytes, self.greeting.is_merged);
            let answer = wait
                .answer(&mut sending, &mut receiver, frame.command, None)
                .await?;
            answers.push(answer);
        }
        Ok(answers)
    }

    /// Runs one command with the channel's own input; the shell ends with it.
    pub(crate) async fn run_with_input(
        &mut self,
        frame: &Frame<'_>,
        input: InputSource,
        sink: Option<&mut dyn OutputSink>,
    ) -> Result<Answer, Failure> {
        let token = frame::token();
        let mut text = String::new();
        frame::render(
            &mut text,
            &self.greeting,
            &token,
            frame.command,
            Input::Channel(input.size()),
        )
        .map_err(Failure::Problem)?;
        let lost = |reason: String| Failure::Problem(Problem::lost(reason));
        self.channel.writer.write(text.into()).await.map_err(lost)?;
        self.await_go(&token).await?;
        let mut receiver = Receiver::new(&token, frame.output_bytes, self.greeting.is_merged);
        let sending = feed(&mut self.channel.writer, input);
        let mut sending = std::pin::pin!(sending);
        let mut wait = Wait {
            reader: &mut self.channel.reader,
            pending: &mut self.pending,
            is_sent: false,
        };
        wait.answer(&mut sending, &mut receiver, frame.command, sink)
            .await
    }

    /// Waits until the shell has read all of the frame: shells read ahead, and input sent too early would be taken for text.
    async fn await_go(&mut self, token: &str) -> Result<(), Failure> {
        let mut go = Scanner::new(token);
        let pending = std::mem::take(&mut self.pending[0]);
        let mut bytes = pending;
        loop {
            let used = go.feed(&bytes, |_| {});
            if go.is_done() {
                self.pending[0] = bytes.slice(used..);
                return Ok(());
            }
            bytes = match self.channel.reader.next().await {
                ChannelEvent::Stdout(bytes) => bytes,
                ChannelEvent::Stderr(_) | ChannelEvent::Exited(_) => Bytes::new(),
                ChannelEvent::Closed => {
                    let reason = "the channel closed before the command began".to_owned();
                    return Err(Failure::Problem(Problem::lost(reason)));
                }
            };
        }
    }
}

/// Where the bytes of a command's standard input come from.
pub(crate) enum InputSource {
    Bytes(Bytes),
    /// A file of the controller and the number of its bytes.
    File(std::fs::File, u64),
}

impl InputSource {
    fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, size) => *size,
        }
    }
}

/// Why bytes could not be sent.
enum SendFailure {
    /// The host takes no more; its own end tells why.
    Peer,
    /// The controller cannot read what is to be sent.
    Source(io::Error),
}

impl From<String> for SendFailure {
    fn from(reason: String) -> Self {
        tracing::debug!(reason, "the host takes no more input");
        Self::Peer
    }
}

async fn send(writer: &mut ChannelWriter, text: Bytes) -> Result<(), SendFailure> {
    Ok(writer.write(text).await?)
}

async fn feed(writer: &mut ChannelWriter, input: InputSource) -> Result<(), SendFailure> {
    match input {
        InputSource::Bytes(bytes) => writer.write(bytes).await?,
        InputSource::File(file, _) => {
            let mut parts = parts(file);
            while let Some(part) = parts.recv().await {
                writer.write(part.map_err(SendFailure::Source)?).await?;
            }
        }
    }
    Ok(writer.finish().await?)
}

/// Reads a file in parts, a few ahead of who takes them, until its end or until nobody does.
fn parts(mut file: std::fs::File) -> mpsc::Receiver<io::Result<Bytes>> {
    const PART_BYTES: usize = 256 << 10;
    const AHEAD: usize = 3;
    let (sender, parts) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut part = Vec::with_capacity(PART_BYTES);
            let read = io::Read::by_ref(&mut file)
                .take(PART_BYTES as u64)
                .read_to_end(&mut part);
            let next = match read {
                Ok(0) => return,
                Ok(_) => Ok(Bytes::from(part)),
                Err(error) => Err(error),
            };
            let is_last = next.is_err();
            if sender.blocking_send(next).is_err() || is_last {
                return;
            }
        }
    });
    parts
}

/// Collects one frame's answer from the two streams.
struct Receiver {
    out: Scanner,
    err: Scanner,
    stdout: Captured,
    stderr: Captured,
    is_merged: bool,
}

impl Receiver {
    fn new(token: &str, output_bytes: usize, is_merged: bool) -> Self {
        Self {
            out: Scanner::new(token),
            err: Scanner::new(token),
            stdout: Captured::with_limit(output_bytes),
            stderr: Captured::with_limit(output_bytes),
            is_merged,
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_done() && self.err.is_done()
    }

    /// Takes bytes of a stream (0 output, 1 errors); what belongs to the next frame goes to `pending`.
    fn take(
        &mut self,
        stream: usize,
        bytes: Bytes,
        pending: &mut [Bytes; 2],
        sink: &mut Option<&mut dyn OutputSink>,
    ) {
        let mut used = 0;
        if stream == 0 {
            used = self.out.feed(&bytes, |part| {
                self.stdout.push(part);
                if let Some(sink) = sink {
                    sink.take(Stream::Stdout, part);
                }
            });
        }
        if stream == 1 || (self.is_merged && self.out.is_done()) {
            used += self.err.feed(&bytes[used..], |part| {
                self.stderr.push(part);
                if let Some(sink) = sink {
                    sink.take(Stream::Stderr, part);
                }
            });
        }
        if used < bytes.len() {
            let rest = bytes.slice(used..);
            if let Some(slot) = pending.get_mut(stream) {
                *slot = if slot.is_empty() {
                    rest
                } else {
                    [slot.as_ref(), rest.as_ref()].concat().into()
                };
            }
        }
    }
}

struct Wait<'s> {
    reader: &'s mut ChannelReader,
    pending: &'s mut [Bytes; 2],
    is_sent: bool,
}

impl Wait<'_> {
    /// Reads until the frame's end while the text is still being sent.
    async fn answer<S: Future<Output = Result<(), SendFailure>>>(
        &mut self,
        sending: &mut std::pin::Pin<&mut S>,
        receiver: &mut Receiver,
        command: &Command,
        mut sink: Option<&mut dyn OutputSink>,
    ) -> Result<Answer, Failure> {
        let started = Instant::now();
        let total = command.timeout.map(|limit| started + limit);
        let mut idle = command.idle_timeout.map(|limit| started + limit);
        let mut exit = None;
        for stream in [0, 1] {
            let bytes = std::mem::take(&mut self.pending[stream]);
            if !bytes.is_empty() {
                receiver.take(stream, bytes, self.pending, &mut sink);
            }
        }
        while !receiver.is_done() {
            let deadline = [total, idle].into_iter().flatten().min();
            let event = tokio::select! {
                biased;
                event = self.reader.next() => event,
                sent = &mut *sending, if !self.is_sent => {
                    self.is_sent = true;
                    if let Err(SendFailure::Source(error)) = sent {
                        return Err(Failure::Source(error));
                    }
                    continue;
                }
                () = until(deadline), if deadline.is_some() => {
                    return Err(receiver.timed_out(started));
                }
                () = time::sleep(LAST_WORDS), if exit.is_some() => ChannelEvent::Closed,
            };
            if let (Some(limit), ChannelEvent::Stdout(_) | ChannelEvent::Stderr(_)) =
                (command.idle_timeout, &event)
            {
                idle = Some(Instant::now() + limit);
            }
            match event {
                ChannelEvent::Stdout(bytes) => receiver.take(0, bytes, self.pending, &mut sink),
                ChannelEvent::Stderr(bytes) => receiver.take(1, bytes, self.pending, &mut sink),
                ChannelEvent::Exited(how) => exit = Some(how),
                ChannelEvent::Closed => return Err(receiver.ended(exit, started)),
            }
        }
        receiver.finish(started)
    }
}

pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

impl Receiver {
    fn captured(&mut self) -> (Captured, Captured) {
        (
            std::mem::take(&mut self.stdout),
            std::mem::take(&mut self.stderr),
        )
    }

    fn finish(&mut self, started: Instant) -> Result<Answer, Failure> {
        let fields = self.out.fields().unwrap_or_default();
        let (stdout, stderr) = self.captured();
        match frame::parse_end(&fields) {
            Some(end) => Ok(Answer {
                end,
                stdout,
                stderr,
                elapsed: started.elapsed(),
            }),
            None => Err(Failure::Problem(Problem::Protocol {
                request: "a command",
                answer: excerpt(fields.as_bytes()),
            })),
        }
    }

    fn partial(&mut self, started: Instant) -> Box<Partial> {
        let (stdout, stderr) = self.captured();
        Box::new(Partial {
            stdout,
            stderr,
            elapsed: started.elapsed(),
        })
    }

    fn timed_out(&mut self, started: Instant) -> Failure {
        Failure::TimedOut(self.partial(started))
    }

    fn ended(&mut self, exit: Option<ChannelExit>, started: Instant) -> Failure {
        Failure::Ended(exit, self.partial(started))
    }
}
