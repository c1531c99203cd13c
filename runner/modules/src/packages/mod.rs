//! Modules about packages of the system.

pub(crate) mod apt;
mod manager;
pub(crate) mod package;
pub(crate) mod package_facts;
