//! A connection to one host: shells kept open per identity, commands given to them.
//!
//! Must not: decide what a failed command means, or run a command twice.

use std::sync::Arc;
use std::time::Duration;

use tokio::time;

use crate::command::{Command, ExitStatus, Output, OutputSink, TimedOut};
use crate::error::{ConnectionError, Problem};
use crate::identity::Identity;
use crate::pool::{Lease, Pool};
use crate::shell::captured::Captured;
use crate::shell::kept::{Answer, Failure, Frame, InputSource, Shell};
use crate::shell::timeout;
use crate::target::Target;
use crate::transport::ChannelExit;

/// A connection to one host; clones share it.
///
/// It is opened again by the next request after it was lost; a request that was under way when it was lost fails and is not
/// repeated.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(crate) pool: Arc<Pool>,
}

/// One command of several that go together.
pub(crate) struct Asked {
    pub command: Command,
    /// See [`Frame::is_own`].
    pub is_own: bool,
}

impl Connection {
    /// Connects and logs in.
    pub async fn connect(target: Target) -> Result<Self, ConnectionError> {
        let pool = Pool::new(target);
        let connection = Self {
            pool: Arc::new(pool),
        };
        connection
            .pool
            .link()
            .await
            .map_err(|problem| connection.error(problem))?;
        Ok(connection)
    }

    /// The target that this connection is for.
    pub fn target(&self) -> &Target {
        &self.pool.target
    }

    /// Runs a command and waits for its end, handing its output to the sink while it arrives.
    ///
    /// Dropping the future ends the command's processes.
    pub async fn run(
        &self,
        identity: &Identity,
        command: &Command,
        sink: Option<&mut dyn OutputSink>,
    ) -> Result<Output, ConnectionError> {
        let result = if command.terminal {
            self.run_on_terminal(identity, command, sink).await
        } else if let Some(bytes) = &command.stdin {
            let input = InputSource::Bytes(bytes.clone());
            self.run_with_input(identity, command, input, sink).await
        } else {
            self.run_kept(identity, command, sink).await
        };
        result.map_err(|problem| self.error(problem))
    }

    /// Drops all kept shells, so that the next command starts in a fresh one with the user's groups of that moment.
    pub async fn reset(&self) {
        self.pool.clear().await;
    }

    /// Ends kept shells that became a user, so that the account is not in use because of them.
    pub async fn leave_user(&self, user: &str) {
        self.pool.leave_user(user).await;
    }

