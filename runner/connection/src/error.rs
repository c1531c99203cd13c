//! What can go wrong between the controller and a host, phase by phase.
//!
//! Must not: hold secrets or texts of unbounded length.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A failure of the connection itself, never of the command that it carried.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{host}: {problem}")]
pub struct ConnectionError {
    /// The host, by the name of its target.
    pub host: String,
    /// What went wrong.
    pub problem: Box<Problem>,
}

impl ConnectionError {
    pub(crate) fn new(host: &str, problem: Problem) -> Self {
        Self {
            host: host.to_owned(),
            problem: Box::new(problem),
        }
    }

    /// A stable word for the kind of failure.
    pub fn kind(&self) -> &'static str {
        self.problem.kind()
    }

    /// Tells whether the host counts as unreachable; otherwise the request itself failed on a host that answers.
    pub fn is_unreachable(&self) -> bool {
        self.problem.is_unreachable()
    }

    /// Tells whether a request failed on a host that answers.
    pub fn failed(&self) -> bool {
        !self.is_unreachable()
    }
}

/// What went wrong, by phase.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The name has no address.
    #[error("cannot resolve {name}: {reason}")]
    Resolve {
        /// The name.
        name: String,
        /// The resolver's words.
        reason: String,
    },
    /// No TCP connection came about.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// Host and port.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// The server speaks no SSH that we speak, or dropped us before its greeting.
    #[error("{address} does not complete the SSH handshake: {reason}")]
    Handshake {
        /// Host and port.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The host key is not known.
    #[error(
        "the host key of {name} is not known ({fingerprint}, {algorithm}); if that is its key, add this line to {file}:\n  {line}"
    )]
    HostKeyUnknown {
        /// The name looked up.
        name: String,
        /// The key's algorithm.
        algorithm: String,
        /// Its SHA-256 fingerprint.
        fingerprint: String,
        /// The file the line belongs into.
        file: String,
        /// The line for `known_hosts`.
        line: String,
    },
    /// The host key is another one than the known one.
    #[error(
        "the host key of {name} has changed or someone stands between: it shows {fingerprint} ({algorithm}), but {place} has another key; connecting is refused until that entry is corrected"
    )]
    HostKeyChanged {
        /// The name looked up.
        name: String,
        /// The key's algorithm.
        algorithm: String,
        /// Its SHA-256 fingerprint.
        fingerprint: String,
        /// Where the other key stands.
        place: String,
    },
    /// The host key or its authority is marked as revoked.
    #[error("the host key of {name} is marked as revoked ({fingerprint}, {place})")]
    HostKeyRevoked {
        /// The name looked up.
        name: String,
        /// Its SHA-256 fingerprint.
        fingerprint: String,
        /// Where it is marked.
        place: String,
    },
    /// A file of known hosts cannot be read.
    #[error("cannot read known hosts from {}: {reason}", path.display())]
    KnownHosts {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A private key cannot be used.
    #[error("cannot use the private key {}: {reason}", path.display())]
    IdentityFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The server accepted nothing that we had.
    #[error("{user} is not let in: tried {tried}; the server accepts {accepted}")]
    Authentication {
        /// The login name.
        user: String,
        /// What was tried, in order.
        tried: String,
        /// What the server would accept.
        accepted: String,
    },
    /// The server opened no further channel.
    #[error("the server opens no channel: {reason}")]
    Channel {
        /// Its words.
        reason: String,
    },
    /// The shell did not start.
    #[error("the shell does not start: {reason}")]
    ShellStart {
        /// What it said instead.
        reason: String,
    },
    /// The password for another identity was refused.
    #[error("Incorrect {method} password for {user}")]
    BecomePassword {
        /// `sudo` or `su`.
        method: String,
        /// The user to become.
        user: String,
    },
    /// A password is needed and none is known.
    #[error("{method} asks for a password to become {user} and none is given")]
    BecomePasswordMissing {
        /// `sudo` or `su`.
        method: String,
        /// The user to become.
        user: String,
    },
    /// Becoming the user is not allowed or not possible.
    #[error("{method} does not let us become {user}: {reason}")]
    BecomeRefused {
        /// `sudo` or `su`.
        method: String,
        /// The user to become.
        user: String,
        /// Its words.
        reason: String,
    },
    /// The shell runs as somebody else than asked for.
    #[error("became {actual} instead of {user}")]
    BecomeIdentity {
        /// The user to become.
        user: String,
        /// Who the shell says it is.
        actual: String,
    },
    /// A phase took longer than its limit.
    #[error("{phase} took longer than {}", seconds(*.limit))]
    Timeout {
        /// The phase.
        phase: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The connection or the shell ended while it was needed.
    #[error("the connection was lost: {reason}")]
    Lost {
        /// What is known of it.
        reason: String,
    },
    /// The kept shell ended while a command ran, though the connection stands: the command's outcome is unknown.
    #[error("the shell ended while a command ran in it: {reason}")]
    ShellLost {
        /// What is known of it.
        reason: String,
    },
    /// The host answered something that makes no sense.
    #[error("cannot understand the host's answer to {request}: {answer}")]
    Protocol {
        /// What was asked.
        request: &'static str,
        /// An excerpt of the answer.
        answer: String,
    },
    /// A request cannot be sent as it is.
    #[error("cannot send this to a host: {reason}")]
    Request {
        /// Why not.
        reason: String,
    },
    /// The host cannot take a job, or says something odd of one.
    #[error("jobs on this host: {reason}")]
    Job {
        /// Its words.
        reason: String,
    },
    /// A file operation failed on the host.
    #[error("cannot {action} {path}: {reason}")]
    File {
        /// `read`, `write` ...
        action: &'static str,
        /// The path on the host.
        path: String,
        /// The host's words.
        reason: String,
    },
    /// The file's content is not the one the change was planned for.
    #[error("{path} has changed since it was looked at")]
    FileChanged {
        /// The path on the host.
        path: String,
    },
    /// The command that checks the new content refused it.
    #[error("the new content of {path} was refused by its validation (code {code}): {message}")]
    Validation {
        /// The path on the host.
        path: String,
        /// The exit code of the validation.
        code: i32,
        /// Its output.
        message: String,
    },
    /// A file of the controller cannot be read or written.
    #[error("{}: {reason}", path.display())]
    LocalFile {
        /// The path on the controller.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The configuration of the SSH client is wrong.
    #[error("{}:{line}: {reason}", path.display())]
    SshConfig {
        /// The file.
        path: PathBuf,
        /// The line in it.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Problem {
    /// A stable word for the kind of failure.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Resolve { .. } => "resolve",
            Self::Connect { .. } => "connect",
            Self::Handshake { .. } => "handshake",
            Self::HostKeyUnknown { .. } => "host_key_unknown",
            Self::HostKeyChanged { .. } => "host_key_changed",
            Self::HostKeyRevoked { .. } => "host_key_revoked",
            Self::KnownHosts { .. } => "known_hosts",
            Self::IdentityFile { .. } => "identity_file",
            Self::Authentication { .. } => "authentication",
            Self::Channel { .. } => "channel",
            Self::ShellStart { .. } => "shell_start",
            Self::BecomePassword { .. } => "become_password",
            Self::BecomePasswordMissing { .. } => "become_password_missing",
            Self::BecomeRefused { .. } => "become_refused",
            Self::BecomeIdentity { .. } => "become_identity",
            Self::Timeout { .. } => "timeout",
            Self::Lost { .. } => "lost",
            Self::ShellLost { .. } => "shell_lost",
            Self::Protocol { .. } => "protocol",
            Self::Request { .. } => "request",
            Self::Job { .. } => "job",
            Self::File { .. } => "file",
            Self::FileChanged { .. } => "file_changed",
            Self::Validation { .. } => "validation",
            Self::LocalFile { .. } => "local_file",
            Self::SshConfig { .. } => "ssh_config",
        }
    }

    /// Tells whether the host counts as unreachable.
    pub fn is_unreachable(&self) -> bool {
        !matches!(
            self,
            Self::BecomePassword { .. }
                | Self::BecomePasswordMissing { .. }
                | Self::BecomeRefused { .. }
                | Self::BecomeIdentity { .. }
                | Self::ShellLost { .. }
                | Self::Protocol { .. }
                | Self::Request { .. }
                | Self::Job { .. }
                | Self::File { .. }
                | Self::FileChanged { .. }
                | Self::Validation { .. }
                | Self::LocalFile { .. }
                | Self::SshConfig { .. }
        )
    }

    pub(crate) fn lost(reason: impl Into<String>) -> Self {
        Self::Lost {
            reason: reason.into(),
        }
    }

    pub(crate) fn local(path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::LocalFile {
            path: path.into(),
            reason: error.to_string(),
        }
    }
}

/// Makes a short, printable excerpt of bytes from a host.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.trim();
    let mut short: String = line
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .take(400)
        .collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}
