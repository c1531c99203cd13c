//! What can be known to fail before anything is contacted: plays for hosts that no source knows,
//! and templates of variables that nothing defines.
//!
//! A playbook that Ansible runs must go on running, so only what is certain is refused: a name
//! counts as defined wherever anything could define it, and a task counts only where nothing can
//! keep it from running. The rest is left to the run.

mod certain;
mod known;
mod slip;
mod targets;

use sasrun_model::{Diagnostic, Inventory, Name, Playbook, Variables};

use crate::loader::Loader;
use crate::session::Session;

/// Everything that a run begins with.
pub struct Outset<'a> {
    /// The playbooks, in order.
    pub playbooks: &'a [Playbook],
    /// The inventory.
    pub inventory: &'a Inventory,
    /// Hosts that the limit leaves; none when there is no limit.
    pub limit: Option<&'a [Name]>,
    /// Variables of the command line.
    pub extra: &'a Variables,
    /// Whether tasks with these tags run.
    pub is_selected: &'a dyn Fn(&[String]) -> bool,
    /// Whether the run begins at a task in the middle.
    pub begins_later: bool,
    /// Variables that the runner itself gives.
    pub given: &'a [&'a str],
}

impl Loader {
    /// Looks at what a run would begin with for what is certain to fail.
    ///
    /// # Errors
    /// Each play for hosts that cannot be meant, each use of a variable that nothing defines.
    pub fn foresee(&self, outset: &Outset<'_>) -> Result<(), Vec<Diagnostic>> {
        let mut session = Session::new(self);
        session.check_targets(outset);
        if !outset.begins_later {
            session.check_variables(outset);
        }
        session.finish(())
    }
}
