//! The stand-ins for the vendor's software and for the tools around it.
//!
//! The lab calls this module at four points: `tools` and `furnish` while a host is prepared, `boot` when it starts, and
//! `run` whenever a stand-in is started on it.

pub mod fault;

use std::path::Path;
use std::process::ExitCode;

use crate::scenario::Scenario;
use crate::world::{Host, Like, World};

/// Names under which the lab's program acts as a stand-in when it is started by a link of that name.
pub fn names() -> &'static [&'static str] {
    &[]
}

/// Tools in `/usr/bin` that are stand-ins on a host of this kind, in place of the machine's own.
pub fn tools(_like: Like) -> &'static [&'static str] {
    &[]
}

/// Lays the files of the vendor's software below the root directory of a host that is about to start.
pub fn furnish(_host: &Host, _world: &World, _scenario: &Scenario, _root: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Starts what runs on the host from the beginning; called on the host itself, before anyone can log in.
pub fn boot(_host: &Host, _world: &World, _scenario: &Scenario) -> std::io::Result<()> {
    Ok(())
}

/// Acts as the stand-in of this name.
pub fn run(_name: &str, _args: &[String]) -> ExitCode {
    ExitCode::from(127)
}
