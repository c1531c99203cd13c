//! How long agents were without a core gateway: looked at all the time, by the lab's own clock.
//!
//! Agents sit behind the agent gateway of their core, or behind a satellite. What is behind such a gateway can be managed
//! while the gateway has a tunnel to a core gateway that runs. Every change goes into the event log as `agents.tunnels`,
//! with the core gateways that are connected now, and with the time without any in `gap_ms` when there is one again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::registry::{self, Running};
use super::tunnels::connected;
use crate::events::{Class, EventLog};
use crate::paths::Shared;
use crate::world::World;

/// Time between two looks; no gap is measured more exactly.
const LOOK: Duration = Duration::from_millis(20);

/// The name of the events.
pub const EVENT: &str = "agents.tunnels";

/// What is known of one gateway with agents behind it.
#[derive(Debug, Clone, Default)]
struct Line {
    core_gateways: BTreeSet<String>,
    lost_at_ms: Option<u64>,
}

/// Watches for ever over the gateways of a mesh that has any agents to lose: one of several cores, or with satellites.
pub fn watch(world: &World, shared: &Shared, now_ms: impl Fn() -> u64) {
    if world.cores.len() < 2 && world.satellites.is_empty() {
        return;
    }
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    loop {
        let at_ms = now_ms();
        for (node, core_gateways) in tunnels_of_agents(&registry::running_in(world, shared), &lines)
        {
            let host = host_of(world, &node);
            let Some((gap_ms, line)) = change(lines.get(&node), core_gateways, at_ms) else {
                continue;
            };
            let mut details = json!({"gateway": node, "connected": line.core_gateways});
            if let (Some(gap), Some(object)) = (gap_ms, details.as_object_mut()) {
                object.insert("gap_ms".to_owned(), gap.into());
            }
            // What cannot be logged shows as a gap that never ended.
            let _ = EventLog::new(shared.clone(), host).write(Class::Read, EVENT, details);
            lines.insert(node, line);
        }
        std::thread::sleep(LOOK);
    }
}

/// Core gateways with a tunnel from each gateway that has agents, those that were seen before included.
fn tunnels_of_agents(
    running: &[Running],
    seen: &BTreeMap<String, Line>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = seen
        .keys()
        .map(|node| (node.clone(), BTreeSet::new()))
        .collect();
    let is_core = |gateway: &Running| gateway.properties.value("Root") == Some("true");
    for tunnel in connected(running) {
        if is_core(tunnel.listener) && !is_core(tunnel.caller) {
            let peers = found.entry(tunnel.caller.node.clone()).or_default();
            peers.insert(tunnel.listener.node.clone());
        }
    }
    found
}

/// The new state of a gateway and the gap that ended, or none where nothing changed.
fn change(
    before: Option<&Line>,
    core_gateways: BTreeSet<String>,
    at_ms: u64,
) -> Option<(Option<u64>, Line)> {
    let old = before.cloned().unwrap_or_default();
    if before.is_some() && old.core_gateways == core_gateways {
        return None;
    }
    let lost_at_ms = core_gateways.is_empty().then_some(at_ms);
    let gap_ms = old
        .lost_at_ms
        .filter(|_| !core_gateways.is_empty())
        .map(|lost| at_ms.saturating_sub(lost));
    Some((
        gap_ms,
        Line {
            core_gateways,
            lost_at_ms,
        },
    ))
}

/// The host of a gateway: a satellite's has its name, a core's ends in the facility's.
fn host_of(world: &World, node: &str) -> String {
    let at_home = |host: &&crate::world::Host| {
        host.name == node
            || registry::services(host)
                .iter()
                .any(|service| service.strip_prefix("opswgw-") == Some(node))
    };
    world
        .hosts()
        .find(at_home)
        .map_or_else(|| "?".to_owned(), |host| host.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_gap_lasts_from_the_last_tunnel_to_the_next() {
        /// When, what was connected, and the gap that ended if anything changed.
        type Look = (u64, &'static [&'static str], Option<Option<u64>>);
        let looks: &[Look] = &[
            (0, &["cgw0-A"], Some(None)),
            (20, &["cgw0-A"], None),
            (40, &["cgw0-A", "cgw0-B"], Some(None)),
            (60, &["cgw0-B"], Some(None)),
            (80, &[], Some(None)),
            (100, &[], None),
            (240, &["cgw0-B"], Some(Some(160))),
        ];
        let mut line = None;
        for (at_ms, peers, wanted) in looks {
            let changed = change(line.as_ref(), set(peers), *at_ms);
            assert_eq!(changed.as_ref().map(|(gap, _)| *gap), *wanted, "{at_ms}");
            line = changed.map(|(_, line)| line).or(line);
        }
    }

    #[test]
    fn a_gateway_that_went_down_has_no_tunnels_left() {
        let seen = BTreeMap::from([("agw0-A".to_owned(), Line::default())]);
        assert_eq!(
            tunnels_of_agents(&[], &seen),
            BTreeMap::from([("agw0-A".to_owned(), BTreeSet::new())])
        );
    }
}
