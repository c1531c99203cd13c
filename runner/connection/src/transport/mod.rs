//! Transports: ways to start a program on a host and hold its three streams.
//!
//! A transport's one duty is to open a [`ByteChannel`]. Must not: know frames, commands, or who the shell runs as.

pub(crate) mod local;
pub mod ssh;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::Problem;

/// What to start at the far end of a channel.
#[derive(Debug, Clone)]
pub(crate) enum Program {
    /// The target's own shell.
    Shell,
    /// A line for the login shell, in words that every shell reads alike.
    Line(String),
}

/// Size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

impl Default for TerminalSize {
    fn default() -> Self {
        Self {
            columns: 80,
            rows: 24,
        }
    }
}

/// What a channel brings.
#[derive(Debug, Clone)]
pub(crate) enum ChannelEvent {
    /// Bytes of standard output, or of the terminal.
    Stdout(Bytes),
    /// Bytes of standard error.
    Stderr(Bytes),
    /// The program ended; bytes may still follow.
    Exited(ChannelExit),
    /// Nothing follows any more.
    Closed,
}

/// How the program of a channel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelExit {
    Code(i32),
    Signal(i32),
}

/// A program's streams.
#[derive(Debug)]
pub(crate) struct ByteChannel {
    pub reader: ChannelReader,
    pub writer: ChannelWriter,
    /// The channel's place among those that the host allows.
    pub permit: Option<OwnedSemaphorePermit>,
}

impl ByteChannel {
    fn new(reader: ChannelReader, writer: ChannelWriter) -> Self {
        Self {
            reader,
            writer,
            permit: None,
        }
    }
}

#[derive(Debug)]
pub(crate) enum ChannelReader {
    Local(Box<local::LocalReader>),
    Ssh(ssh::SshReader),
}

impl ChannelReader {
    /// Waits for what comes next; may be dropped and called again without loss.
    pub(crate) async fn next(&mut self) -> ChannelEvent {
        match self {
            Self::Local(reader) => reader.next().await,
            Self::Ssh(reader) => reader.next().await,
        }
    }

    /// Reads and forgets all that comes until the program's end.
    pub(crate) async fn drain(&mut self) {
        while !matches!(self.next().await, ChannelEvent::Closed) {}
    }
}

#[derive(Debug)]
pub(crate) enum ChannelWriter {
    Local(local::LocalWriter),
    Ssh(ssh::SshWriter),
}

impl ChannelWriter {
    /// Sends bytes, waiting while the far end takes none.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), String> {
        match self {
            Self::Local(writer) => writer.write(bytes).await,
            Self::Ssh(writer) => writer.write(bytes).await,
        }
    }

    /// Says that no more bytes follow.
    pub(crate) async fn finish(&mut self) -> Result<(), String> {
        match self {
            Self::Local(writer) => writer.finish().await,
            Self::Ssh(writer) => writer.finish().await,
        }
    }

    /// Closes the channel in both directions, where the transport can.
    pub(crate) async fn close(&mut self) {
        match self {
            Self::Local(writer) => drop(writer.finish().await),
            Self::Ssh(writer) => writer.close().await,
        }
    }

    /// Changes the size of the terminal.
    pub(crate) async fn resize(&mut self, size: TerminalSize) -> Result<(), String> {
        match self {
            Self::Local(writer) => writer.resize(size),
            Self::Ssh(writer) => writer.resize(size).await,
        }
    }
}

/// A transport, connected.
#[derive(Debug)]
pub(crate) enum Link {
    Local(local::LocalLink),
    Ssh(Box<ssh::SshLink>),
}

impl Link {
    /// Starts a program.
    pub(crate) async fn open(
        &self,
        program: &Program,
        terminal: Option<TerminalSize>,
    ) -> Result<ByteChannel, Problem> {
        match self {
            Self::Local(link) => link.open(program, terminal),
            Self::Ssh(link) => link.open(program, terminal).await,
        }
    }

    /// Tells whether channels can still be opened.
    pub(crate) fn is_alive(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Ssh(link) => link.is_alive(),
        }
    }

    /// Why the connection was lost, if it was.
    pub(crate) fn why_lost(&self) -> Option<String> {
        match self {
            Self::Local(_) => None,
            Self::Ssh(link) => link.why_lost(),
        }
    }

    /// Ends the connection with a farewell.
    pub(crate) async fn close(&self) {
        match self {
            Self::Local(_) => {}
            Self::Ssh(link) => link.close().await,
        }
    }
}
