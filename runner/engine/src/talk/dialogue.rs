//! A dialogue with a program on a terminal of its own.

use std::time::Duration;

use sasrun_connection::{Dialogue, ExitStatus, Sent, TerminalSize};
use sasrun_plugin::{Answer, Command, CommandOutput, DialogueRequest, Screen};

use super::{Ending, Reply, Talking, convert, lost, refused};

/// Longest wait of one look at the screen; the module looks again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The signal of Ctrl-C.
const INTERRUPT: &[u8] = b"\x03";

impl Talking<'_> {
    pub(super) async fn dialogue(&mut self, request: DialogueRequest) -> Reply {
        if let DialogueRequest::Open {
            command,
            columns,
            rows,
        } = request
        {
            return self.open(&command, TerminalSize { columns, rows }).await;
        }
        let Some(dialogue) = &self.dialogue else {
            return Reply::Answer(refused("protocol", "no dialogue is open"));
        };
        let screen = match request {
            DialogueRequest::Read { since, wait_ms } => {
                let mut wait = Duration::from_millis(wait_ms).min(LONGEST_WAIT);
                if let Some(left) = self.left() {
                    wait = wait.min(left);
                }
                look(dialogue, since, wait).await
            }
            DialogueRequest::Send { text, if_at, .. } => {
                match dialogue.send(text.into_bytes(), Some(if_at)).await {
                    Ok(Sent::Sent) => Screen {
                        sent: true,
                        ..look(dialogue, if_at, Duration::ZERO).await
                    },
                    Ok(Sent::ScreenMoved(_) | Sent::Closed) => {
                        look(dialogue, if_at, Duration::ZERO).await
                    }
                    Err(error) => return lost(&error),
                }
            }
            DialogueRequest::Interrupt => match dialogue.send(INTERRUPT, None).await {
                Ok(sent) => Screen {
                    sent: sent == Sent::Sent,
                    ..look(dialogue, 0, Duration::ZERO).await
                },
                Err(error) => return lost(&error),
            },
            _ => return self.end().await,
        };
        Reply::Answer(Answer::Screen { screen })
    }

    async fn open(&mut self, command: &Command, size: TerminalSize) -> Reply {
        if self.check {
            let reason = "a dialogue with a program would change things".to_owned();
            return Reply::End(Ending::CannotKnow(reason));
        }
        if !self.is_declared {
            let message = "the module opened a dialogue that it had not declared";
            return Reply::Answer(refused("undeclared", message));
        }
        if self.dialogue.is_some() {
            return Reply::Answer(refused("protocol", "a dialogue is open already"));
        }
        let (connection, identity) = match self.connection().await {
            Ok(both) => both,
            Err(reply) => return reply,
        };
        let command = convert::command(command, &self.environment, None);
        match connection.dialogue(&identity, &command, size).await {
            Ok(dialogue) => {
                let screen = look(&dialogue, 0, Duration::ZERO).await;
                self.dialogue = Some(dialogue);
                Reply::Answer(Answer::Screen { screen })
            }
            Err(error) => lost(&error),
        }
    }

    async fn end(&mut self) -> Reply {
        let Some(dialogue) = self.dialogue.take() else {
            return Reply::Answer(refused("protocol", "no dialogue is open"));
        };
        match dialogue.close().await {
            Ok(shown) => Reply::Answer(Answer::Screen {
                screen: screen(shown),
            }),
            Err(error) => lost(&error),
        }
    }
}

async fn look(dialogue: &Dialogue, since: u64, wait: Duration) -> Screen {
    screen(dialogue.read(since, wait).await)
}

fn screen(shown: sasrun_connection::Screen) -> Screen {
    let ended = shown.exit.filter(|_| shown.is_closed).map(|exit| {
        let (rc, signal) = match exit {
            ExitStatus::Code(code) => (code, None),
            ExitStatus::Signal(signal) => (128 + signal, Some(signal)),
            ExitStatus::TimedOut(_) => (-1, None),
        };
        CommandOutput {
            rc,
            signal,
            ..CommandOutput::default()
        }
    });
    Screen {
        from: shown.offset,
        to: shown.end(),
        text: String::from_utf8_lossy(&shown.bytes).into_owned(),
        sent: false,
        lost: shown.is_closed && shown.exit.is_none(),
        ended,
    }
}
