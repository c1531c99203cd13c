//! Modules about what may reach the host over the network.

pub(crate) mod firewalld;
pub(crate) mod iptables;
pub(crate) mod ufw;
