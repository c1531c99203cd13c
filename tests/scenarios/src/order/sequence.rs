//! MM-6, MM-7 and MM-9: the components in their order.

use std::collections::BTreeMap;

use saslab::world::{Component, Core};

use super::log::{Log, Upgrade, barrier};

/// The guide's order; components of one rank may be in any order among themselves (TRAP-11).
pub(super) const RANKS: &[&[&str]] = &[
    &["truth"],
    &["spin"],
    &["vault"],
    &["way"],
    &["word"],
    &["ogfs"],
    &["occ"],
    &["media", "buildmgr"],
    &["gateway"],
    &["boot"],
];

/// What may go side by side in a destination (MM-9.P).
const DESTINATION_RANKS: &[&[&str]] = &[
    &["spin"],
    &["vault"],
    &["way", "word", "ogfs", "occ", "media", "buildmgr"],
    &["gateway"],
    &["boot"],
];

pub(super) fn databases_before_source(log: &Log) -> Option<String> {
    let source = log.source()?;
    let begun: Vec<_> = log.upgrades_of(source).iter().map(Upgrade::begun).collect();
    for core in log.destinations() {
        let done: Vec<_> = log
            .upgrades_of(core)
            .iter()
            .filter(|one| one.component == "truth" && one.is_good)
            .map(Upgrade::ended)
            .collect();
        if done.is_empty() {
            return Some(format!("the database of {} was never upgraded", core.name));
        }
        if let Some(cause) = barrier(&done, &begun) {
            return Some(cause);
        }
    }
    None
}

pub(super) fn source_in_order(log: &Log) -> Option<String> {
    in_order(log, log.source()?, RANKS)
}

pub(super) fn destinations_in_order(log: &Log) -> Option<String> {
    log.destinations()
        .find_map(|core| in_order(log, core, DESTINATION_RANKS))
}

/// Every component of the core is upgraded, each rank after all of the rank before.
pub(super) fn in_order(log: &Log, core: &Core, ranks: &[&[&str]]) -> Option<String> {
    let upgrades = log.upgrades_of(core);
    let mut before: Vec<&Upgrade> = Vec::new();
    for rank in ranks {
        let here: Vec<&Upgrade> = upgrades
            .iter()
            .filter(|one| rank.contains(&one.component.as_str()))
            .collect();
        if let Some(missing) = missing(core, rank, &here) {
            return Some(missing);
        }
        for one in &here {
            if let Some(late) = before.iter().find(|earlier| earlier.end >= one.begin) {
                return Some(format!("{} before {}", one.begun().text, late.ended().text));
            }
        }
        if !here.is_empty() {
            before.extend(here);
        }
    }
    None
}

fn missing(core: &Core, rank: &[&str], here: &[&Upgrade]) -> Option<String> {
    for host in &core.hosts {
        for id in rank {
            let is_there = Component::from_id(id).is_some_and(|component| host.has(component));
            let is_done = here
                .iter()
                .any(|one| one.host == host.name && one.component == *id && one.is_good);
            if is_there && !is_done {
                return Some(format!("{}: {id} was never upgraded", host.name));
            }
        }
    }
    None
}

pub(super) fn gateway_alone(log: &Log) -> Option<String> {
    for core in &log.world.cores {
        let upgrades = log.upgrades_of(core);
        let gateways = upgrades.iter().filter(|one| one.component == "gateway");
        for gateway in gateways {
            let beside = upgrades
                .iter()
                .find(|one| *one != gateway && one.begin < gateway.end && gateway.begin < one.end);
            if let Some(beside) = beside {
                return Some(format!(
                    "{}: {} was upgraded beside the gateway of {}",
                    beside.host, beside.component, core.name
                ));
            }
        }
    }
    None
}

pub(super) fn one_installer_per_host(log: &Log) -> Option<String> {
    let mut running: BTreeMap<&str, u32> = BTreeMap::new();
    for event in log.events {
        match event.what.as_str() {
            // Whatever ran there is gone.
            "host.boot" => {
                running.remove(event.host.as_str());
            }
            "installer.begin" => {
                let count = running.entry(&event.host).or_default();
                *count += 1;
                if *count > 1 {
                    return Some(format!("{}: a second installer was started", event.host));
                }
            }
            "installer.end" => {
                let count = running.entry(&event.host).or_default();
                *count = count.saturating_sub(1);
            }
            _ => {}
        }
    }
    None
}
