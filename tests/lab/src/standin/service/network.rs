//! Addresses that services listen on: of all networks where a host has a network of its own, of the host alone where
//! all hosts share one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::catalog::Port;
use crate::standin::site::Site;

/// Tells whether this host has a network of its own: then no other host's address is here.
pub fn is_own(site: &Site) -> bool {
    let other = site
        .world
        .hosts()
        .find(|host| host.address != site.host.address);
    other.is_none_or(|other| TcpListener::bind((other.address, 0)).is_err())
}

/// The address that a service binds for a port.
pub fn listen_address(site: &Site, port: Port, number: u16) -> SocketAddr {
    let address = match (is_own(site), port) {
        (false, _) => site.host.address,
        (true, Port::Local(_)) => Ipv4Addr::LOCALHOST,
        (true, _) => Ipv4Addr::UNSPECIFIED,
    };
    SocketAddr::from((address, number))
}

/// The address under which a port of this host is reached on the host itself.
pub fn reach_address(site: &Site, port: Port, number: u16) -> SocketAddr {
    match (port, is_own(site)) {
        (Port::Local(_), true) => SocketAddr::from((Ipv4Addr::LOCALHOST, number)),
        _ => SocketAddr::from((site.host.address, number)),
    }
}
