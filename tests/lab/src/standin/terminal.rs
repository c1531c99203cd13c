//! What a stand-in prints, and the terminal it talks to.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions};

/// Prints a line; a reader that has gone away is no reason to die.
pub fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Prints text as it stands.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line on stderr.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The controlling terminal, opened by itself as installers do: redirected standard streams do not reach it.
#[derive(Debug)]
pub struct Terminal {
    device: File,
}

/// The end of what the terminal has to say.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    #[error("no terminal: {0}")]
    Absent(io::Error),
    #[error("the terminal was closed")]
    Closed,
    #[error("interrupted")]
    Interrupted,
    #[error("terminal: {0}")]
    Io(#[from] io::Error),
}

impl Terminal {
    /// Opens the controlling terminal.
    pub fn open() -> Result<Self, TerminalError> {
        let device = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .map_err(TerminalError::Absent)?;
        Ok(Self { device })
    }

    /// Prints text as it stands.
    pub fn print(&mut self, text: &str) -> Result<(), TerminalError> {
        self.device.write_all(text.as_bytes())?;
        Ok(self.device.flush()?)
    }

    /// Prints a line.
    pub fn say(&mut self, line: &str) -> Result<(), TerminalError> {
        self.print(&format!("{line}\n"))
    }

    /// Reads one line as typed, without its end.
    pub fn read_line(&mut self) -> Result<String, TerminalError> {
        let mut line = Vec::new();
        let mut byte = [0_u8];
        loop {
            match self.device.read(&mut byte) {
                Ok(0) => return Err(TerminalError::Closed),
                Ok(_) if matches!(byte, [b'\n' | b'\r']) => break,
                Ok(_) if byte == [3] => return Err(TerminalError::Interrupted),
                Ok(_) => line.extend(byte),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The other side has hung up.
                Err(error)
                    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) =>
                {
                    return Err(TerminalError::Closed);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// Asks and reads the answer.
    pub fn ask(&mut self, prompt: &str) -> Result<String, TerminalError> {
        self.print(prompt)?;
        self.read_line()
    }

    /// Asks and reads the answer without showing it.
    pub fn ask_secret(&mut self, prompt: &str) -> Result<String, TerminalError> {
        let before = rustix::termios::tcgetattr(&self.device).map_err(io::Error::from)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        rustix::termios::tcsetattr(&self.device, OptionalActions::Now, &silent)
            .map_err(io::Error::from)?;
        let answer = self.ask(prompt);
        let restored = rustix::termios::tcsetattr(&self.device, OptionalActions::Now, &before);
        self.print("\n")?;
        restored.map_err(io::Error::from)?;
        answer
    }
}
