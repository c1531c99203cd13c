//! A conversation with a program on a terminal of its own.
//!
//! What the program shows is kept whole and read by offset; what is sent can be tied to what was seen. Must not: interpret
//! what is on the screen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time;

use crate::command::{Command, ExitStatus, Output, OutputSink, Stream, TimedOut};
use crate::connection::Connection;
use crate::error::{ConnectionError, Problem};
use crate::identity::Identity;
use crate::pool::Pool;
use crate::shell::captured::Captured;
use crate::shell::frame::{self, Greeting, Leftovers, Scanner};
use crate::shell::{quote, timeout};
use crate::transport::{
    ByteChannel, ChannelEvent, ChannelExit, ChannelReader, ChannelWriter, TerminalSize,
};

/// What a program on a terminal has shown since an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Where `bytes` begin in all that was shown.
    pub offset: u64,
    /// What was shown from there on.
    pub bytes: Vec<u8>,
    /// Says that nothing follows: the program and all others on its terminal have ended.
    pub is_closed: bool,
    /// How the program ended, once it is known; a lost connection leaves it unknown for ever.
    pub exit: Option<ExitStatus>,
}

impl Screen {
    /// Where the next bytes will begin.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

/// What came of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was sent.
    Sent,
    /// Nothing was sent, for the program has shown more than was expected, up to this offset.
    ScreenMoved(u64),
    /// Nothing was sent, for the program has ended.
    Closed,
}

/// A program on a terminal of its own; dropped, it is hung up.
#[derive(Debug)]
pub struct Dialogue {
    connection: Connection,
    identity: Identity,
    process: Greeting,
    shown: Arc<Shown>,
    writer: tokio::sync::Mutex<ChannelWriter>,
    reading: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shown {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    is_closed: bool,
    exit: Option<ExitStatus>,
}

impl Shown {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn collect(self: Arc<Self>, mut reader: ChannelReader) {
        loop {
            let event = reader.next().await;
            let mut state = self.lock();
            match event {
                ChannelEvent::Stdout(bytes) | ChannelEvent::Stderr(bytes) => {
                    state.bytes.extend_from_slice(&bytes);
                }
                ChannelEvent::Exited(exit) => state.exit = Some(exit.into()),
                ChannelEvent::Closed => state.is_closed = true,
            }
            let is_closed = state.is_closed;
            drop(state);
            self.changed.notify_waiters();
            if is_closed {
                return;
            }
        }
    }
}

impl From<ChannelExit> for ExitStatus {
    fn from(exit: ChannelExit) -> Self {
        match exit {
            ChannelExit::Code(code) => Self::Code(code),
            ChannelExit::Signal(signal) => Self::Signal(signal),
        }
    }
}

impl Connection {
    /// Starts a command on a terminal of its own; its time limits are the caller's to hold.
    pub async fn dialogue(
        &self,
        identity: &Identity,
        command: &Command,
        size: TerminalSize,
    ) -> Result<Dialogue, ConnectionError> {
        let started = start(&self.pool, identity, command, size)
            .await
            .map_err(|problem| self.error(problem))?;
        let shown = Arc::new(Shown::default());
        shown.lock().bytes.extend_from_slice(&started.rest);
        if let Some(exit) = started.exit {
            shown.lock().exit = Some(exit.into());
        }
        let ByteChannel {
            reader,
            writer,
            permit,
        } = started.channel;
        let collecting = Arc::clone(&shown);
        let reading = tokio::spawn(async move {
            collecting.collect(reader).await;
            drop(permit);
        });
        Ok(Dialogue {
            connection: self.clone(),
            identity: identity.clone(),
            process: started.process,
            shown,
            writer: tokio::sync::Mutex::new(writer),
            reading,
        })
    }

