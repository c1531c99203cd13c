//! 13.5: how long agents were without a core gateway, as the lab measured it.

use std::collections::BTreeMap;

use saslab::events::Event;
use saslab::standin::gateway::lifeline::EVENT;

use super::log::{Log, strings, text};

/// A time during which the agents behind one gateway had no core gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub gateway: String,
    pub ms: u64,
}

/// The longest time without a core gateway that ended, if there was any.
pub fn longest(events: &[Event]) -> Option<Gap> {
    let gaps = events.iter().filter(|event| event.what == EVENT);
    gaps.filter_map(|event| {
        Some(Gap {
            gateway: text(event, "gateway"),
            ms: event.details.get("gap_ms")?.as_u64()?,
        })
    })
    .max_by_key(|gap| gap.ms)
}

/// No gateway stays without a core gateway.
pub(super) fn never_lost(log: &Log) -> Option<String> {
    let mut last: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, event) in log.named(EVENT) {
        last.insert(text(event, "gateway"), strings(event, "connected"));
    }
    let lost = last.iter().find(|(_, connected)| connected.is_empty());
    lost.map(|(gateway, _)| format!("{gateway} has no core gateway at the end"))
}
