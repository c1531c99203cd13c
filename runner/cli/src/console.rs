//! The person at the terminal, if there is one.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use rustix::termios::Termios;
use sasrun_engine::seams::{Approval, Console};

use crate::approvals;

/// Asks on the terminal, and puts it back as it was.
#[derive(Clone, Default)]
pub(crate) struct Terminal {
    /// How the terminal was before its echo was turned off.
    before: Arc<Mutex<Option<Termios>>>,
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
        use rustix::termios::{OptionalActions, tcsetattr};
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = before.take() {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &before);
        }
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
                use rustix::termios::tcgetattr;
                let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
                *before = tcgetattr(std::io::stdin()).ok();
            }
            let typed = tokio::task::spawn_blocking(move || read_line(&text, echo));
            match limit {
                Some(limit) => tokio::time::timeout(limit, typed).await.ok()?.ok()?,
                None => typed.await.ok()?,
            }
        })
    }

    fn approval(&self, gate: &str) -> Option<Approval> {
        approvals::find(self.approvals.as_ref()?, gate)
    }
}

/// Shows a prompt on standard error and reads a line.
pub(crate) fn read_line(prompt: &str, echo: bool) -> Option<String> {
    let mut errors = std::io::stderr().lock();
    let _ = write!(errors, "{prompt}").and_then(|()| errors.flush());
    let hidden = if echo { None } else { Hidden::begin() };
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    drop(hidden);
    if !echo {
        let _ = writeln!(errors);
    }
    read.ok().filter(|count| *count > 0)?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Turns the terminal's echo off until it is dropped.
struct Hidden(rustix::termios::Termios);

impl Hidden {
    fn begin() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO;
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet).ok()?;
        Some(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
