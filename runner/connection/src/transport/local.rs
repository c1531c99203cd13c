//! The controller itself as a host: the shell is a child process.
//!
//! Must not: hand the child any descriptor but its three streams.

use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use bytes::{Bytes, BytesMut};
use rustix::pty;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::{
    ByteChannel, ChannelEvent, ChannelExit, ChannelReader, ChannelWriter, Program, TerminalSize,
};
use crate::error::Problem;
use crate::target::LocalTarget;

const READ_BYTES: usize = 64 << 10;

/// Starts shells as children.
#[derive(Debug)]
pub(crate) struct LocalLink {
    target: LocalTarget,
}

impl LocalLink {
    pub(crate) fn new(target: &LocalTarget) -> Self {
        Self {
            target: target.clone(),
        }
    }

    pub(crate) fn open(
        &self,
        program: &Program,
        terminal: Option<TerminalSize>,
    ) -> Result<ByteChannel, Problem> {
        let opened = match terminal {
            None => self.open_pipes(program),
            Some(size) => self.open_terminal(program, size),
        };
        opened.map_err(|error| Problem::ShellStart {
            reason: error.to_string(),
        })
    }

    fn command(&self, program: &Program, leader: &[&str]) -> Command {
        let line;
        let words: Vec<&str> = match program {
            Program::Shell => self.target.shell.iter().map(String::as_str).collect(),
            Program::Line(text) => {
                line = text.as_str();
                vec!["/bin/sh", "-c", line]
            }
        };
        let mut words = leader.iter().copied().chain(words);
        let mut command = Command::new(words.next().unwrap_or("/bin/sh"));
        command
            .args(words)
            .envs(self.target.environment.iter().map(|(k, v)| (k, v)))
            .kill_on_drop(true);
        command
    }

    fn open_pipes(&self, program: &Program) -> io::Result<ByteChannel> {
        let mut child = self
            .command(program, &[])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let reader = LocalReader {
            output: child
                .stdout
                .take()
                .map_or(Output::None, |pipe| Output::Pipe(pipe, BytesMut::new())),
            errors: child.stderr.take(),
            errors_buffer: BytesMut::new(),
            child,
            is_exit_told: false,
        };
        let writer = LocalWriter {
            input: stdin.map_or(Input::None, Input::Pipe),
        };
        Ok(ByteChannel::new(
            ChannelReader::Local(Box::new(reader)),
            ChannelWriter::Local(writer),
        ))
    }

