//! The person at the terminal, if there is one.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcsetattr};
use sasrun_engine::seams::{Approval, Console};

use crate::approvals;

/// Asks on the terminal, and puts it back as it was.
#[derive(Clone, Default)]
pub(crate) struct Terminal {
    /// What is asked now with the terminal's echo off, and how the terminal was before.
    hidden: Arc<Mutex<Option<(String, Termios)>>>,
    /// Where answers to gates from elsewhere are found.
    approvals: Option<PathBuf>,
}

impl Terminal {
    /// Looks for answers to gates in a folder.
    pub(crate) fn with_approvals(mut self, folder: PathBuf) -> Self {
        self.approvals = Some(folder);
        self
    }

    /// Turns the echo on again, when a question was left with it off.
    pub(crate) fn restore(&self) {
        if let Some((_, before)) = self.hidden().take() {
            set(&before);
        }
    }

    /// Turns the echo on for as long as the program is stopped.
    pub(crate) fn suspend(&self) {
        if let Some((_, before)) = &*self.hidden() {
            set(before);
        }
    }

    /// Goes on with the question that was open when the program was stopped.
    pub(crate) fn go_on(&self) {
        if let Some((text, before)) = &*self.hidden() {
            set(&without_echo(before));
            let _ = write!(std::io::stderr(), "{text}");
        }
    }

    fn hidden(&self) -> MutexGuard<'_, Option<(String, Termios)>> {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Console for Terminal {
    fn is_interactive(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    fn ask(
        &self,
        text: &str,
        echo: bool,
        limit: Option<Duration>,
    ) -> BoxFuture<'_, Option<String>> {
        let text = text.to_owned();
        let is_interactive = self.is_interactive();
        Box::pin(async move {
            if !is_interactive {
                if let Some(limit) = limit {
                    tokio::time::sleep(limit).await;
                }
                return None;
            }
            if !echo {
                let before = rustix::termios::tcgetattr(std::io::stdin()).ok();
                *self.hidden() = before.map(|before| (text.clone(), before));
            }
            let typed = tokio::task::spawn_blocking(move || read_line(&text, echo));
            let typed = match limit {
                Some(limit) => tokio::time::timeout(limit, typed).await.ok()?.ok()?,
                None => typed.await.ok()?,
            };
            // Who waits on keeps the terminal as it is; here nobody does.
            self.hidden().take();
            typed
        })
    }

    fn approval(&self, gate: &str) -> Option<Approval> {
        approvals::find(self.approvals.as_ref()?, gate)
    }
}

/// Shows a prompt on standard error and reads a line.
pub(crate) fn read_line(prompt: &str, echo: bool) -> Option<String> {
    // Not held while the person thinks: a signal has to be told of, too.
    let _ = write!(std::io::stderr(), "{prompt}");
    let hidden = if echo { None } else { Hidden::begin() };
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    drop(hidden);
    if !echo {
        let _ = writeln!(std::io::stderr());
    }
    read.ok().filter(|count| *count > 0)?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Turns the terminal's echo off until it is dropped.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> Option<Self> {
        let before = rustix::termios::tcgetattr(std::io::stdin()).ok()?;
        set(&without_echo(&before)).then_some(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        set(&self.0);
    }
}

fn without_echo(terminal: &Termios) -> Termios {
    let mut quiet = terminal.clone();
    quiet.local_modes -= LocalModes::ECHO;
    quiet
}

/// Sets the terminal; false where that cannot be.
fn set(terminal: &Termios) -> bool {
    tcsetattr(std::io::stdin(), OptionalActions::Flush, terminal).is_ok()
}
