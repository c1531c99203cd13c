//! Modules about the system: services, accounts, names, ports and reachability.

mod accounts;
pub(crate) mod cron;
pub(crate) mod getent;
pub(crate) mod group;
pub(crate) mod hostname;
pub(crate) mod known_hosts;
pub(crate) mod ping;
pub(crate) mod reboot;
pub(crate) mod service;
pub(crate) mod service_facts;
pub(crate) mod systemd;
pub(crate) mod user;
pub(crate) mod wait_for;
pub(crate) mod wait_for_connection;