    /// Ends the connection; the next request opens it again.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn error(&self, problem: Problem) -> ConnectionError {
        ConnectionError::new(&self.pool.target.name, problem)
    }

    pub(crate) async fn run_kept(
        &self,
        identity: &Identity,
        command: &Command,
        sink: Option<&mut dyn OutputSink>,
    ) -> Result<Output, Problem> {
        let mut lease = self.pool.take(identity).await?;
        let frame = self.frame(command);
        let result = lease.shell()?.run(&frame, sink).await;
        self.settle(lease, result).await
    }

    /// Runs commands in one round trip; one that does not end as commands do fails the rest with it.
    pub(crate) async fn run_all(
        &self,
        identity: &Identity,
        commands: &[Asked],
    ) -> Result<Vec<Output>, Problem> {
        let mut lease = self.pool.take(identity).await?;
        let frames: Vec<Frame<'_>> = commands
            .iter()
            .map(|asked| Frame {
                is_own: asked.is_own,
                ..self.frame(&asked.command)
            })
            .collect();
        match lease.shell()?.run_all(&frames).await {
            Ok(answers) => {
                let is_leaving = answers.iter().any(|a| a.end.is_leaving_processes);
                lease.finish(is_leaving);
                Ok(answers.into_iter().map(Output::from).collect())
            }
            Err(failure) => {
                let output = self.settle(lease, Err(failure)).await?;
                Err(Problem::lost(format!(
                    "a command of a batch ended with {:?}",
                    output.status
                )))
            }
        }
    }

    /// Runs a command in a shell of its own, which reads the command's input from the channel.
    pub(crate) async fn run_with_input(
        &self,
        identity: &Identity,
        command: &Command,
        input: InputSource,
        sink: Option<&mut dyn OutputSink>,
    ) -> Result<Output, Problem> {
        let mut lease = self.pool.take_alone(identity).await?;
        let frame = self.frame(command);
        let result = lease.shell()?.run_with_input(&frame, input, sink).await;
        self.settle(lease, result).await
    }

    pub(crate) fn frame<'c>(&self, command: &'c Command) -> Frame<'c> {
        Frame {
            command,
            output_bytes: command
                .output_bytes
                .unwrap_or(self.pool.target.limits.output_bytes),
            is_own: false,
        }
    }

    /// Makes an output of a frame's end, and gives the shell back, or away, or ends what it runs.
    async fn settle(
        &self,
        mut lease: Lease,
        result: Result<Answer, Failure>,
    ) -> Result<Output, Problem> {
        let (status, partial) = match result {
            Ok(answer) => {
                lease.finish(answer.end.is_leaving_processes);
                return Ok(answer.into());
            }
            Err(Failure::TimedOut(partial)) => {
                let end = self.end_processes(&mut lease).await;
                (ExitStatus::TimedOut(end), partial)
            }
            Err(Failure::Ended(Some(ChannelExit::Signal(signal)), partial)) if signal > 0 => {
                // The command killed its own shell, as `kill $$` does.
                lease.discard();
                (ExitStatus::Signal(signal), partial)
            }
            Err(Failure::Ended(exit, partial)) => {
                lease.discard();
                let why = match exit {
                    None => self.pool.why_lost().await,
                    Some(_) => None,
                };
                return Err(ended(exit, why, &partial.stderr));
            }
            Err(Failure::Source(error)) => {
                let end = self.end_processes(&mut lease).await;
                tracing::debug!(?end, "the input could not be read");
                return Err(Problem::local("the command's input", &error));
            }
            Err(Failure::Problem(problem)) => {
                lease.discard();
                return Err(problem);
            }
        };
        Ok(Output {
            status,
            stdout: partial.stdout,
            stderr: partial.stderr,
            elapsed: partial.elapsed,
            is_leaving_processes: status == ExitStatus::TimedOut(TimedOut::Unconfirmed),
        })
    }

    async fn end_processes(&self, lease: &mut Lease) -> TimedOut {
        match lease.give_away() {
            Some((identity, shell)) => end_processes(&self.pool, &identity, shell).await,
            None => TimedOut::Unconfirmed,
        }
    }
}

/// Ends everything that runs under a shell, from another shell of the same identity.
pub(crate) async fn end_processes(pool: &Arc<Pool>, identity: &Identity, shell: Shell) -> TimedOut {
    let limits = &pool.target.limits;
    let command = timeout::kill_command(shell.greeting(), limits.kill_grace);
    let mut channel = shell.into_channel();
    // Somebody must see the shell go: a dead child that nobody waits for is still there.
    let draining = tokio::spawn(async move { channel.reader.drain().await });
    let ending = async { run_kill(pool, identity, &command).await };
    let limit = limits.kill_grace + limits.shell_start + Duration::from_secs(10);
    let is_gone = time::timeout(limit, ending).await.ok().flatten() == Some(true);
    draining.abort();
    match is_gone {
        true => TimedOut::Killed,
        false => TimedOut::Unconfirmed,
    }
}

/// Runs a command made by `timeout::kill_command`; true when it proved that all is gone.
pub(crate) async fn run_kill(
    pool: &Arc<Pool>,
    identity: &Identity,
    command: &Command,
) -> Option<bool> {
    let mut lease = pool.take(identity).await.ok()?.for_ending();
    let frame = Frame {
        command,
        output_bytes: 4096,
        is_own: false,
    };
    let answer = lease.shell().ok()?.run(&frame, None).await.ok()?;
    lease.finish(answer.end.is_leaving_processes);
    Some(answer.stdout.bytes().starts_with(b"gone"))
}

fn ended(exit: Option<ChannelExit>, why: Option<String>, stderr: &Captured) -> Problem {
    match exit {
        None => Problem::lost(match why {
            Some(why) => format!("{why}, while a command ran"),
            None => "the channel closed while a command ran".to_owned(),
        }),
        Some(exit) => {
            let mut reason = match exit {
                ChannelExit::Code(code) => format!("exit code {code}"),
                ChannelExit::Signal(signal) => format!("signal {signal}"),
            };
            let said = crate::error::excerpt(&stderr.bytes());
            if !said.is_empty() {
                reason = format!("{reason}: {said}");
            }
            Problem::ShellLost { reason }
        }
    }
}

impl From<Answer> for Output {
    fn from(answer: Answer) -> Self {
        Self {
            status: answer.end.status,
            stdout: answer.stdout,
            stderr: answer.stderr,
            elapsed: answer.elapsed,
            is_leaving_processes: answer.end.is_leaving_processes,
        }
    }
}
