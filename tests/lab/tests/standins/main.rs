//! The stand-ins on running hosts: services, the installer's dialogue, the database, media, pages.
//!
//! Judged by the lab's event log and by what the hosts show, never by what a stand-in says of itself.
#![allow(clippy::unwrap_used)]

mod database;
mod dialogue;
mod files;
mod installer;
mod pages;
mod services;
mod volumes;

use std::path::Path;

use saslab::events::{Class, Event};
use saslab::lab::trial::Trial;

/// Every component of a core on one host, in two cores.
const MESH: &str = "plugin: opsware_mesh\nmesh: pair\nversion: {from: \"6.6\", to: \"6.61\"}\ncores:\n  source:\n    \
    source: true\n    facility: {id: 1, name: S, agents: 10}\n    hosts:\n      s1: {address: 127.61.8.1, components: \
    [truth, vault, spin, way, word, ogfs, occ, media, buildmgr, gateway, boot]}\n  other:\n    \
    facility: {id: 2, name: D, agents: 10}\n    hosts:\n      d1: {address: 127.61.8.2, components: \
    [truth, vault, spin, way, word, ogfs, occ, media, buildmgr, gateway, boot]}\nmedia:\n  \
    primary: {kind: dvd, source: /dev/cdrom, mount: /mnt/primary}\n  \
    upload: {kind: image, source: /depot/upload.iso, mount: /mnt/upload}\n";

/// Starts a lab of the pair of cores in which an hour takes three seconds.
fn lab(scenario: &str) -> Trial {
    let dir = tempfile::tempdir().unwrap();
    let mesh = dir.path().join("mesh.yml");
    std::fs::write(&mesh, MESH).unwrap();
    Trial::start_with(
        Path::new(env!("CARGO_BIN_EXE_saslab")),
        &mesh,
        scenario,
        |start| start.time_scale = 1200.0,
    )
    .unwrap()
}

/// Runs a command; its status and all it printed.
fn sh(lab: &Trial, host: &str, command: &str) -> (u32, String) {
    let output = lab.exec(host, &format!("{{ {command}\n}} 2>&1")).unwrap();
    (output.status.unwrap_or(999), output.text())
}

/// The events of one name.
fn events(lab: &Trial, what: &str) -> Vec<Event> {
    lab.events()
        .unwrap()
        .into_iter()
        .filter(|event| event.what == what)
        .collect()
}

/// Names of all events that did more than look.
fn deeds(lab: &Trial) -> Vec<String> {
    let events = lab.events().unwrap();
    events
        .into_iter()
        .filter(|event| event.class != Class::Read)
        .map(|event| event.what)
        .collect()
}
