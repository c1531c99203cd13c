//! One file for each command.

pub(crate) mod doc;
pub(crate) mod inventory;
pub(crate) mod playbook;
