//! Where a stand-in runs: the host, its core, the mesh around it, and the scenario in force.
//!
//! Read anew by every stand-in, so that a scenario can change while the lab runs. Holds no state of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::{CoreFaults, ServiceFaults, Trigger};
use super::store::Store;
use crate::clock::Clock;
use crate::events::{self, Class};
use crate::paths::{Private, Shared};
use crate::scenario::{HostFaults, Scenario};
use crate::world::{Component, Core, Host, Like, World};

/// Why a stand-in cannot tell where it is.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    #[error("cannot read {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Decode {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error(transparent)]
    Scenario(#[from] crate::scenario::ScenarioError),
    #[error("host {0} is not in the world")]
    UnknownHost(String),
}

/// The surroundings of a stand-in.
#[derive(Debug, Clone)]
pub struct Site {
    pub host: Host,
    pub world: World,
    pub scenario: Scenario,
    pub shared: Shared,
    pub private: Private,
    pub clock: Clock,
}

impl Site {
    /// The site of the host on which this program runs.
    pub fn inside() -> Result<Self, SiteError> {
        let shared = Shared::inside();
        let private = Private::inside();
        let world: World = read_json(&shared.world())?;
        let named: Named = read_json(&private.host())?;
        let host = world
            .host(&named.name)
            .cloned()
            .ok_or(SiteError::UnknownHost(named.name))?;
        let scenario = Scenario::in_force(&shared)?;
        let clock = Clock::read(&shared);
        Ok(Self {
            host,
            world,
            scenario,
            shared,
            private,
            clock,
        })
    }

    /// The site of a host that is being prepared below `root`.
    pub fn prepared(host: &Host, world: &World, scenario: &Scenario, root: &Path) -> Self {
        Self {
            host: host.clone(),
            world: world.clone(),
            scenario: scenario.clone(),
            shared: Shared::inside(),
            private: Private::below(root),
            clock: Clock::start(crate::clock::DEFAULT_SCALE),
        }
    }

    /// What this host stages.
    pub fn faults(&self) -> &HostFaults {
        self.scenario.host(&self.host.name)
    }

    /// What this host stages for one service at this moment, by any of its names.
    pub fn service_faults(&self, name: &str) -> ServiceFaults {
        let planned = self.planned_faults(name);
        if self.is_past(planned.from.as_ref()) {
            planned
        } else {
            ServiceFaults::default()
        }
    }

    /// What this host stages for one service now or later.
    pub fn planned_faults(&self, name: &str) -> ServiceFaults {
        let faults = &self.faults().services;
        let short = name
            .strip_suffix(&format!("-{}", self.host.dc()))
            .unwrap_or(name);
        faults
            .get(name)
            .or_else(|| faults.get(short))
            .cloned()
            .unwrap_or_default()
    }

    /// What this host's core stages.
    pub fn core_faults(&self) -> CoreFaults {
        self.scenario
            .cores
            .get(&self.host.core)
            .cloned()
            .unwrap_or_default()
    }

    /// The core of this host; `None` only when the world is broken.
    pub fn core(&self) -> Option<&Core> {
        self.world.core(&self.host.core)
    }

    /// The first host of this core with the component.
    pub fn peer(&self, component: Component) -> Option<&Host> {
        self.core().and_then(|core| core.host_with(component))
    }

    pub fn is_solaris(&self) -> bool {
        self.scenario.like(&self.host) == Like::Solaris
    }

    /// The release that a component of this host had when the lab came up.
    pub fn first_release(&self, component: &str) -> &str {
        let faults = self.faults();
        faults
            .versions
            .get(component)
            .or(faults.version.as_ref())
            .or(self.scenario.version.as_ref())
            .map_or(self.world.versions.from.as_str(), String::as_str)
    }

    /// State of this host that belongs to its condition.
    pub fn store<T: Serialize + DeserializeOwned + Default>(&self, name: &str) -> Store<T> {
        Store::new(&self.private.state(), name, &self.private.scratch())
    }

    /// State of the whole mesh.
    pub fn mesh_store<T: Serialize + DeserializeOwned + Default>(&self, name: &str) -> Store<T> {
        Store::new(&self.shared.state(), name, &self.shared.scratch())
    }

    /// State that only reading changes, such as the number of polls.
    pub fn mesh_scratch<T: Serialize + DeserializeOwned + Default>(&self, name: &str) -> Store<T> {
        Store::new(&self.shared.scratch(), name, &self.shared.scratch())
    }

    /// Waits for a span of life, in the lab's time.
    pub fn wait(&self, life: Duration) {
        std::thread::sleep(self.clock.shorten(life));
    }

    /// Tells whether a trigger has gone off; one without an event name holds from the start.
    pub fn is_past(&self, trigger: Option<&Trigger>) -> bool {
        let Some(trigger) = trigger.filter(|trigger| !trigger.event.is_empty()) else {
            return true;
        };
        let seen = events::read_all(&self.shared.events()).unwrap_or_default();
        let count = seen
            .iter()
            .filter(|event| event.what == trigger.event)
            .filter(|event| trigger.host.as_ref().is_none_or(|host| *host == event.host))
            .count();
        u32::try_from(count).unwrap_or(u32::MAX) >= trigger.count.max(1)
    }
}

/// Logs a look at the host.
pub fn log_read(what: &str, details: Value) {
    events::log(Class::Read, what, details);
}

/// Logs a change of the host.
pub fn log_effect(what: &str, details: Value) {
    events::log(Class::Effect, what, details);
}

/// Logs a logon.
pub fn log_attempt(what: &str, details: Value) {
    events::log(Class::Attempt, what, details);
}

#[derive(serde::Deserialize)]
struct Named {
    name: String,
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, SiteError> {
    let bytes = std::fs::read(path).map_err(|source| SiteError::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| SiteError::Decode {
        path: path.to_owned(),
        source,
    })
}
