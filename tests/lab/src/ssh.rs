//! The SSH server of a host, and a small client for the lab's own use.

pub mod channel;
pub mod client;
pub mod faulty;
pub mod openssh;
pub mod server;
pub mod terminal;

use serde::{Deserialize, Serialize};

use crate::lab::options::Sshd;
use crate::machine::namespaces::Rights;

/// How the SSH server of a host is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    pub sshd: Sshd,
    pub rights: Rights,
}
