//! The stand-ins for the vendor's software and for the tools around it.
//!
//! The lab calls this module at five points: `tools` and `furnish` while a host is prepared, `boot` when it starts,
//! `run` whenever a stand-in is started on it, and `run_if_service` first of all in every process.

pub mod component;
pub mod fault;
mod fix;
mod furnish;
pub mod gateway;
pub mod installer;
pub mod machine;
pub mod oracle;
pub mod response;
pub mod service;
pub mod site;
pub mod spin;
pub mod store;
mod terminal;
pub mod volume;
pub mod web;

use std::io;
use std::process::ExitCode;

use serde_json::json;

pub use self::furnish::furnish;
pub use self::service::daemon::run_if_service;
use self::service::{catalog, control, sas};
use self::site::Site;
use self::terminal::complain;
use crate::scenario::Scenario;
use crate::world::{Host, Like, World};

/// What carries out a stand-in.
type Act = fn(&Site, &[String]) -> ExitCode;

/// Every stand-in by the name it is called by.
const STAND_INS: &[(&str, Act)] = &[
    // Lists, shows, starts and stops the components of a server.
    ("opsware-sas", sas::run),
    // Starts and stops the database.
    ("opsware-oracle", oracle::instance::script),
    // The interactive installer on the media.
    ("upgrade_opsware.sh", installer::run),
    // The database's client.
    ("sqlplus", oracle::sqlplus::run),
    // The product's own web client.
    ("opsware-curl", web::client::run),
    // The package database.
    ("rpm", machine::packages::rpm),
    // The interpreter of the scripts that mend data after an upgrade.
    ("opsware-python", fix::python),
    ("mount", volume::command::mount),
    ("umount", volume::command::umount),
    ("lofiadm", volume::lofi::run),
    ("df", volume::show::df),
    ("showmount", volume::show::showmount),
    ("fuser", volume::holders::run),
    ("locale", machine::locale::run),
    ("uname", machine::uname::run),
    ("netstat", machine::sockets::netstat),
    ("ss", machine::sockets::ss),
    // Shells of a host's time, and a tool that meets stale handles.
    ("csh", machine::shell::csh),
    ("sh", machine::shell::bourne),
    ("ls", volume::trouble::ls),
];

/// Tools that take the place of the machine's own on every host.
const TOOLS: &[&str] = &[
    "mount",
    "umount",
    "df",
    "showmount",
    "fuser",
    "locale",
    "uname",
    "netstat",
    "ss",
    "rpm",
];

/// The same on hosts like Solaris; where packages are not the system's own, their tool comes with the product.
const SOLARIS: &[&str] = &[
    "mount",
    "umount",
    "df",
    "showmount",
    "fuser",
    "locale",
    "uname",
    "netstat",
    "ss",
    "lofiadm",
];

/// Tells whether the lab's program acts as a stand-in when it is started by this name.
pub fn is_tool(name: &str) -> bool {
    TOOLS.contains(&name) || SOLARIS.contains(&name) || machine::overlay::NAMES.contains(&name)
}

/// Tools in `/usr/bin` that are stand-ins on a host of this kind, in place of the machine's own.
pub fn tools(like: Like) -> &'static [&'static str] {
    match like {
        Like::Linux => TOOLS,
        Like::Solaris => SOLARIS,
    }
}

/// Starts what runs on the host from the beginning; called on the host itself, before anyone can log in.
pub fn boot(_host: &Host, _world: &World, _scenario: &Scenario) -> io::Result<()> {
    let site = Site::inside().map_err(io::Error::other)?;
    service::process::open_lock_folder(&site)?;
    volume::table::reset(&site)?;
    spin::mesh::advance(&site);
    volume::boot(&site)?;
    oracle::instance::boot(&site)?;
    let (started, lame) = start_services(&site);
    if site.faults().login.bourne {
        machine::overlay::lay_over("sh")?;
    }
    let names: Vec<_> = started.iter().map(|one| one.name.as_str()).collect();
    site::log_read("host.boot", json!({"services": names, "lame": lame}));
    Ok(())
}

/// Starts the services of a host that boots: those that were started, and what became of those that did not come up.
/// A boot goes on without a service that fails.
fn start_services(site: &Site) -> (Vec<catalog::Installed>, Vec<String>) {
    let mut started = Vec::new();
    let mut lame = Vec::new();
    for one in catalog::installed(&site.host, site.faults().transport) {
        if site.service_faults(&one.name).down {
            continue;
        }
        match control::start(site, &one, control::By::Boot) {
            Ok(_) => started.push(one),
            Err(error) => lame.push(format!("{}: {error}", one.name)),
        }
    }
    for one in &started {
        let faults = site.service_faults(&one.name);
        if faults.no_port || faults.dies {
            continue;
        }
        if let Err(error) = control::await_boot(site, one) {
            lame.push(format!("{}: {error}", one.name));
        }
    }
    (started, lame)
}

/// Acts as the stand-in of this name.
pub fn run(name: &str, args: &[String]) -> ExitCode {
    let Some((_, act)) = STAND_INS.iter().find(|(known, _)| *known == name) else {
        complain(&format!("saslab: no stand-in is called {name}"));
        return ExitCode::from(127);
    };
    match Site::inside() {
        Ok(site) => act(&site, args),
        Err(error) => {
            complain(&format!("{name}: {error}"));
            ExitCode::from(126)
        }
    }
}

/// The secrets of a mesh, `core/parameter` to value, for those who look for leaks.
pub fn secrets(world: &World) -> std::collections::BTreeMap<String, String> {
    response::parameters::secrets(world)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_a_stand_in() {
        assert!(
            TOOLS
                .iter()
                .all(|tool| STAND_INS.iter().any(|(name, _)| name == tool))
        );
        assert!(!tools(Like::Solaris).contains(&"rpm"));
    }
}
