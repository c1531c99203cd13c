//! A lab for one test: in a temporary directory, on a port that nobody else has, gone with the test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::events::{self, Event};
use crate::lab::control::{self, Start};
use crate::lab::options::Running;
use crate::paths::StateDir;
use crate::scenario::Scenario;
use crate::snapshot::{self, Snapshot};
use crate::ssh::client::{self, Output};
use crate::world::World;

/// A lab that stops when it goes out of scope.
pub struct Trial {
    pub state: StateDir,
    pub port: u16,
    pub running: Running,
    _dir: TempDir,
}

impl Trial {
    /// Starts a lab of this inventory with the given `saslab` program; `scenario` is the text of a scenario file.
    pub fn start(program: &Path, inventory: &Path, scenario: &str) -> Result<Self> {
        Self::start_with(program, inventory, scenario, |_| {})
    }

    /// As `start`, with a last word on how.
    pub fn start_with(
        program: &Path,
        inventory: &Path,
        scenario: &str,
        change: impl FnOnce(&mut Start),
    ) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("saslab-").tempdir()?;
        let port = free_port(&World::read(inventory, None)?)?;
        let mut start = Start::new(program, inventory, dir.path().join("lab"));
        start.port = Some(port);
        if !scenario.is_empty() {
            let file = dir.path().join("scenario.yml");
            std::fs::write(&file, scenario)?;
            start.scenario = Some(file);
        }
        change(&mut start);
        let running = start.up()?;
        Ok(Self {
            state: start.state,
            port,
            running,
            _dir: dir,
        })
    }

    /// Runs a command on a host as root.
    pub fn exec(&self, host: &str, command: &str) -> Result<Output> {
        client::exec(&self.state, host, command, b"")
    }

    /// Everything that the event log has.
    pub fn events(&self) -> Result<Vec<Event>> {
        Ok(events::read_all(&self.state.events())?)
    }

    /// What every host looks like now.
    pub fn snapshot(&self) -> Result<Snapshot> {
        snapshot::take(&self.state)
    }

    /// Puts another scenario in force.
    pub fn change_scenario(&self, text: &str) -> Result<()> {
        let scenario = Scenario::parse(text, &PathBuf::from("scenario.yml"))?;
        control::put_scenario(&self.state, &scenario)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = control::down(&self.state);
    }
}

/// A port that is free on every address of the mesh.
pub fn free_port(world: &World) -> Result<u16> {
    for _ in 0..50 {
        let mut hosts = world.hosts();
        let first = hosts.next().context("the mesh has no hosts")?;
        let listener = TcpListener::bind((first.address, 0))?;
        let port = listener.local_addr()?.port();
        if hosts.all(|host| TcpListener::bind((host.address, port)).is_ok()) {
            return Ok(port);
        }
    }
    anyhow::bail!("no port is free on every address of the mesh")
}
