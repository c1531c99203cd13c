//! What a lab was started with, and what runs of it, as kept in its state directory.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddrV4;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::machine::namespaces::Rights;
use crate::paths::StateDir;

/// Which SSH server the hosts have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Sshd {
    /// The lab's own, which needs no root.
    #[default]
    Embedded,
    /// OpenSSH's, which must be installed and needs root.
    Openssh,
}

/// What a lab was started with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    pub inventory: PathBuf,
    pub sshd: Sshd,
    pub time_scale: f64,
    /// Whether every host has a network of its own; known once the supervisor has tried.
    #[serde(default)]
    pub own_networks: bool,
    /// Whose rights the hosts have; known once the supervisor has its namespaces.
    #[serde(default)]
    pub rights: Rights,
}

impl Options {
    /// Reads the options of the lab with this state directory.
    pub fn read(state: &StateDir) -> io::Result<Self> {
        serde_json::from_slice(&std::fs::read(state.options())?).map_err(io::Error::other)
    }

    /// Writes the options of the lab with this state directory.
    pub fn write(&self, state: &StateDir) -> io::Result<()> {
        std::fs::write(state.options(), serde_json::to_vec_pretty(self)?)
    }
}

/// What runs of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub supervisor_pid: i32,
    pub rights: Rights,
    pub hosts: BTreeMap<String, RunningHost>,
}

/// What runs of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningHost {
    pub address: SocketAddrV4,
    /// The process that keeps the host, as the machine numbers it.
    pub keeper_pid: i32,
    /// The host's first process, as the machine numbers it; none for a host that is down.
    pub init_pid: Option<i32>,
}

impl Running {
    /// Reads what runs of the lab with this state directory.
    pub fn read(state: &StateDir) -> io::Result<Self> {
        serde_json::from_slice(&std::fs::read(state.running())?).map_err(io::Error::other)
    }

    /// Writes what runs of the lab with this state directory, whole or not at all.
    pub fn write(&self, state: &StateDir) -> io::Result<()> {
        let new = state.running().with_extension("new");
        std::fs::write(&new, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(new, state.running())
    }
}
