//! The files of the vendor's software on a host that is about to start.
//!
//! Everything follows from the world and the scenario, with fixed times, so that two labs of one mesh look the same.

mod components;
mod database;
mod gateways;
mod place;
mod settings;
mod system;

use std::io;
use std::path::Path;

use self::place::Place;
use super::machine::packages;
use super::site::Site;
use super::volume::medium;
use crate::scenario::Scenario;
use crate::world::{Component, Host, World};

/// Lays the files of the vendor's software below the root directory of a host that is about to start.
pub fn furnish(host: &Host, world: &World, scenario: &Scenario, root: &Path) -> io::Result<()> {
    let site = Site::prepared(host, world, scenario, root);
    let place = Place::new(root);
    system::lay_out(&site, &place)?;
    settings::response_files(&site, &place)?;
    settings::of_components(&site, &place)?;
    components::certificates(&site, &place)?;
    components::data(&site, &place)?;
    database::names(&site, &place)?;
    if host.has(Component::Truth) {
        database::software(&place)?;
    }
    gateways::lay_out(&site, &place)?;
    medium::lay_out(&site, &world.versions.to)?;
    packages::store(&site)
        .write(&packages::at_first(&site))
        .map_err(io::Error::other)
}
