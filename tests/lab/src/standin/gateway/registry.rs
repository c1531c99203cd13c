//! The gateways that run at the moment, with the properties they were started with.

use serde::{Deserialize, Serialize};

use super::properties::Properties;
use crate::standin::service::process;
use crate::standin::site::Site;

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

/// Every gateway of the mesh that runs now.
pub fn running(site: &Site) -> Vec<Running> {
    let mut found = Vec::new();
    for host in site.world.hosts() {
        for kind in ["cgw0", "agw0"] {
            let service = host.gateway_service(kind);
            if process::is_alive(site, &host.name, &service) {
                found.extend(
                    site.mesh_scratch::<Running>(&key(&host.name, &service))
                        .read()
                        .ok(),
                );
            }
        }
    }
    found.retain(|gateway| !gateway.node.is_empty());
    found
}

fn key(host: &str, service: &str) -> String {
    format!("gateway.{host}.{service}")
}
