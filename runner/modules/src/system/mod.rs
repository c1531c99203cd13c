//! Modules about the system: services, accounts, ports and reachability.

pub(crate) mod getent;
pub(crate) mod ping;
pub(crate) mod service;
pub(crate) mod systemd;
pub(crate) mod wait_for;
pub(crate) mod wait_for_connection;
