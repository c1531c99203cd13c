//! The lab's time: how much a span of real life is shortened, and how long the lab has been running.

use std::time::Duration;

use rustix::time::ClockId;
use serde::{Deserialize, Serialize};

use crate::paths::Shared;

/// How many times faster than life the lab runs unless told otherwise: a minute of life takes a second.
pub const DEFAULT_SCALE: f64 = 60.0;

/// The clock of one lab.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// How many times faster than life the lab runs.
    pub scale: f64,
    /// The machine's monotonic clock when the lab was started.
    pub started_ms: u64,
}

impl Clock {
    /// A clock that starts now.
    pub fn start(scale: f64) -> Self {
        Self {
            scale,
            started_ms: monotonic_ms(),
        }
    }

    /// The clock of the lab that shares this directory; one that starts now where there is none.
    pub fn read(shared: &Shared) -> Self {
        std::fs::read(shared.clock())
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_else(|| Self::start(DEFAULT_SCALE))
    }

    /// The clock of the lab in which this program runs as part of a host.
    pub fn inside() -> Self {
        Self::read(&Shared::inside())
    }

    /// How long a span of life takes in the lab.
    pub fn shorten(&self, life: Duration) -> Duration {
        if self.scale > 0.0 {
            life.div_f64(self.scale)
        } else {
            life
        }
    }

    /// Milliseconds since the lab was started.
    pub fn elapsed_ms(&self) -> u64 {
        monotonic_ms().saturating_sub(self.started_ms)
    }
}

fn monotonic_ms() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * 1000 + nanos / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_life_takes_a_second() {
        let clock = Clock::start(DEFAULT_SCALE);
        assert_eq!(
            clock.shorten(Duration::from_secs(60)),
            Duration::from_secs(1)
        );
        assert_eq!(
            Clock {
                scale: 0.0,
                ..clock
            }
            .shorten(Duration::from_secs(60)),
            Duration::from_secs(60)
        );
    }
}
