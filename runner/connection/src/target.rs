//! What to connect to: the nouns of a connection, without any I/O.
//!
//! Must not: open, resolve or read anything; see `transport` for that.

use std::path::PathBuf;
use std::time::Duration;

use crate::Secret;

/// One host as the connection layer sees it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name the user knows the host by; used in errors only.
    pub name: String,
    /// How to reach it.
    pub transport: Transport,
    /// Time and size limits.
    pub limits: Limits,
}

impl Target {
    /// Describes the controller itself.
    pub fn local(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            transport: Transport::Local(LocalTarget::default()),
            limits: Limits::default(),
        }
    }

    /// Describes a host behind an SSH server, with default limits.
    pub fn ssh(name: impl Into<String>, ssh: SshTarget) -> Self {
        Self {
            name: name.into(),
            transport: Transport::Ssh(Box::new(ssh)),
            limits: Limits::default(),
        }
    }
}

/// How bytes reach a host.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Transport {
    /// A child process of the controller.
    Local(LocalTarget),
    /// A channel of an SSH connection.
    Ssh(Box<SshTarget>),
}

/// The controller itself as a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTarget {
    /// The program and arguments that are started as the shell, `/bin/sh` unless set.
    pub shell: Vec<String>,
    /// Variables added to the controller's own environment for the shell.
    pub environment: Vec<(String, String)>,
}

impl Default for LocalTarget {
    fn default() -> Self {
        Self {
            shell: vec!["/bin/sh".to_owned()],
            environment: Vec::new(),
        }
    }
}

/// A host behind an SSH server.
#[derive(Debug, Clone)]
pub struct SshTarget {
    /// Name or address to connect to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// Password for the `password` and `keyboard-interactive` methods, tried after keys.
    pub password: Option<Secret>,
    /// Private key files, tried in this order; absent files are skipped unless `identities_required`.
    pub identity_files: Vec<PathBuf>,
    /// Says that `identity_files` were named by the user, so that an unreadable one is an error.
    pub identities_required: bool,
    /// Offers no agent key but those of `identity_files` (`IdentitiesOnly`).
    pub identities_only: bool,
    /// Passphrase of encrypted identity files.
    pub passphrase: Option<Secret>,
    /// Asks the agent behind `agent_socket` or `SSH_AUTH_SOCK` for keys.
    pub use_agent: bool,
    /// The agent's socket when it is not the one of `SSH_AUTH_SOCK`.
    pub agent_socket: Option<PathBuf>,
    /// Files of known host keys, in OpenSSH's form; absent files count as empty.
    pub known_hosts: Vec<PathBuf>,
    /// The name looked up in `known_hosts` instead of `host` (`HostKeyAlias`).
    pub host_key_alias: Option<String>,
    /// Host keys pinned by the inventory: `ssh-ed25519 AAAA...` or `SHA256:...` fingerprints; when set, nothing else is accepted.
    pub pinned_keys: Vec<String>,
    /// Refuses unknown and changed host keys; only an explicit wish of the user turns it off.
    pub host_key_checking: bool,
    /// Hosts to go through, first hop first.
    pub jump: Vec<SshTarget>,
    /// Silence after which the server is asked for a sign of life, where it is not the usual one (`ServerAliveInterval`).
    pub keepalive: Option<Duration>,
    /// Signs of life that may stay unanswered, where it is not the usual number (`ServerAliveCountMax`).
    pub keepalive_count: Option<usize>,
    /// Command of the login shell that starts the kept shell; for odd platforms only.
    pub shell: String,
}

impl SshTarget {
    /// Describes a host with OpenSSH's defaults and no keys named.
    pub fn new(host: impl Into<String>, user: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: 22,
            user: user.into(),
            password: None,
            identity_files: Vec::new(),
            identities_required: false,
            identities_only: false,
            passphrase: None,
            use_agent: true,
            agent_socket: None,
            known_hosts: Vec::new(),
            host_key_alias: None,
            pinned_keys: Vec::new(),
            host_key_checking: true,
            jump: Vec::new(),
            keepalive: None,
            keepalive_count: None,
            shell: "/bin/sh".to_owned(),
        }
    }

    /// Takes the limits of silence that OpenSSH's settings name; zero, which means never there, leaves the usual ones.
    pub fn set_keepalive(&mut self, interval_s: Option<u64>, count: Option<u64>) {
        if let Some(seconds) = interval_s.filter(|seconds| *seconds > 0) {
            self.keepalive = Some(Duration::from_secs(seconds));
        }
        if let Some(count) = count.filter(|count| *count > 0) {
            self.keepalive_count = usize::try_from(count).ok();
        }
    }
}

/// Time and size limits of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for the TCP connection, and for the handshake, each attempt.
    pub connect: Duration,
    /// Longest wait for the authentication; never shorter than `connect`.
    pub authenticate: Duration,
    /// Attempts when the server drops the connection before its greeting.
    pub connect_attempts: u32,
    /// Silence after which the server is asked for a sign of life.
    pub keepalive: Duration,
    /// Signs of life that may stay unanswered before the connection counts as lost.
    pub keepalive_count: usize,
    /// Longest wait for a shell to greet, become included.
    pub shell_start: Duration,
    /// Time between asking a timed out command to end and killing it.
    pub kill_grace: Duration,
    /// Bytes of each output stream kept in memory, half from its head and half from its tail.
    pub output_bytes: usize,
    /// Channels open at the same time; sshd's own limit (`MaxSessions`) is 10.
    pub channels: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            authenticate: Duration::from_secs(30),
            connect_attempts: 5,
            keepalive: Duration::from_secs(15),
            keepalive_count: 3,
            shell_start: Duration::from_secs(30),
            kill_grace: Duration::from_secs(2),
            output_bytes: 16 << 20,
            channels: 8,
        }
    }
}
