//! How a shell or a program on a terminal is started on a connection, and why it was not.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time;

use super::Pool;
use crate::r#become;
use crate::command::Command;
use crate::error::{Problem, excerpt};
use crate::identity::{Become, Identity};
use crate::shell::kept::{Frame, Shell};
use crate::transport::{ByteChannel, Link, Program, TerminalSize};

impl Pool {
    pub(super) async fn open_shell(
        self: &Arc<Self>,
        identity: &Identity,
        permit: OwnedSemaphorePermit,
    ) -> Result<Shell, Problem> {
        let link = self.link().await?;
        let limit = self.target.limits.shell_start;
        let starting = start_shell(&link, identity, permit);
        match time::timeout(limit, starting).await {
            Ok(Ok(shell)) => Ok(shell),
            Ok(Err(problem)) => Err(self.explained(problem).await),
            Err(_) => Err(Problem::Timeout {
                phase: "starting a shell",
                limit,
            }),
        }
    }

    /// What kept a shell from starting: where the connection was lost under it, why that was.
    async fn explained(&self, problem: Problem) -> Problem {
        match problem {
            Problem::Lost { reason } => Problem::Lost {
                reason: self.why_lost().await.unwrap_or(reason),
            },
            Problem::ShellStart { .. } | Problem::BecomeRefused { .. } => {
                match self.why_lost().await {
                    Some(why) => Problem::ShellStart {
                        reason: format!("the connection was lost: {why}"),
                    },
                    None => problem,
                }
            }
            _ => problem,
        }
    }

    /// Starts a program on a terminal of its own.
    pub(crate) async fn open_terminal(
        self: &Arc<Self>,
        identity: &Identity,
        size: TerminalSize,
        program: &str,
    ) -> Result<(ByteChannel, bytes::Bytes), Problem> {
        let permit = self.permit().await?;
        let link = self.link().await?;
        let limit = self.target.limits.shell_start;
        let starting = async {
            match identity {
                Identity::Login => {
                    let line = Program::Line(program.to_owned());
                    Ok((link.open(&line, Some(size)).await?, bytes::Bytes::new()))
                }
                Identity::Become(who) => {
                    let entered = r#become::enter_terminal(&link, who, size, program).await?;
                    Ok((entered.channel, entered.rest))
                }
            }
        };
        let (mut channel, rest) = match time::timeout(limit, starting).await {
            Ok(Ok(started)) => started,
            Ok(Err(problem)) => return Err(self.explained(problem).await),
            Err(_) => {
                return Err(Problem::Timeout {
                    phase: "starting a program on a terminal",
                    limit,
                });
            }
        };
        channel.permit = Some(permit);
        Ok((channel, rest))
    }
}

async fn start_shell(
    link: &Link,
    identity: &Identity,
    permit: OwnedSemaphorePermit,
) -> Result<Shell, Problem> {
    let who = match identity {
        Identity::Login => {
            let mut channel = link.open(&Program::Shell, None).await?;
            channel.permit = Some(permit);
            return Shell::greet(channel, false).await;
        }
        Identity::Become(who) => who,
    };
    let mut entered = r#become::enter_shell(link, who).await?;
    entered.channel.permit = Some(permit);
    let mut shell = Shell::greet(entered.channel, entered.is_on_terminal).await?;
    verify(&mut shell, who).await?;
    Ok(shell)
}

/// Asks a shell who it is before it is given anything to do.
async fn verify(shell: &mut Shell, who: &Become) -> Result<(), Problem> {
    let user = crate::shell::quote::word(&who.user);
    let command = Command::shell(format!("id; id {user}"));
    let frame = Frame {
        command: &command,
        output_bytes: 16 << 10,
        is_own: false,
    };
    let Ok(answer) = shell.run(&frame, None).await else {
        return Err(Problem::ShellStart {
            reason: "it does not say who it is".to_owned(),
        });
    };
    let text = answer.stdout.text().into_owned();
    let mut lines = text.lines();
    let uid = |line: Option<&str>| {
        let rest = line?.split_once("uid=")?.1;
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        rest.get(..digits).map(str::to_owned)
    };
    let actual = uid(lines.next());
    let wanted = uid(lines.next()).unwrap_or_else(|| who.user.clone());
    if actual.as_deref() == Some(wanted.trim_start_matches('#')) {
        return Ok(());
    }
    Err(Problem::BecomeIdentity {
        user: who.user.clone(),
        actual: excerpt(text.lines().next().unwrap_or_default().as_bytes()),
    })
}