    /// The first terminal that a session's leader opens becomes its own; `setsid` makes the session.
    fn open_terminal(&self, program: &Program, size: TerminalSize) -> io::Result<ByteChannel> {
        let flags = pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY | pty::OpenptFlags::CLOEXEC;
        let controller = pty::openpt(flags)?;
        pty::grantpt(&controller)?;
        pty::unlockpt(&controller)?;
        let name = pty::ptsname(&controller, Vec::new())?;
        rustix::termios::tcsetwinsize(&controller, winsize(size))?;
        let name = name.to_string_lossy().into_owned();
        let attach = format!("exec <>{name} >&0 2>&0; exec \"$@\"");
        // Kept open until the child has opened it, for a terminal without any user reports its end.
        let user = File::options().read(true).write(true).open(&name)?;
        let controller = File::from(controller);
        rustix::io::ioctl_fionbio(&controller, true)?;
        let child = self
            .command(program, &["setsid", "/bin/sh", "-c", &attach, "terminal"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let writer = LocalWriter {
            input: Input::Terminal(pipe::Sender::from_file_unchecked(controller.try_clone()?)?),
        };
        let reader = LocalReader {
            output: Output::Terminal(
                pipe::Receiver::from_file_unchecked(controller)?,
                BytesMut::new(),
                Some(user),
            ),
            errors: None,
            errors_buffer: BytesMut::new(),
            child,
            is_exit_told: false,
        };
        Ok(ByteChannel::new(
            ChannelReader::Local(Box::new(reader)),
            ChannelWriter::Local(writer),
        ))
    }
}

fn winsize(size: TerminalSize) -> rustix::termios::Winsize {
    rustix::termios::Winsize {
        ws_row: size.rows,
        ws_col: size.columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

#[derive(Debug)]
enum Output {
    Pipe(ChildStdout, BytesMut),
    /// With the terminal's other end, until a program has opened it.
    Terminal(pipe::Receiver, BytesMut, Option<File>),
    None,
}

impl Output {
    async fn read(&mut self) -> Bytes {
        match self {
            Self::Pipe(pipe, buffer) => {
                buffer.reserve(READ_BYTES);
                match pipe.read_buf(buffer).await {
                    Ok(1..) => buffer.split().freeze(),
                    Ok(0) | Err(_) => Bytes::new(),
                }
            }
            Self::Terminal(terminal, buffer, user) => {
                buffer.reserve(READ_BYTES);
                let read = terminal.read_buf(buffer).await;
                // Whoever writes to the terminal has opened it.
                *user = None;
                match read {
                    Ok(1..) => buffer.split().freeze(),
                    Ok(0) | Err(_) => Bytes::new(),
                }
            }
            Self::None => std::future::pending().await,
        }
    }
}

/// Reads a child's streams and waits for its end.
#[derive(Debug)]
pub(crate) struct LocalReader {
    output: Output,
    errors: Option<ChildStderr>,
    errors_buffer: BytesMut,
    child: Child,
    is_exit_told: bool,
}

impl LocalReader {
    pub(crate) async fn next(&mut self) -> ChannelEvent {
        loop {
            let is_open = !matches!(self.output, Output::None) || self.errors.is_some();
            if !is_open && self.is_exit_told {
                return ChannelEvent::Closed;
            }
            tokio::select! {
                biased;
                bytes = self.output.read(), if !matches!(self.output, Output::None) => {
                    if !bytes.is_empty() {
                        return ChannelEvent::Stdout(bytes);
                    }
                    self.output = Output::None;
                }
                bytes = read_errors(&mut self.errors, &mut self.errors_buffer), if self.errors.is_some() => {
                    if !bytes.is_empty() {
                        return ChannelEvent::Stderr(bytes);
                    }
                    self.errors = None;
                }
                status = self.child.wait(), if !self.is_exit_told => {
                    self.is_exit_told = true;
                    if let Output::Terminal(_, _, user) = &mut self.output {
                        *user = None;
                    }
                    let exit = match status {
                        Ok(status) => status.signal().map_or_else(
                            || ChannelExit::Code(status.code().unwrap_or(0)),
                            ChannelExit::Signal,
                        ),
                        Err(_) => ChannelExit::Code(0),
                    };
                    return ChannelEvent::Exited(exit);
                }
            }
        }
    }
}

async fn read_errors(errors: &mut Option<ChildStderr>, buffer: &mut BytesMut) -> Bytes {
    let Some(pipe) = errors else {
        return std::future::pending().await;
    };
    buffer.reserve(READ_BYTES);
    match pipe.read_buf(buffer).await {
        Ok(1..) => buffer.split().freeze(),
        Ok(0) | Err(_) => Bytes::new(),
    }
}

#[derive(Debug)]
enum Input {
    Pipe(ChildStdin),
    Terminal(pipe::Sender),
    None,
}

/// Writes to a child's standard input.
#[derive(Debug)]
pub(crate) struct LocalWriter {
    input: Input,
}

impl LocalWriter {
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), String> {
        let result = match &mut self.input {
            Input::Pipe(pipe) => pipe.write_all(&bytes).await,
            Input::Terminal(terminal) => terminal.write_all(&bytes).await,
            Input::None => return Err("its input is closed".to_owned()),
        };
        result.map_err(|error| error.to_string())
    }

    pub(crate) async fn finish(&mut self) -> Result<(), String> {
        match std::mem::replace(&mut self.input, Input::None) {
            // The end of a terminal's input is a character (EOT).
            Input::Terminal(mut terminal) => {
                let result = terminal.write_all(b"\x04").await;
                self.input = Input::Terminal(terminal);
                result.map_err(|error| error.to_string())
            }
            Input::Pipe(_) | Input::None => Ok(()),
        }
    }

    pub(crate) fn resize(&mut self, size: TerminalSize) -> Result<(), String> {
        match &self.input {
            Input::Terminal(terminal) => rustix::termios::tcsetwinsize(terminal, winsize(size))
                .map_err(|error| error.to_string()),
            _ => Ok(()),
        }
    }
}
