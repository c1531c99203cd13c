//! Getting a session: TCP or a hop's channel, handshake, the host's key, authentication.
//!
//! Must not: retry anything that may have had an effect; only a connection that the server dropped before its greeting is.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use russh::client::{self, DisconnectReason, Handle};
use russh::keys::PublicKeyOrCertificate;
use russh::{Disconnect, Preferred, cipher, compression};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time;

use super::auth;
use super::known_hosts::KnownKeys;
use crate::error::Problem;
use crate::target::{Limits, SshTarget};

/// A session with one server.
pub(super) struct Session {
    pub handle: Handle<Client>,
    /// Why it ended, once it did.
    pub end: End,
}

/// Why a session ended.
#[derive(Debug, Clone, Default)]
pub(super) struct End(Arc<OnceLock<Reason>>);

#[derive(Debug)]
struct Reason {
    text: String,
    /// The server ended it for what was tried on it.
    is_refusal: bool,
}

impl End {
    /// The reason, if the session ended.
    pub(super) fn reason(&self) -> Option<&str> {
        self.0.get().map(|reason| reason.text.as_str())
    }

    /// Waits until the reason is known, at most half a second: a request may fail before the task that reads the connection has
    /// told why.
    pub(super) async fn known(&self) {
        for _ in 0..50 {
            if self.0.get().is_some() {
                return;
            }
            time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Why it was cut: none when it did not end, or when the server had enough of us.
    pub(super) fn cut(&self) -> Option<&str> {
        let reason = self.0.get().filter(|reason| !reason.is_refusal);
        reason.map(|reason| reason.text.as_str())
    }
}

/// Tells whether a farewell says that the server goes away or is busy, and nothing of what was tried
/// (RFC 4253, section 11.1; OpenSSH tells one who tried too often of a protocol error).
fn is_of_the_server_itself(farewell: Disconnect) -> bool {
    matches!(
        farewell,
        Disconnect::ByApplication
            | Disconnect::ConnectionLost
            | Disconnect::ServiceNotAvailable
            | Disconnect::TooManyConnections
    )
}

/// Our side of the conversation.
pub(super) struct Client {
    known: KnownKeys,
    end: End,
    silence: Duration,
}

/// What ends a handshake: the protocol, or our own judgement of the host's key.
#[derive(Debug)]
pub(super) enum ClientError {
    Russh(russh::Error),
    Problem(Problem),
}

impl From<russh::Error> for ClientError {
    fn from(error: russh::Error) -> Self {
        Self::Russh(error)
    }
}

impl client::Handler for Client {
    type Error = ClientError;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        self.known
            .judge(&shown.public_key())
            .map_err(ClientError::Problem)?;
        Ok(true)
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        let (text, is_refusal, result) = match reason {
            DisconnectReason::ReceivedDisconnect(said) => (
                format!("the server said farewell: {}", said.message),
                !is_of_the_server_itself(said.reason_code),
                Ok(()),
            ),
            DisconnectReason::Error(error) => {
                let text = match &error {
                    ClientError::Russh(russh::Error::KeepaliveTimeout) => {
                        format!("no sign of life for {} s", self.silence.as_secs_f64())
                    }
                    ClientError::Russh(error) => error.to_string(),
                    ClientError::Problem(problem) => problem.to_string(),
                };
                (text, false, Err(error))
            }
        };
        // The first reason is the one that counts.
        let _ = self.end.0.set(Reason { text, is_refusal });
        result
    }
}

/// A connection that was reset ends without a word to its handler (russh fails to shut the socket down first).
impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.end.0.set(Reason {
            text: "the connection broke off".to_owned(),
            is_refusal: false,
        });
    }
}

/// Connects to a host through all its hops; the last session is the host's.
pub(super) async fn connect_all(
    target: &SshTarget,
    limits: &Limits,
) -> Result<Vec<Session>, Problem> {
    let mut sessions: Vec<Session> = Vec::new();
    for hop in target.jump.iter().chain([target]) {
        let session = match sessions.last() {
            None => connect_tcp(hop, limits).await?,
            Some(before) => {
                let port = u32::from(hop.port);
                let opening =
                    before
                        .handle
                        .channel_open_direct_tcpip(hop.host.clone(), port, "127.0.0.1", 0);
                let channel = time::timeout(limits.connect, opening)
                    .await
                    .map_err(|_| Problem::Timeout {
                        phase: "connecting through the jump host",
                        limit: limits.connect,
                    })?
                    .map_err(|error| Problem::Connect {
                        address: format!("{}:{}", hop.host, hop.port),
                        reason: format!("the jump host does not get there: {error}"),
                    })?;
                handshake(hop, limits, channel.into_stream())
                    .await
                    .map_err(|failure| failure.problem)?
            }
        };
        sessions.push(session);
    }
    Ok(sessions)
}

