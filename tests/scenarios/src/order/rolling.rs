//! ROLL-1 to ROLL-4: core by core, with the agents carried by the others.

use std::collections::{BTreeMap, BTreeSet};

use saslab::standin::gateway::lifeline;
use saslab::world::Core;

use super::log::{Log, Moment, Upgrade, barrier, strings, text};
use super::sequence;

/// Bare stops on the servers of a core: when each began and when the last of each server ended.
fn stops_of(log: &Log, core: &Core, stage: &str) -> Vec<Moment> {
    log.calls("stop", stage)
        .into_iter()
        .filter(|call| {
            call.names.is_empty() && core.hosts.iter().any(|host| host.name == call.host)
        })
        .map(|call| Moment {
            at: call.at,
            text: format!("{}: stop of everything", call.host),
        })
        .collect()
}

fn first_stop(log: &Log) -> Option<Moment> {
    let cores = log.world.cores.iter();
    cores
        .flat_map(|core| stops_of(log, core, "begin"))
        .min_by_key(|stop| stop.at)
}

/// Core gateways that each agent gateway or satellite was connected to before a place in the log.
fn connected_before(log: &Log, limit: usize) -> BTreeMap<String, Vec<String>> {
    let seen = log.named(lifeline::EVENT).filter(|(at, _)| *at < limit);
    seen.map(|(_, event)| (text(event, "gateway"), strings(event, "connected")))
        .collect()
}

/// Every gateway with agents behind it, with its core.
fn lifelines<'a>(log: &'a Log) -> Vec<(String, &'a Core)> {
    let mut all: Vec<(String, &Core)> = Vec::new();
    for core in &log.world.cores {
        all.push((format!("agw0-{}", core.facility.name), core));
        let satellites = log.world.satellites.iter();
        let own = satellites.filter(|satellite| satellite.core == core.name);
        all.extend(own.map(|satellite| (satellite.name.clone(), core)));
    }
    all
}

pub(super) fn tunnels_before_stop(log: &Log) -> Option<String> {
    let Some(stop) = first_stop(log) else {
        return Some("no core was ever stopped".to_owned());
    };
    let seen = connected_before(log, stop.at);
    for (gateway, own) in lifelines(log) {
        let connected = seen.get(&gateway).cloned().unwrap_or_default();
        for other in log.world.cores.iter().filter(|core| core.name != own.name) {
            let wanted = format!("cgw0-{}", other.facility.name);
            if !connected.contains(&wanted) {
                return Some(format!(
                    "{}, while {gateway} was not connected to {wanted}",
                    stop.text
                ));
            }
        }
    }
    None
}

/// Everything that ends a core's part: its components, its uploads, and the last start of a service there.
fn complete(log: &Log, core: &Core) -> Vec<Moment> {
    let here = |host: &str| core.hosts.iter().any(|own| own.name == host);
    let mut all: Vec<Moment> = log
        .upgrades()
        .iter()
        .filter(|one| here(&one.host))
        .map(Upgrade::ended)
        .collect();
    let starts = log.calls("start", "end").into_iter();
    all.extend(starts.filter(|call| here(&call.host)).map(|call| Moment {
        at: call.at,
        text: format!("{}: last start", call.host),
    }));
    all
}

pub(super) fn first_core_first(log: &Log) -> Option<String> {
    let source = log.source()?;
    let done = complete(log, source);
    let mut begun = Vec::new();
    for core in log.destinations() {
        begun.extend(stops_of(log, core, "begin"));
        begun.extend(log.upgrades_of(core).iter().map(Upgrade::begun));
    }
    barrier(&done, &begun)
}

pub(super) fn down_before_components(log: &Log) -> Option<String> {
    for core in &log.world.cores {
        let stops = stops_of(log, core, "end");
        let begun: Vec<Moment> = log.upgrades_of(core).iter().map(Upgrade::begun).collect();
        let running = core.hosts.iter().find(|host| {
            !stops
                .iter()
                .any(|stop| stop.text.starts_with(&format!("{}:", host.name)))
        });
        if let Some(host) = running {
            return Some(format!("{} was never stopped", host.name));
        }
        if let Some(cause) = barrier(&stops, &begun) {
            return Some(cause);
        }
    }
    None
}

pub(super) fn cores_in_order(log: &Log) -> Option<String> {
    let mut cores = log.world.cores.iter();
    cores.find_map(|core| sequence::in_order(log, core, sequence::RANKS))
}

/// Calls back with the services that are down in each core after every event; stops at the first answer.
fn down_after_each(
    log: &Log,
    mut look: impl FnMut(usize, &BTreeMap<&str, BTreeSet<String>>) -> Option<String>,
) -> Option<String> {
    let mut down: BTreeMap<&str, BTreeSet<String>> = log
        .world
        .cores
        .iter()
        .map(|core| (core.name.as_str(), BTreeSet::new()))
        .collect();
    for (at, event) in log.events.iter().enumerate() {
        let Some(host) = log.host(&event.host).filter(|host| !host.satellite) else {
            continue;
        };
        let Some(services) = down.get_mut(host.core.as_str()) else {
            continue;
        };
        let service = format!("{} on {}", text(event, "service"), event.host);
        match event.what.as_str() {
            "service.stop" => services.insert(service),
            "service.start" => services.remove(&service),
            _ => continue,
        };
        if let Some(answer) = look(at, &down) {
            return Some(answer);
        }
    }
    None
}

pub(super) fn one_core_up(log: &Log) -> Option<String> {
    down_after_each(log, |_, down| {
        let is_one_up = down.values().any(BTreeSet::is_empty);
        (!is_one_up).then(|| {
            let some: Vec<&String> = down
                .values()
                .filter_map(|services| services.first())
                .collect();
            format!("no core was fully up: {some:?} and more were down at once")
        })
    })
}

pub(super) fn all_up_at_the_end(log: &Log) -> Option<String> {
    let mut last = None;
    let _ = down_after_each(log, |_, down| {
        last = down.values().flatten().next().cloned();
        None
    });
    last.map(|service| format!("{service} is still down"))
}

pub(super) fn agents_at_home(log: &Log) -> Option<String> {
    let seen = connected_before(log, usize::MAX);
    for (gateway, own) in lifelines(log) {
        let home = format!("cgw0-{}", own.facility.name);
        if !seen
            .get(&gateway)
            .is_some_and(|peers| peers.contains(&home))
        {
            return Some(format!("{gateway} is not connected to {home} at the end"));
        }
    }
    None
}
