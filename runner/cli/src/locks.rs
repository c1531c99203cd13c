//! The controller's locks as the engine takes them, and what those who have to wait are told.

use std::sync::Arc;

use sasrun_engine::seams;
use sasrun_engine::seams::LockRefusal;
use sasrun_journal::{LocalLocks, LockError};
use sasrun_model::LockClaim;

use crate::commands::runs::when;
use crate::settings;

/// Locks below the state directory.
struct Keeper(LocalLocks);

impl seams::LocalLocks for Keeper {
    fn take(&self, claim: &LockClaim) -> Result<LockClaim, LockRefusal> {
        let claim = LockClaim {
            since: when(claim.since_ms),
            ..claim.clone()
        };
        self.0.take(&claim).map_err(|error| match error {
            LockError::Held(held) => LockRefusal::Held(held_by(&held)),
            error => LockRefusal::Failed(error.to_string()),
        })
    }

    fn release(&self, claim: &LockClaim) -> Result<(), String> {
        self.0.release(claim).map_err(|error| error.to_string())
    }
}

/// The locks of this user on this machine; none where nothing can be kept.
pub(crate) fn keeper() -> Option<Arc<dyn seams::LocalLocks>> {
    let state = settings::state_directory()?;
    Some(Arc::new(Keeper(LocalLocks::below(&state))))
}

/// Who has a lock, and what can be done about it.
fn held_by(held: &LockClaim) -> String {
    let run = &held.run;
    let way_out = match LocalLocks::is_alive(held, &settings::machine_name()) {
        Some(true) => "it is at work; wait for its end".to_owned(),
        Some(false) => format!(
            "its process is gone; `sasrun resume {run}` goes on with it and takes the lock over; \
             if it never will, `sasrun unlock {run}` gives it back"
        ),
        None => format!(
            "whether it is at work can be seen on that machine; if it never will go on, \
             `sasrun unlock {run}` gives the lock back"
        ),
    };
    format!("the lock \"{}\" is held by {held}; {way_out}", held.name)
}
