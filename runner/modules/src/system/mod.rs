//! Modules about the system: services, accounts, names, ports and reachability.

mod accounts;
pub(crate) mod alternatives;
pub(crate) mod authorized_key;
pub(crate) mod capabilities;
pub(crate) mod cron;
pub(crate) mod expect;
mod fstab;
pub(crate) mod getent;
pub(crate) mod group;
mod host_key;
pub(crate) mod hostname;
pub(crate) mod known_hosts;
pub(crate) mod locale_gen;
pub(crate) mod modprobe;
pub(crate) mod mount;
pub(crate) mod mount_facts;
pub(crate) mod ping;
pub(crate) mod reboot;
pub(crate) mod service;
pub(crate) mod service_facts;
pub(crate) mod sysctl;
pub(crate) mod systemd;
pub(crate) mod timezone;
pub(crate) mod user;
pub(crate) mod wait_for;
pub(crate) mod wait_for_connection;
