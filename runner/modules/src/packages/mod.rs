//! Modules about packages of the system.

pub(crate) mod apt;
pub(crate) mod package;
pub(crate) mod package_facts;
mod package_manager;