    pub(crate) async fn run_on_terminal(
        &self,
        identity: &Identity,
        command: &Command,
        mut sink: Option<&mut dyn OutputSink>,
    ) -> Result<Output, Problem> {
        let begun = Instant::now();
        let mut started = start(&self.pool, identity, command, TerminalSize::default()).await?;
        if let Some(input) = &command.stdin {
            let sent = started.channel.writer.write(input.clone()).await;
            sent.map_err(Problem::lost)?;
        }
        let mut stdout = Captured::with_limit(self.frame(command).output_bytes);
        let mut take = |bytes: &[u8]| {
            stdout.push(bytes);
            if let Some(sink) = &mut sink {
                sink.take(Stream::Stdout, bytes);
            }
        };
        take(&started.rest);
        let mut exit = started.exit.map(ExitStatus::from);
        let mut idle_since = Instant::now();
        loop {
            let total = command.timeout.map(|limit| begun + limit);
            let idle = command.idle_timeout.map(|limit| idle_since + limit);
            let deadline = [total, idle].into_iter().flatten().min();
            let event = tokio::select! {
                event = started.channel.reader.next() => event,
                () = crate::shell::kept::until(deadline) => {
                    let mut channel = started.channel;
                    let draining = tokio::spawn(async move { channel.reader.drain().await });
                    let end = end(&self.pool, identity, &started.process).await;
                    draining.abort();
                    exit = Some(ExitStatus::TimedOut(end));
                    break;
                }
            };
            match event {
                ChannelEvent::Stdout(bytes) | ChannelEvent::Stderr(bytes) => {
                    idle_since = Instant::now();
                    take(&bytes);
                }
                ChannelEvent::Exited(how) => exit = Some(how.into()),
                ChannelEvent::Closed => break,
            }
        }
        let status = exit.ok_or_else(|| Problem::lost("the channel closed while a command ran"))?;
        Ok(Output {
            status,
            stdout,
            stderr: Captured::default(),
            elapsed: begun.elapsed(),
            is_leaving_processes: status == ExitStatus::TimedOut(TimedOut::Unconfirmed),
        })
    }
}

impl Dialogue {
    /// Waits until something was shown since an offset, or nothing follows any more, or the time is over.
    pub async fn read(&self, since: u64, wait: Duration) -> Screen {
        let deadline = time::Instant::now() + wait;
        loop {
            // Asked for before looking, so that nothing is missed in between.
            let changed = self.shown.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            {
                let state = self.shown.lock();
                let is_new = (state.bytes.len() as u64) > since || state.is_closed;
                if is_new || time::Instant::now() >= deadline {
                    let from = usize::try_from(since).unwrap_or(usize::MAX);
                    return Screen {
                        offset: since,
                        bytes: state.bytes.get(from..).unwrap_or_default().to_vec(),
                        is_closed: state.is_closed,
                        exit: state.exit,
                    };
                }
            }
            let _over = time::timeout_at(deadline, changed).await;
        }
    }

    /// Sends bytes, as if typed; with an offset, only if nothing was shown beyond it.
    pub async fn send(
        &self,
        bytes: impl Into<Bytes>,
        expected_offset: Option<u64>,
    ) -> Result<Sent, ConnectionError> {
        let mut writer = self.writer.lock().await;
        {
            let state = self.shown.lock();
            let shown = state.bytes.len() as u64;
            if state.is_closed {
                return Ok(Sent::Closed);
            }
            if expected_offset.is_some_and(|offset| offset != shown) {
                return Ok(Sent::ScreenMoved(shown));
            }
        }
        match writer.write(bytes.into()).await {
            Ok(()) => Ok(Sent::Sent),
            Err(reason) => Err(self.connection.error(Problem::lost(reason))),
        }
    }

    /// Changes the size of the terminal.
    pub async fn resize(&self, size: TerminalSize) -> Result<(), ConnectionError> {
        let resized = self.writer.lock().await.resize(size).await;
        resized.map_err(|reason| self.connection.error(Problem::lost(reason)))
    }

    /// Sends a signal to the program's process group, or to the program alone where it leads none.
    pub async fn signal(&self, signal: i32) -> Result<(), ConnectionError> {
        let group = if self.process.leads_group { "-" } else { "" };
        let command = Command::shell(format!("kill -{signal} {group}{}", self.process.pid));
        let run = self.connection.run(&self.identity, &command, None);
        run.await.map(|_| ())
    }

