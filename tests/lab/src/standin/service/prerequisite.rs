//! What must be there before a service starts, also on other servers of the core.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::catalog::{Need, Service};
use crate::standin::site::Site;
use crate::world::Component;

/// Port of the database's listener.
pub const LISTENER_PORT: u16 = 1521;

/// How long a prerequisite is waited for, in life's time.
const LIMIT: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(20);

/// A prerequisite that is not met.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unmet {
    #[error("prerequisite \"{0}\" not resolvable")]
    NoHost(&'static str),
    #[error("prerequisite \"{0}\" port {1} not listening")]
    NotListening(&'static str, u16),
}

/// Waits until everything a service needs is there.
pub fn await_all(site: &Site, service: &Service) -> Result<(), Unmet> {
    service.needs.iter().try_for_each(|need| {
        let (component, name, port) = match need {
            Need::Oracle => (Component::Truth, "truth", LISTENER_PORT),
            Need::Peer(component, name, port) => (*component, *name, *port),
        };
        let host = site.peer(component).ok_or(Unmet::NoHost(name))?;
        let address = SocketAddr::from((host.address, port));
        let end = Instant::now() + site.clock.shorten(LIMIT);
        while !is_listening(address) {
            if Instant::now() >= end {
                return Err(Unmet::NotListening(name, port));
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    })
}

/// Tells whether someone listens at an address of the lab.
pub fn is_listening(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
}
