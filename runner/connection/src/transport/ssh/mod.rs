//! SSH as a transport: a kept-open russh session, one channel per program.
//!
//! Must not: know frames or identities; see `shell` and `become`.

mod auth;
mod client;
pub mod config;
pub(crate) mod known_hosts;

use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, Sig};

use super::{
    ByteChannel, ChannelEvent, ChannelExit, ChannelReader, ChannelWriter, Program, TerminalSize,
};
use crate::error::Problem;
use crate::target::{Limits, SshTarget};

/// The longest pause before another attempt to open a channel.
const OPEN_PAUSE_LIMIT: Duration = Duration::from_millis(500);

/// An authenticated session, with those of the hops it goes through.
pub(crate) struct SshLink {
    /// The hops first, the host itself last: a hop must live as long as what goes through it.
    sessions: Vec<client::Session>,
    shell: String,
}

impl std::fmt::Debug for SshLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshLink")
            .field("hops", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

impl SshLink {
    pub(crate) async fn connect(target: &SshTarget, limits: &Limits) -> Result<Self, Problem> {
        Ok(Self {
            sessions: client::connect_all(target, limits).await?,
            shell: target.shell.clone(),
        })
    }

    fn session(&self) -> Result<&client::Session, Problem> {
        self.sessions
            .last()
            .ok_or_else(|| Problem::lost("there is no session"))
    }

    pub(crate) async fn open(
        &self,
        program: &Program,
        terminal: Option<TerminalSize>,
    ) -> Result<ByteChannel, Problem> {
        let channel = self.open_channel().await?;
        let lost = |error: russh::Error| Problem::lost(error.to_string());
        if let Some(size) = terminal {
            let (columns, rows) = (u32::from(size.columns), u32::from(size.rows));
            channel
                .request_pty(true, "xterm", columns, rows, 0, 0, &[])
                .await
                .map_err(lost)?;
        }
        // `exec` takes the login shell out of the way, whichever it is.
        let line = match program {
            Program::Shell => format!("exec {}", self.shell),
            Program::Line(line) => line.clone(),
        };
        channel.exec(true, line).await.map_err(lost)?;
        let (read, write) = channel.split();
        Ok(ByteChannel::new(
            ChannelReader::Ssh(SshReader { read }),
            ChannelWriter::Ssh(SshWriter { write }),
        ))
    }

    /// Opens a channel, again after a moment where the server has no place: it frees that of a channel that has just closed
    /// a little later than it says so.
    async fn open_channel(&self) -> Result<Channel<Msg>, Problem> {
        let mut pause = Duration::from_millis(10);
        loop {
            let reason = match self.session()?.handle.channel_open_session().await {
                Ok(channel) => return Ok(channel),
                Err(russh::Error::ChannelOpenFailure(reason)) => format!("{reason:?}"),
                Err(error) => return Err(Problem::lost(error.to_string())),
            };
            if pause > OPEN_PAUSE_LIMIT {
                return Err(Problem::Channel { reason });
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.sessions.is_empty() && self.sessions.iter().all(|s| !s.handle.is_closed())
    }

    /// Why the session ended, or that of a hop, if it did.
    pub(crate) fn why_lost(&self) -> Option<String> {
        let mut reasons = self.sessions.iter().map(|session| session.end.reason());
        reasons.find_map(|reason| reason.map(str::to_owned))
    }

    pub(crate) async fn close(&self) {
        for session in self.sessions.iter().rev() {
            let farewell = session
                .handle
                .disconnect(Disconnect::ByApplication, "", "en");
            if let Err(error) = farewell.await {
                tracing::debug!(%error, "the session was closed already");
            }
        }
    }
}

/// Reads a channel's messages.
#[derive(Debug)]
pub(crate) struct SshReader {
    read: ChannelReadHalf,
}

impl SshReader {
    pub(crate) async fn next(&mut self) -> ChannelEvent {
        loop {
            match self.read.wait().await {
                Some(ChannelMsg::Data { data }) => return ChannelEvent::Stdout(data),
                Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                    return ChannelEvent::Stderr(data);
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    let code = i32::try_from(exit_status).unwrap_or(i32::MAX);
                    return ChannelEvent::Exited(ChannelExit::Code(code));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    return ChannelEvent::Exited(ChannelExit::Signal(signal_number(&signal_name)));
                }
                // A request that the server refuses leaves nothing to wait for.
                Some(ChannelMsg::Failure | ChannelMsg::Close) | None => {
                    return ChannelEvent::Closed;
                }
                Some(_) => {}
            }
        }
    }
}

/// The number of a signal on the systems we know, 0 for an unknown one.
fn signal_number(signal: &Sig) -> i32 {
    match signal {
        Sig::HUP => 1,
        Sig::INT => 2,
        Sig::QUIT => 3,
        Sig::ILL => 4,
        Sig::ABRT => 6,
        Sig::FPE => 8,
        Sig::KILL => 9,
        Sig::SEGV => 11,
        Sig::PIPE => 13,
        Sig::ALRM => 14,
        Sig::TERM => 15,
        Sig::USR1 => 10,
        Sig::Custom(name) => match name.as_str() {
            "TRAP" => 5,
            "BUS" => 7,
            "USR2" => 12,
            _ => 0,
        },
    }
}

/// Writes to a channel.
#[derive(Debug)]
pub(crate) struct SshWriter {
    write: ChannelWriteHalf<Msg>,
}

impl SshWriter {
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), String> {
        self.write
            .data_bytes(bytes)
            .await
            .map_err(|error| error.to_string())
    }

    pub(crate) async fn finish(&mut self) -> Result<(), String> {
        self.write.eof().await.map_err(|error| error.to_string())
    }

    pub(crate) async fn close(&mut self) {
        if let Err(error) = self.write.close().await {
            tracing::debug!(%error, "the channel was closed already");
        }
    }

    pub(crate) async fn resize(&mut self, size: TerminalSize) -> Result<(), String> {
        self.write
            .window_change(u32::from(size.columns), u32::from(size.rows), 0, 0)
            .await
            .map_err(|error| error.to_string())
    }
}