    /// Ends the program and everything that it started, and says whether that is proven.
    pub async fn close(self) -> Result<Screen, ConnectionError> {
        if !self.shown.lock().is_closed {
            let end = end(&self.connection.pool, &self.identity, &self.process).await;
            tracing::debug!(?end, "a dialogue was ended");
            self.writer.lock().await.close().await;
        }
        Ok(self.read(0, Duration::from_secs(2)).await)
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        if self.shown.lock().is_closed {
            return;
        }
        self.reading.abort();
        let runtime = tokio::runtime::Handle::try_current();
        if let (Ok(runtime), Ok(_)) = (runtime, self.writer.try_lock()) {
            let pool = Arc::clone(&self.connection.pool);
            let (identity, process) = (self.identity.clone(), self.process.clone());
            runtime.spawn(async move {
                let end = end(&pool, &identity, &process).await;
                tracing::debug!(?end, "an abandoned dialogue was ended");
            });
        }
    }
}

/// A program that has begun on its terminal.
struct Started {
    channel: ByteChannel,
    process: Greeting,
    rest: Bytes,
    exit: Option<ChannelExit>,
}

async fn start(
    pool: &Arc<Pool>,
    identity: &Identity,
    command: &Command,
    size: TerminalSize,
) -> Result<Started, Problem> {
    let token = frame::token();
    let file = send_script(pool, identity, command, &token).await?;
    let program = format!("exec /bin/sh {file}");
    let (channel, rest) = pool.open_terminal(identity, size, &program).await?;
    let limit = pool.target.limits.shell_start;
    time::timeout(limit, await_begin(channel, rest, &token))
        .await
        .map_err(|_| Problem::Timeout {
            phase: "starting a program on a terminal",
            limit,
        })?
}

/// Puts the script where the program on the terminal reads it: a terminal would cut long lines and show them.
async fn send_script(
    pool: &Arc<Pool>,
    identity: &Identity,
    command: &Command,
    token: &str,
) -> Result<String, Problem> {
    // Reading is over before the script runs: it is one word of `eval`, and the file goes first.
    let mut script =
        String::from("rm -f \"$0\"\n_g=0\nif kill -0 -$$ 2>/dev/null; then _g=1; fi\n");
    script.push_str(&format!("echo \"{token} $$ $_g\"\n"));
    frame::preamble_into(&mut script, command)?;
    script.push_str("eval ");
    frame::quote_script(&mut script, &command.script)?;
    script.push('\n');
    let mut sending = String::from("_script() {\n:\n");
    quote::printf_into(&mut sending, script.as_bytes());
    let name = format!(".{token}.sh");
    sending.push_str(&format!(
        "}}\numask 077\nfor _x in /tmp /var/tmp \"$HOME\"; do\n\
         if ( _script >\"$_x/{name}\" ) 2>/dev/null; then echo \"$_x\"; exit 0; fi\n\
         rm -f \"$_x/{name}\"\ndone\necho 'no directory takes a file' >&2\nexit 1\n"
    ));
    let mut lease = pool.take(identity).await?;
    let command = Command::shell(sending);
    let frame = crate::shell::kept::Frame {
        command: &command,
        output_bytes: 4096,
        is_own: false,
    };
    let answer = lease
        .shell()?
        .run(&frame, None)
        .await
        .map_err(|_| Problem::lost("the shell ended while a script was sent"))?;
    lease.finish(answer.end.is_leaving_processes);
    let text = answer.stdout.text().into_owned();
    match (answer.end.status.is_success(), text.lines().next()) {
        (true, Some(directory)) => Ok(quote::word(&format!("{directory}/{name}"))),
        _ => Err(Problem::ShellStart {
            reason: crate::error::excerpt(&answer.stderr.bytes()),
        }),
    }
}

/// Reads up to the line that says that the script runs, and as whom.
async fn await_begin(
    mut channel: ByteChannel,
    rest: Bytes,
    token: &str,
) -> Result<Started, Problem> {
    let mut scanner = Scanner::new(token);
    let mut noise = Captured::with_limit(4096);
    let mut bytes = rest;
    let mut exit = None;
    loop {
        let used = scanner.feed(&bytes, |part| noise.push(part));
        if scanner.is_done() {
            let fields = scanner.fields().unwrap_or_default();
            let mut words = fields.split_whitespace();
            let pid = words.next().and_then(|word| word.parse().ok());
            let process = Greeting {
                pid: pid.ok_or_else(|| Problem::Protocol {
                    request: "the beginning of a dialogue",
                    answer: fields.clone(),
                })?,
                leads_group: words.next() == Some("1"),
                leftovers: Leftovers::Unknown,
                is_merged: true,
            };
            return Ok(Started {
                channel,
                process,
                rest: bytes.slice(used..),
                exit,
            });
        }
        bytes = match channel.reader.next().await {
            ChannelEvent::Stdout(bytes) | ChannelEvent::Stderr(bytes) => bytes,
            ChannelEvent::Exited(how) => {
                exit = Some(how);
                Bytes::new()
            }
            ChannelEvent::Closed => {
                return Err(Problem::ShellStart {
                    reason: crate::error::excerpt(&noise.bytes()),
                });
            }
        };
    }
}

/// Ends a program on a terminal, from a kept shell.
async fn end(pool: &Arc<Pool>, identity: &Identity, process: &Greeting) -> TimedOut {
    let command = timeout::kill_command(process, pool.target.limits.kill_grace);
    match crate::connection::run_kill(pool, identity, &command).await {
        Some(true) => TimedOut::Killed,
        _ => TimedOut::Unconfirmed,
    }
}
