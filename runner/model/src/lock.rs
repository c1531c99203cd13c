//! Who holds the lock of a mesh or an inventory, as everybody who is refused is told.

use serde::{Deserialize, Serialize};

/// Who wants a lock or has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockClaim {
    /// Name of the lock: of a mesh or an inventory.
    pub name: String,
    /// Id of the run.
    pub run: String,
    /// Who started it, by login name.
    pub owner: String,
    /// Name of the machine it runs on.
    pub host: String,
    /// Number of the process there.
    pub pid: u32,
    /// When it took the lock, in milliseconds since 1970.
    pub since_ms: u64,
    /// Since when, for people.
    pub since: String,
    /// What it does.
    pub reason: String,
    /// Fencing number: grows by one each time the lock is taken over.
    pub fence: u64,
}

impl LockClaim {
    /// Whether both are the same holding of the lock: the same run, and nobody took it over since.
    pub fn is_same_holding(&self, other: &Self) -> bool {
        self.run == other.run && self.fence == other.fence
    }
}

impl std::fmt::Display for LockClaim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "run {} of {} on {} (process {}), since {}: {}",
            self.run, self.owner, self.host, self.pid, self.since, self.reason
        )
    }
}
