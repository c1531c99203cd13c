//! The database's software and its connect names.

use std::io;

use super::place::Place;
use crate::standin::oracle::names::{self, Target};
use crate::standin::response::parameters::{self, ORACLE_HOME, SERVICE_NAME, TNS_DIRECTORY};
use crate::standin::service::prerequisite::LISTENER_PORT;
use crate::standin::site::Site;
use crate::world::{Component, Core};

/// Writes `tnsnames.ora`: the own database directly, those of other facilities through the gateway.
pub(super) fn names(site: &Site, place: &Place) -> io::Result<()> {
    let mut text = String::from("# tnsnames.ora\n");
    for core in &site.world.cores {
        let is_own = core.name == site.host.core;
        let target = if is_own {
            direct(core)
        } else {
            site.core().and_then(|own| through_gateway(own, core))
        };
        if let Some(target) = target {
            text.push_str(&names::entry(&parameters::tns_name(core), &target, !is_own));
        }
    }
    place.file(&format!("{TNS_DIRECTORY}/tnsnames.ora"), 0o644, &text)
}

fn direct(core: &Core) -> Option<Target> {
    let host = core.host_with(Component::Truth)?.address.to_string();
    Some(Target {
        host,
        port: LISTENER_PORT,
        service: SERVICE_NAME.to_owned(),
    })
}

fn through_gateway(own: &Core, other: &Core) -> Option<Target> {
    let host = own.host_with(Component::Gateway)?.address.to_string();
    let port = 20_000 + u16::try_from(other.facility.id).ok()?;
    Some(Target {
        host,
        port,
        service: SERVICE_NAME.to_owned(),
    })
}

/// Writes the client, the start script and the oracle user's environment.
pub(super) fn software(place: &Place) -> io::Result<()> {
    place.program(&format!("{ORACLE_HOME}/bin/sqlplus"), "sqlplus")?;
    place.program("/etc/init.d/opsware-oracle", "opsware-oracle")?;
    let line = format!("{SERVICE_NAME}:{ORACLE_HOME}:Y\n");
    place.file("/etc/oratab", 0o664, &line)?;
    place.file(&format!("{TNS_DIRECTORY}/oratab"), 0o664, &line)?;
    place.file(
        "/u01/app/oracle/.profile",
        0o644,
        &format!(
            "ORACLE_HOME={ORACLE_HOME}\nORACLE_SID={SERVICE_NAME}\nTNS_ADMIN={TNS_DIRECTORY}\n\
             PATH=$ORACLE_HOME/bin:$PATH\nexport ORACLE_HOME ORACLE_SID TNS_ADMIN PATH\n"
        ),
    )
}