/// A failed attempt, and whether another one may go better.
struct Attempt {
    problem: Problem,
    was_dropped: bool,
}

impl From<Problem> for Attempt {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            was_dropped: false,
        }
    }
}

/// Connects directly, again while the server drops us before its greeting, as a busy sshd does (`MaxStartups`).
async fn connect_tcp(target: &SshTarget, limits: &Limits) -> Result<Session, Problem> {
    let mut pause = Duration::from_millis(100);
    let mut attempts = 1;
    loop {
        match connect_once(target, limits).await {
            Ok(session) => return Ok(session),
            Err(failure) if failure.was_dropped && attempts < limits.connect_attempts => {
                tracing::debug!(host = %target.host, attempts, "dropped before the greeting");
                // Many connections begin together; spread them.
                let jitter = rand::random_range(0.5..1.5);
                time::sleep(pause.mul_f64(jitter)).await;
                pause = (pause * 2).min(Duration::from_secs(3));
                attempts += 1;
            }
            Err(failure) => return Err(failure.problem),
        }
    }
}

async fn connect_once(target: &SshTarget, limits: &Limits) -> Result<Session, Attempt> {
    let address = format!("{}:{}", target.host, target.port);
    let resolved = tokio::net::lookup_host((target.host.as_str(), target.port))
        .await
        .map_err(|error| Problem::Resolve {
            name: target.host.clone(),
            reason: error.to_string(),
        })?
        .collect::<Vec<_>>();
    let connecting = TcpStream::connect(resolved.as_slice());
    let stream = time::timeout(limits.connect, connecting)
        .await
        .map_err(|_| Problem::Timeout {
            phase: "connecting",
            limit: limits.connect,
        })?
        .map_err(|error| Problem::Connect {
            address,
            reason: error.to_string(),
        })?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small packets may be delayed");
    }
    handshake(target, limits, stream).await
}

async fn handshake<S>(target: &SshTarget, limits: &Limits, stream: S) -> Result<Session, Attempt>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let known = KnownKeys::load(target)?;
    let keepalive = target.keepalive.unwrap_or(limits.keepalive);
    let count = target.keepalive_count.unwrap_or(limits.keepalive_count);
    let config = Arc::new(config(keepalive, count, &known));
    let end = End::default();
    let client = Client {
        known,
        end: end.clone(),
        silence: keepalive * u32::try_from(count).unwrap_or(1),
    };
    let connecting = client::connect_stream(config, stream, client);
    let handle = time::timeout(limits.connect, connecting)
        .await
        .map_err(|_| Problem::Timeout {
            phase: "the SSH handshake",
            limit: limits.connect,
        })?
        .map_err(|error| handshake_failure(target, error))?;
    let mut session = Session { handle, end };
    let limit = limits.connect.max(limits.authenticate);
    time::timeout(limit, auth::authenticate(&mut session, target))
        .await
        .map_err(|_| Problem::Timeout {
            phase: "the authentication",
            limit,
        })??;
    Ok(session)
}

fn handshake_failure(target: &SshTarget, error: ClientError) -> Attempt {
    let error = match error {
        ClientError::Problem(problem) => return problem.into(),
        ClientError::Russh(error) => error,
    };
    let was_dropped = match &error {
        russh::Error::Disconnect | russh::Error::HUP => true,
        russh::Error::IO(error) => matches!(
            error.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
        _ => false,
    };
    let reason = match was_dropped {
        true => "the server closed the connection".to_owned(),
        false => error.to_string(),
    };
    Attempt {
        problem: Problem::Handshake {
            address: format!("{}:{}", target.host, target.port),
            reason,
        },
        was_dropped,
    }
}

fn config(keepalive: Duration, count: usize, known: &KnownKeys) -> client::Config {
    let mut keys: Vec<russh::keys::Algorithm> = Preferred::DEFAULT.key.to_vec();
    let accepted = known.algorithms();
    if !accepted.is_empty() {
        // Stable: the order inside both halves stays.
        keys.sort_by_key(|algorithm| {
            !accepted.iter().any(|known| {
                known == algorithm || (known.clone().is_rsa() && algorithm.clone().is_rsa())
            })
        });
    }
    client::Config {
        window_size: 8 << 20,
        maximum_packet_size: 32 << 10,
        keepalive_interval: Some(keepalive),
        // Counted before the question is asked again: the limit is over with the last interval.
        keepalive_max: count.saturating_sub(1).max(1),
        nodelay: true,
        preferred: Preferred {
            key: Cow::Owned(keys),
            cipher: Cow::Borrowed(&[
                cipher::AES_256_GCM,
                cipher::CHACHA20_POLY1305,
                cipher::AES_256_CTR,
                cipher::AES_192_CTR,
                cipher::AES_128_CTR,
            ]),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        },
        ..client::Config::default()
    }
}
