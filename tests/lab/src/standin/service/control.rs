//! Starting and stopping one service: the deed, its faults, and what it does to the mesh.

use std::time::{Duration, Instant};

use serde_json::json;

use super::catalog::{self, Installed, Port};
use super::network;
use super::prerequisite::{self, Unmet};
use super::process::{self, Launch};
use crate::standin::gateway;
use crate::standin::site::{self, Site};
use crate::standin::spin;

/// Who asks for a change of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Script,
    Installer,
    Boot,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Script => "opsware-sas",
            Self::Installer => "installer",
            Self::Boot => "boot",
        }
    }
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Unmet(#[from] Unmet),
    #[error("{0}")]
    Gateway(#[from] gateway::properties::PropertiesError),
    #[error("{0}")]
    Staged(String),
    #[error("process ended at once")]
    Ended,
    #[error("port {0} not listening")]
    NoPort(u16),
    #[error("{0}")]
    Spawn(#[from] std::io::Error),
}

/// Why a service did not stop.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    #[error("process {0} still running")]
    Alive(u32),
}

/// How long a synchronous start waits for ports, in life's time.
const PORT_LIMIT: Duration = Duration::from_secs(1800);
/// The least time that a boot gives a service, on any clock.
const BOOT_LIMIT: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(20);

/// Starts a service that is not running; true when it had to be started.
pub fn start(site: &Site, one: &Installed, by: By) -> Result<bool, StartError> {
    if !process::find(&one.name).is_empty() {
        return Ok(false);
    }
    let faults = site.service_faults(&one.name);
    if !faults.start_fails.is_empty() {
        return Err(StartError::Staged(faults.start_fails));
    }
    if by != By::Boot {
        prerequisite::await_all(site, &one.service)?;
    }
    if one.service.keeps_tunnels() {
        gateway::properties::load(&one.name)?;
    }
    spin::mesh::advance(site);
    let titles = catalog::titles(one);
    let title = titles.first().map_or(&[][..], Vec::as_slice);
    let launch = Launch {
        service: &one.name,
        role: 0,
        title,
        user: one.service.user,
        at_once: by == By::Boot,
    };
    let pid = process::launch(&launch)?;
    if by != By::Boot {
        site::log_effect(
            "service.start",
            json!({"service": one.name, "by": by.name(), "pid": pid}),
        );
        await_process(&one.name)?;
        spin::mesh::service_started(site, one.service.name);
    }
    Ok(true)
}

fn await_process(name: &str) -> Result<(), StartError> {
    let end = Instant::now() + Duration::from_secs(5);
    while process::find(name).is_empty() {
        if Instant::now() >= end {
            return Err(StartError::Ended);
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Waits until a started service listens on its ports.
pub fn await_ports(site: &Site, one: &Installed) -> Result<(), StartError> {
    await_ports_for(site, one, Duration::from_secs(2))
}

/// Waits until a service that was started by a boot stands: nothing else waits for its process.
/// A boot is no part of a night's hours, so the pace of the machine decides how long this may take.
pub fn await_boot(site: &Site, one: &Installed) -> Result<(), StartError> {
    await_process(&one.name)?;
    await_ports_for(site, one, BOOT_LIMIT)
}

fn await_ports_for(site: &Site, one: &Installed, least: Duration) -> Result<(), StartError> {
    let end = Instant::now() + site.clock.shorten(PORT_LIMIT).max(least);
    for port in one.service.ports {
        let (Port::Tcp(number) | Port::Local(number)) = *port else {
            continue;
        };
        let address = network::reach_address(site, *port, number);
        while !prerequisite::is_listening(address) {
            if process::find(&one.name).is_empty() {
                return Err(StartError::Ended);
            }
            if Instant::now() >= end {
                return Err(StartError::NoPort(number));
            }
            std::thread::sleep(POLL);
        }
    }
    Ok(())
}

/// Stops a service; true when there was something to stop.
pub fn stop(site: &Site, one: &Installed, by: By) -> Result<bool, StopError> {
    let running = process::find(&one.name);
    let Some(first) = running.first().copied() else {
        return Ok(false);
    };
    let faults = site.service_faults(&one.name);
    spin::mesh::advance(site);
    site.wait(Duration::from_secs(60) * faults.slow_stop_minutes);
    if faults.refuses_stop || !process::end(&one.name) {
        return Err(StopError::Alive(first));
    }
    let _ = std::fs::remove_file(catalog::pid_file(&one.name));
    site::log_effect(
        "service.stop",
        json!({"service": one.name, "by": by.name(), "pid": first}),
    );
    Ok(true)
}
