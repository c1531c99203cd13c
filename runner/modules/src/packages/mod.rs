//! Modules about packages of the system.

pub(crate) mod apt;
pub(crate) mod debconf;
pub(crate) mod dnf;
pub(crate) mod dpkg_selections;
pub(crate) mod package;
pub(crate) mod package_facts;
mod package_manager;
