//! The traffic of the mesh as it is: the model, moved on by the services that really run.

use serde_json::json;

use super::propagation::{Road, Traffic};
use crate::standin::component;
use crate::standin::fault::TransportName;
use crate::standin::service::process;
use crate::standin::site::{self, Site};
use crate::standin::store::{Store, StoreError};
use crate::world::{Component, Core};

/// Services whose start in a destination makes conflicts of what has not arrived yet.
const READERS: &[&str] = &["spin", "waybot", "mm_wordbot", "twist", "occ.server"];

fn store(site: &Site) -> Store<Traffic> {
    site.mesh_store("traffic")
}

/// Moves the traffic on to this moment, under the services that run now.
///
/// Called before every change of a service, so that the time before it counts with the old state.
pub fn advance(site: &Site) {
    if let Err(error) = changed(site, |_| ()) {
        site::log_read("traffic.broken", json!({"cause": error.to_string()}));
    }
}

/// The traffic at this moment.
pub fn now(site: &Site) -> Result<Traffic, StoreError> {
    changed(site, |traffic| traffic.clone())
}

/// Publishes what an upgraded component of the source core makes.
pub fn component_upgraded(site: &Site, id: &str) -> Result<(), StoreError> {
    let count = component::find(id).map_or(0, |facts| facts.transactions);
    if !site.host.source_core || count == 0 {
        return Ok(());
    }
    changed(site, |traffic| traffic.publish(count, destinations(site)))?;
    site::log_effect(
        "traffic.published",
        json!({"component": id, "count": count}),
    );
    Ok(())
}

/// Makes conflicts of what is still on its way to this core, after a reader was started here.
pub fn service_started(site: &Site, service: &str) {
    if READERS.contains(&service) {
        collide(site, service);
    }
}

/// Makes conflicts of what is still on its way to this core, after a component was upgraded here.
pub fn destination_upgraded(site: &Site, id: &str) {
    if id != "truth" {
        collide(site, id);
    }
}

fn collide(site: &Site, cause: &str) {
    if site.host.source_core {
        return;
    }
    let count = changed(site, |traffic| traffic.collide(&site.host.core)).unwrap_or(0);
    if count > 0 {
        site::log_effect(
            "traffic.conflict",
            json!({"core": site.host.core, "cause": cause, "count": count}),
        );
    }
}

/// Open conflicts in the database of this host's core.
pub fn conflicts(site: &Site) -> u64 {
    let own = now(site).map_or(0, |traffic| {
        traffic.conflicts(&site.host.core, site.host.source_core)
    });
    let staged = site.core_faults().oracle;
    let is_due = staged.conflicts > 0 && site.is_past(staged.conflicts_from.as_ref());
    own + if is_due {
        u64::from(staged.conflicts)
    } else {
        0
    }
}

fn changed<R>(site: &Site, change: impl FnOnce(&mut Traffic) -> R) -> Result<R, StoreError> {
    let now_ms = site.clock.elapsed_ms();
    let rate = &site.scenario.mesh.traffic;
    let per_second = scaled(rate.per_minute, site.clock.scale);
    let source_is_up = site
        .world
        .source_core()
        .is_some_and(|core| carries(site, core));
    let open: Vec<&str> = site
        .world
        .cores
        .iter()
        .filter(|core| source_is_up && !core.source && carries(site, core))
        .map(|core| core.name.as_str())
        .collect();
    store(site).update(|traffic| {
        if traffic.roads.is_empty() {
            let road = Road {
                pending: rate.pending,
                ..Road::default()
            };
            traffic.roads = destinations(site)
                .map(|core| (core.to_owned(), road.clone()))
                .collect();
            traffic.at_ms = now_ms;
        }
        if traffic.pending() == 0 {
            // Nothing on its way: an idle look leaves the state as it is.
            traffic.at_ms = now_ms.min(traffic.at_ms);
        } else {
            traffic.advance(now_ms, per_second, |core| open.contains(&core));
        }
        let idle = traffic.pending() == 0;
        let result = change(traffic);
        if idle && traffic.pending() > 0 {
            traffic.at_ms = now_ms;
        }
        result
    })
}

fn scaled(per_minute: u64, scale: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the scale is small and positive"
    )]
    let scale = scale.clamp(0.1, 100_000.0) as u64;
    (per_minute * scale.max(1) / 60).max(1)
}

fn destinations(site: &Site) -> impl Iterator<Item = &str> {
    site.world
        .cores
        .iter()
        .filter(|core| !core.source)
        .map(|core| core.name.as_str())
}

/// Tells whether a core's vault, its transport and its gateway run.
fn carries(site: &Site, core: &Core) -> bool {
    let vault = core.host_with(Component::Vault).is_some_and(|host| {
        let transport = match site.scenario.host(&host.name).transport {
            TransportName::Rvrdscript => Some("rvrdscript"),
            TransportName::Rvrdscrip => Some("rvrdscrip"),
            TransportName::Neither => None,
        };
        process::is_alive(site, &host.name, "vaultdaemon")
            && transport.is_none_or(|name| process::is_alive(site, &host.name, name))
    });
    let gateway = core
        .host_with(Component::Gateway)
        .is_some_and(|host| process::is_alive(site, &host.name, &host.gateway_service("cgw0")));
    vault && gateway
}
