//! How transactions travel between the cores of the mesh.
//!
//! Pure: a model that is moved on by the time that passed and by which services run. Nothing ticks by itself; whoever
//! looks at it, or starts or stops a service that matters, moves it on first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Traffic from the source core to one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Road {
    /// Published, not yet received.
    pub pending: u64,
    pub received: u64,
    pub conflicts: u64,
    /// Time that was too short for a whole transaction, in thousandths of one.
    pub remainder: u64,
}

/// The traffic of the whole mesh.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Lab time up to which the model has been moved on.
    pub at_ms: u64,
    /// Roads by the name of the destination core.
    pub roads: BTreeMap<String, Road>,
}

impl Traffic {
    /// Moves the model on to `now_ms`; `is_open` tells which destinations received in that time.
    pub fn advance(&mut self, now_ms: u64, per_second: u64, is_open: impl Fn(&str) -> bool) {
        let span = now_ms.saturating_sub(self.at_ms);
        self.at_ms = self.at_ms.max(now_ms);
        for (core, road) in &mut self.roads {
            if road.pending == 0 || !is_open(core) {
                road.remainder = 0;
                continue;
            }
            let thousandths = span * per_second + road.remainder;
            let moved = (thousandths / 1000).min(road.pending);
            road.remainder = if moved == road.pending {
                0
            } else {
                thousandths % 1000
            };
            road.pending -= moved;
            road.received += moved;
        }
    }

    /// Publishes transactions to every destination.
    pub fn publish<'a>(&mut self, count: u64, destinations: impl Iterator<Item = &'a str>) {
        for core in destinations {
            self.roads.entry(core.to_owned()).or_default().pending += count;
        }
    }

    /// Turns what a destination has not yet received into conflicts; gives their number.
    pub fn collide(&mut self, core: &str) -> u64 {
        let Some(road) = self.roads.get_mut(core) else {
            return 0;
        };
        let count = road.pending;
        road.conflicts += count;
        road.pending = 0;
        count
    }

    /// Conflicts that the database of a core shows: its own, and at the source those of all.
    pub fn conflicts(&self, core: &str, is_source: bool) -> u64 {
        self.roads
            .iter()
            .filter(|(name, _)| is_source || *name == core)
            .map(|(_, road)| road.conflicts)
            .sum()
    }

    /// Transactions on their way anywhere.
    pub fn pending(&self) -> u64 {
        self.roads.values().map(|road| road.pending).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(count: u64) -> Traffic {
        let mut traffic = Traffic::default();
        traffic.publish(count, ["b", "c"].into_iter());
        traffic
    }

    #[test]
    fn open_roads_drain_and_closed_ones_do_not() {
        let mut traffic = published(100);
        traffic.advance(500, 100, |core| core == "b");
        assert_eq!(
            (traffic.roads["b"].pending, traffic.roads["b"].received),
            (50, 50)
        );
        assert_eq!(traffic.roads["c"].pending, 100);
        traffic.advance(60_000, 100, |_| true);
        assert_eq!((traffic.pending(), traffic.roads["c"].received), (0, 100));
    }

    #[test]
    fn many_short_looks_drain_as_much_as_one_long_one() {
        let mut short = published(1000);
        for now in 1..=1000 {
            short.advance(now, 333, |_| true);
        }
        let mut long = published(1000);
        long.advance(1000, 333, |_| true);
        assert_eq!(short.roads["b"].received, long.roads["b"].received);
    }

    #[test]
    fn time_never_goes_back() {
        let mut traffic = published(10);
        traffic.advance(1000, 1, |_| true);
        traffic.advance(500, 1, |_| true);
        assert_eq!((traffic.at_ms, traffic.roads["b"].received), (1000, 1));
    }

    #[test]
    fn starting_too_early_turns_the_rest_into_conflicts() {
        let mut traffic = published(7);
        assert_eq!(traffic.collide("b"), 7);
        assert_eq!(
            (traffic.conflicts("b", false), traffic.conflicts("c", false)),
            (7, 0)
        );
        assert_eq!(traffic.conflicts("a", true), 7);
        assert_eq!(traffic.roads["b"].pending, 0);
    }
}
