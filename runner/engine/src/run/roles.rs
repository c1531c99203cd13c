//! Which roles a play is done with, for a role does not run twice for a host with the same
//! parameters, conditions and tags.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use sasrun_model::{Block, Name, Role};

use super::play::PlayRun;
use crate::content::content_of_role;

/// A use of a role: its folder and the hash of how it is used.
type Use = (std::path::PathBuf, Name);

/// Roles that hosts are done with, or left.
#[derive(Default)]
pub(super) struct RolesDone {
    done: RefCell<HashSet<(Use, Name)>>,
    /// Hosts for which a task of the role was not skipped.
    ran: RefCell<HashSet<(std::path::PathBuf, Name)>>,
    /// Hosts that left the role before its end.
    left: RefCell<HashSet<(std::path::PathBuf, Name)>>,
}

impl PlayRun {
    /// Whether a use of the role like this one is done for a host.
    pub(crate) fn has_done_role(&self, block: &Block, role: &Role, host: &Name) -> bool {
        let key = (use_of(block, role), Arc::clone(host));
        self.roles.done.borrow().contains(&key)
    }

    /// Notes that a host came to the role's end. One that it skipped as a whole is not done.
    pub(crate) fn did_role(&self, block: &Block, role: &Role, host: &Name) {
        let place = (role.path.clone(), Arc::clone(host));
        self.roles.left.borrow_mut().remove(&place);
        if self.roles.ran.borrow_mut().remove(&place) {
            let key = (use_of(block, role), Arc::clone(host));
            self.roles.done.borrow_mut().insert(key);
        }
    }

    /// Notes that a task of the role was carried out for a host.
    pub(crate) fn ran_in_role(&self, role: &Role, host: &Name) {
        let place = (role.path.clone(), Arc::clone(host));
        self.roles.ran.borrow_mut().insert(place);
    }

    /// Lets hosts leave the role that they are in.
    pub(crate) fn end_role(&self, role: &Role, hosts: &[Name]) {
        let mut left = self.roles.left.borrow_mut();
        left.extend(
            hosts
                .iter()
                .map(|host| (role.path.clone(), Arc::clone(host))),
        );
    }

    /// Whether a host left a role that it is still inside of.
    pub(crate) fn has_left_role(&self, role: &Role, host: &Name) -> bool {
        let left = self.roles.left.borrow();
        !left.is_empty() && left.contains(&(role.path.clone(), Arc::clone(host)))
    }
}

fn use_of(block: &Block, role: &Role) -> Use {
    (role.path.clone(), content_of_role(block, role))
}
