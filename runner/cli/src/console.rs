//! The person at the terminal, if there is one.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use futures::future::BoxFuture;
use sasrun_engine::seams::Console;

/// Asks on the terminal.
pub(crate) struct Terminal;

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
            let typed = tokio::task::spawn_blocking(move || read_line(&text, echo));
            match limit {
                Some(limit) => tokio::time::timeout(limit, typed).await.ok()?.ok()?,
                None => typed.await.ok()?,
            }
        })
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
