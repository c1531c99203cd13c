//! The gateways that run at the moment, with the properties they were started with.

use serde::{Deserialize, Serialize};

use super::properties::Properties;
use crate::paths::Shared;
use crate::standin::service::{catalog, process};
use crate::standin::site::Site;
use crate::standin::store::Store;
use crate::world::{Component, Host, World};

/// A running gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Name of the node, unique in the mesh.
    pub node: String,
    pub address: String,
    pub properties: Properties,
}

/// Makes a gateway of this host known to the mesh.
pub fn announce(site: &Site, service: &str, properties: Properties) {
    let node = properties.value("Gateway").unwrap_or(service).to_owned();
    let running = Running {
        node,
        address: site.host.address.to_string(),
        properties,
    };
    // A gateway that cannot be announced is simply not seen by the others.
    let _ = site
        .mesh_scratch(&key(&site.host.name, service))
        .write(&running);
}

/// Makes the mesh forget what a gateway of this host was the last time.
pub fn withdraw(site: &Site, service: &str) {
    let _ = site
        .mesh_scratch(&key(&site.host.name, service))
        .write(&Running::default());
}

/// Every gateway of the mesh that runs now.
pub fn running(site: &Site) -> Vec<Running> {
    running_in(&site.world, &site.shared)
}

/// Every gateway that runs now in the mesh of this shared directory.
pub fn running_in(world: &World, shared: &Shared) -> Vec<Running> {
    let mut found = Vec::new();
    for host in world.hosts() {
        for service in services(host) {
            if process::is_alive_in(shared, &host.name, &service) {
                let known: Store<Running> = Store::new(
                    &shared.scratch(),
                    &key(&host.name, &service),
                    &shared.scratch(),
                );
                found.extend(known.read().ok());
            }
        }
    }
    found.retain(|gateway| !gateway.node.is_empty());
    found
}

/// The services of a host that keep tunnels.
pub fn services(host: &Host) -> Vec<String> {
    let mut names = Vec::new();
    if host.has(Component::Gateway) {
        names.extend(["cgw0", "agw0"].map(|kind| host.gateway_service(kind)));
    }
    if host.has(Component::SatGateway) {
        names.push(catalog::SATELLITE_GATEWAY.to_owned());
    }
    names
}

fn key(host: &str, service: &str) -> String {
    format!("gateway.{host}.{service}")
}
