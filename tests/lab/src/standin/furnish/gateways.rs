//! Properties files of the gateways.

use std::io;

use super::place::Place;
use crate::standin::gateway::properties;
use crate::standin::service::catalog::SATELLITE_GATEWAY;
use crate::standin::site::Site;
use crate::world::Component;

/// Writes the files of the gateways of this host.
pub(super) fn lay_out(site: &Site, place: &Place) -> io::Result<()> {
    let host = &site.host;
    let address = host.address.to_string();
    let write = |service: &str, text: &str| {
        place.file(&properties::path(service).to_string_lossy(), 0o644, text)
    };
    if host.has(Component::Gateway) {
        // One core keeps both tunnel listeners on one line.
        let shared_line = host.facility.id % 3 == 2;
        write(
            &host.gateway_service("cgw0"),
            &properties::core_gateway(host.dc(), &address, shared_line),
        )?;
        write(
            &host.gateway_service("agw0"),
            &properties::agent_gateway(host.dc(), &address),
        )?;
    }
    if host.has(Component::SatGateway) {
        let core = site
            .peer(Component::Gateway)
            .map_or_else(String::new, |host| host.address.to_string());
        write(
            SATELLITE_GATEWAY,
            &properties::satellite_gateway(&host.name, host.dc(), &address, &core),
        )?;
    }
    if host.has(Component::Occ) {
        let peer = |component| {
            site.peer(component)
                .map_or_else(String::new, |host| host.address.to_string())
        };
        let text =
            properties::load_balancer(host.dc(), &peer(Component::Ogfs), &peer(Component::Way));
        write("opswgw-lb", &text)?;
    }
    Ok(())
}
