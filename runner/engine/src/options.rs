//! What the user wants of a run, as meant rather than as typed.

use std::path::PathBuf;
use std::time::Duration;

use sasrun_connection::{Limits, Secret};
use sasrun_model::{Name, Variables};
use tokio::sync::watch;

/// Settings of one run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Predicts instead of changing.
    pub check: bool,
    /// Shows differences.
    pub diff: bool,
    /// How many hosts work at the same time.
    pub forks: usize,
    /// How much the user wants to be told, from 0; playbooks may look at it.
    pub verbosity: u8,
    /// Hosts that the limit leaves; none when there is no limit.
    pub limit: Option<Vec<Name>>,
    /// Tags to run; empty means all.
    pub tags: Vec<String>,
    /// Tags to leave out.
    pub skip_tags: Vec<String>,
    /// Name of the task to begin with.
    pub start_at_task: Option<String>,
    /// Variables of the command line.
    pub extra_variables: Variables,
    /// Whether a dictionary is laid over those of lower precedence instead of taking their place.
    pub merges_dictionaries: bool,
    /// How to reach hosts that do not say otherwise.
    pub connection: ConnectionDefaults,
    /// Whom to become where nothing else says.
    pub become_defaults: BecomeDefaults,
    /// Runs handlers of failed hosts too.
    pub force_handlers: bool,
    /// When facts are gathered where a play does not say.
    pub gathering: Gathering,
    /// Wishes to stop, from signals.
    pub stop: watch::Receiver<Stop>,
    /// Begins although gates have no answer yet, and pauses at each that still has none.
    pub pause_at_gates: bool,
    /// Name of the host that the run is controlled from.
    pub controller_name: String,
    /// Login name of who controls it.
    pub login_name: String,
    /// What the run is for, for those who have to wait for it.
    pub purpose: String,
    /// Directory of the first playbook.
    pub playbook_directory: PathBuf,
    /// Directory for the output of commands that is too long for memory, made when needed.
    pub spool: Option<PathBuf>,
    /// Bytes of each output stream of a command that are kept in memory, half from its head and
    /// half from its tail.
    pub output_bytes: usize,
}

/// When facts are gathered where a play does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gathering {
    /// At the start of every play.
    #[default]
    Implicit,
    /// Only where a play asks for it.
    Explicit,
    /// Of hosts whose facts are not known yet.
    Smart,
}

/// How urgently the run is to end, and the exit code that tells why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    /// Not at all.
    #[default]
    No,
    /// Nothing new begins, what runs may end.
    AfterRunning {
        /// Exit code of the run.
        exit_code: u8,
    },
    /// What runs is left.
    Now {
        /// Exit code of the run.
        exit_code: u8,
    },
}

impl Stop {
    /// Exit code of a run that is to end; none when it is not.
    pub fn exit_code(self) -> Option<u8> {
        match self {
            Stop::No => None,
            Stop::AfterRunning { exit_code } | Stop::Now { exit_code } => Some(exit_code),
        }
    }
}

/// How to reach hosts that do not say otherwise.
#[derive(Debug, Clone, Default)]
pub struct ConnectionDefaults {
    /// `ssh`, `local`.
    pub kind: Option<String>,
    /// Login name.
    pub user: Option<String>,
    /// Key file.
    pub private_key: Option<PathBuf>,
    /// Password.
    pub password: Option<Secret>,
    /// Whether host keys are checked.
    pub host_key_checking: bool,
    /// Limits.
    pub limits: Limits,
    /// OpenSSH's client configuration files that were found, in order.
    pub ssh_config: Option<std::sync::Arc<sasrun_connection::SshConfig>>,
}

/// Whom to become where nothing else says.
#[derive(Debug, Clone, Default)]
pub struct BecomeDefaults {
    /// Whether to become at all.
    pub enabled: bool,
    /// `sudo` or `su`.
    pub method: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret>,
}

impl Options {
    /// How long to wait for a module that does not answer at all.
    pub const MODULE_LIMIT: Duration = Duration::from_secs(60);
}
