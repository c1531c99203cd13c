//! Where the lab keeps things: the state directory outside, `/.lab` inside a host.
//!
//! Names only. Inside a host `/.lab` is that host's private state, `/.lab/mesh` is shared by all hosts of the lab.

use std::path::{Path, PathBuf};

/// The lab's own directory on every host.
pub const INSIDE: &str = "/.lab";

/// The state directory of one lab, as the machine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Takes the directory; it need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The pid of the supervisor.
    pub fn pid(&self) -> PathBuf {
        self.0.join("pid")
    }

    /// What the supervisor says when something goes wrong.
    pub fn log(&self) -> PathBuf {
        self.0.join("saslab.log")
    }

    /// Pids, options and readiness, for the lab's own commands.
    pub fn running(&self) -> PathBuf {
        self.0.join("running.json")
    }

    /// The lab's own program as it was when the lab started, whatever is built since.
    pub fn program(&self) -> PathBuf {
        self.0.join("program")
    }

    /// The program that changes users on hosts whose users are several: it runs with root's rights.
    pub fn become_program(&self) -> PathBuf {
        self.0.join("become")
    }

    /// What the lab was started with.
    pub fn options(&self) -> PathBuf {
        self.0.join("options.json")
    }

    /// Held locked by the supervisor for as long as the lab runs; its presence marks a lab's directory.
    pub fn lock(&self) -> PathBuf {
        self.0.join("saslab.lock")
    }

    /// Where the supervisor takes requests while the lab runs.
    pub fn control(&self) -> PathBuf {
        self.0.join("control")
    }

    /// What the first processes and the SSH server of a host say.
    pub fn host_log(&self, host: &str) -> PathBuf {
        self.0.join("logs").join(format!("{host}.log"))
    }

    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The private key that logs in everywhere as root.
    pub fn operator_key(&self) -> PathBuf {
        self.keys().join("operator")
    }

    /// The host keys of all hosts in the form of OpenSSH.
    pub fn known_hosts(&self) -> PathBuf {
        self.0.join("known_hosts")
    }

    /// The passwords of the users.
    pub fn secrets(&self) -> PathBuf {
        self.0.join("secrets.json")
    }

    /// The event log: a link to the file that the hosts write.
    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    /// The directory shared by all hosts: `/.lab/mesh` inside.
    pub fn mesh(&self) -> Shared {
        Shared(self.0.join("mesh"))
    }

    pub fn hosts(&self) -> PathBuf {
        self.0.join("hosts")
    }

    /// Where the hosts of an earlier lab wait to be removed.
    pub fn old(&self, number: u32) -> PathBuf {
        self.0.join(format!("old.{number}"))
    }

    /// Tells whether this is where hosts of an earlier lab wait to be removed.
    pub fn is_old(&self, path: &Path) -> bool {
        path.parent() == Some(&self.0)
            && path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("old."))
    }

    /// The root directory of a host.
    pub fn root(&self, host: &str) -> PathBuf {
        self.hosts().join(host)
    }

    /// `/.lab` of a host, as the machine sees it.
    pub fn private(&self, host: &str) -> PathBuf {
        self.root(host).join(".lab")
    }

    /// The tool directories that the hosts see as `/usr/bin` and `/usr/sbin`.
    pub fn tools(&self) -> PathBuf {
        self.0.join("tools")
    }
}

/// The directory that all hosts of the lab share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared(PathBuf);

impl Shared {
    /// The shared directory as a program on a host sees it.
    pub fn inside() -> Self {
        Self(Path::new(INSIDE).join("mesh"))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The whole world, with every host.
    pub fn world(&self) -> PathBuf {
        self.0.join("world.json")
    }

    /// The scenario in force; replaced as a whole when it changes.
    pub fn scenario(&self) -> PathBuf {
        self.0.join("scenario.json")
    }

    /// Time scale and start of the lab.
    pub fn clock(&self) -> PathBuf {
        self.0.join("clock.json")
    }

    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    /// The number of the last event.
    pub fn events_seq(&self) -> PathBuf {
        self.0.join("events.seq")
    }

    /// What stand-ins keep for the whole mesh (databases, tunnels, propagation): taken into snapshots by content.
    pub fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Scratch of stand-ins for the whole mesh that snapshots pass over.
    pub fn scratch(&self) -> PathBuf {
        self.0.join("scratch")
    }
}

/// The private directory of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private(PathBuf);

impl Private {
    /// The private directory as a program on the host sees it.
    pub fn inside() -> Self {
        Self(PathBuf::from(INSIDE))
    }

    /// The private directory of a host whose root directory is given.
    pub fn below(root: &Path) -> Self {
        Self(root.join(".lab"))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Which host this is.
    pub fn host(&self) -> PathBuf {
        self.0.join("host.json")
    }

    /// The public keys that log in as root and as operator.
    pub fn authorized_keys(&self) -> PathBuf {
        self.0.join("authorized_keys")
    }

    /// The key by which the host is known.
    pub fn host_key(&self) -> PathBuf {
        self.0.join("host_key")
    }

    /// A key by which the host is not known.
    pub fn other_host_key(&self) -> PathBuf {
        self.0.join("other_host_key")
    }

    /// The passwords of the users.
    pub fn secrets(&self) -> PathBuf {
        self.0.join("secrets.json")
    }

    /// How the SSH server is to be run.
    pub fn sshd(&self) -> PathBuf {
        self.0.join("sshd.json")
    }

    /// The program behind `su` and `sudo`.
    pub fn become_program(&self) -> PathBuf {
        self.0.join("bin").join("become")
    }

    /// The lab's own program.
    pub fn saslab(&self) -> PathBuf {
        self.0.join("bin").join("saslab")
    }

    /// What the host calls the time since it was booted.
    pub fn boot_id(&self) -> PathBuf {
        self.0.join("boot_id")
    }

    /// What stand-ins keep for this host (versions, mount table): taken into snapshots by content.
    pub fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Scratch of stand-ins on this host that snapshots pass over: pid files, sockets, locks, read counters.
    pub fn scratch(&self) -> PathBuf {
        self.0.join("scratch")
    }
}
