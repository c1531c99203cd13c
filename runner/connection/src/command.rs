//! A command to run and what came of it.
//!
//! Must not: know how either travels.

use std::time::Duration;

use bytes::Bytes;

use crate::shell::captured::Captured;
use crate::shell::quote;

/// A piece of shell text to run, and the circumstances to run it in.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// Shell text, run in a subshell of its own; it must not contain NUL.
    pub script: String,
    /// Bytes for its standard input, which is `/dev/null` without them; a command with input gets a channel of its own.
    pub stdin: Option<Bytes>,
    /// Directory to run in.
    pub cwd: Option<String>,
    /// Variables set and exported first.
    pub environment: Vec<(String, String)>,
    /// Longest run time; its processes are killed when it is over.
    pub timeout: Option<Duration>,
    /// Longest silence on both output streams; as `timeout`.
    pub idle_timeout: Option<Duration>,
    /// Asks for a terminal: a channel of its own, both output streams on one.
    pub terminal: bool,
    /// Bytes kept of each output stream, when not the connection's own limit.
    pub output_bytes: Option<usize>,
}

impl Command {
    /// Runs shell text.
    pub fn shell(script: impl Into<String>) -> Self {
        Self {
            script: script.into(),
            ..Self::default()
        }
    }

    /// Runs a program with arguments, without any shell's interpretation and without a process between.
    pub fn argv<S: AsRef<str>>(argv: &[S]) -> Self {
        let mut script = String::from("exec");
        for word in argv {
            script.push(' ');
            quote::word_into(&mut script, word.as_ref());
        }
        Self::shell(script)
    }
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// Time from sending it to knowing its end.
    pub elapsed: Duration,
    /// Says that a process it started outlived it.
    pub is_leaving_processes: bool,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It ended by itself with this code.
    Code(i32),
    /// A signal ended it. Shells do not tell SIGINT and SIGPIPE apart from the codes 130 and 141, which are reported as codes.
    Signal(i32),
    /// Its time was over and it was told to end.
    TimedOut(TimedOut),
}

/// What is known of a command whose time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimedOut {
    /// All its processes are proven gone.
    Killed,
    /// It was told to end, but whether it did is not known.
    Unconfirmed,
}

impl ExitStatus {
    /// Tells whether the command ended by itself with code 0.
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }

    /// The code in the way Python's subprocess gives it: negative for a signal, `None` when the time was over.
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(signal) => Some(-signal),
            Self::TimedOut(_) => None,
        }
    }
}

/// One of a command's output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes a command's output while it arrives, whole and in order per stream.
pub trait OutputSink: Send {
    /// Takes the next bytes of a stream; it must return soon.
    fn take(&mut self, stream: Stream, bytes: &[u8]);
}

impl<F: FnMut(Stream, &[u8]) + Send> OutputSink for F {
    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        self(stream, bytes);
    }
}
