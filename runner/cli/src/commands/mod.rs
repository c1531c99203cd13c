//! One file for each command.

pub(crate) mod adhoc;
pub(crate) mod approve;
pub(crate) mod doc;
pub(crate) mod inventory;
pub(crate) mod jobs;
pub(crate) mod lint;
mod listing;
pub(crate) mod playbook;
pub(crate) mod resume;
mod resume_plan;
pub(crate) mod runs;
pub(crate) mod show;
pub(crate) mod unlock;
pub(crate) mod vault;
pub(crate) mod verify;
