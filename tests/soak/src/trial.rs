//! What a trial is: parts of turns, each turn a function of a seed and a place among the turns.

use crate::{Bench, Failure};

/// One kind of disturbance.
pub struct Trial {
    /// Its id in the plan of reliability tests.
    pub id: &'static str,
    /// The ways in which it is done.
    pub parts: &'static [Part],
}

/// One way of disturbing.
pub struct Part {
    /// Its own id.
    pub id: &'static str,
    /// What is counted, at a part of the full size.
    pub what: fn(f64) -> String,
    /// Turns at full size.
    pub full_count: u32,
    /// How many of what is counted one turn does.
    pub each: u32,
    /// Gets ready for turns: undisturbed runs, servers, labs.
    pub begin: fn(&Bench) -> Result<Box<dyn Stage>, Failure>,
}

/// Where turns of a part take place.
pub trait Stage {
    /// Disturbs once.
    ///
    /// # Errors
    /// What did not hold.
    fn once(&mut self, turn: Turn) -> Result<(), Failure>;
}

/// One turn of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its place among all turns of the full size.
    pub number: u32,
    /// Seed of its chance.
    pub seed: u64,
}

impl Turn {
    /// The turn of a place, in a soak of a seed.
    pub fn new(number: u32, seed: u64) -> Self {
        Self {
            number,
            seed: seed.wrapping_mul(1_000_003) ^ u64::from(number),
        }
    }
}

impl Part {
    /// How many turns there are at a part of the full size: one at least.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are small and positive"
    )]
    pub fn count(&self, size: f64) -> u32 {
        let count = (f64::from(self.full_count) * size).ceil() as u32;
        count.clamp(1, self.full_count)
    }

    /// The turn that is done as the n-th of so many: they are spread over those of the full size.
    pub fn turn(&self, nth: u32, count: u32, seed: u64) -> Turn {
        let place = u64::from(nth) * u64::from(self.full_count) / u64::from(count.max(1));
        Turn::new(u32::try_from(place).unwrap_or(nth), seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: Part = Part {
        id: "T0",
        what: |_| String::new(),
        full_count: 64,
        each: 1,
        begin: |_| Err(Failure::Output(String::new())),
    };

    #[test]
    fn turns_are_spread_over_those_of_the_full_size() {
        assert_eq!((PART.count(1.0), PART.count(0.1)), (64, 7));
        assert_eq!((PART.count(0.0), PART.count(9.0)), (1, 64));
        let few: Vec<u32> = (0..7).map(|nth| PART.turn(nth, 7, 7).number).collect();
        assert_eq!(few, [0, 9, 18, 27, 36, 45, 54]);
        let all: Vec<u32> = (0..64).map(|nth| PART.turn(nth, 64, 7).number).collect();
        assert_eq!(all, (0..64).collect::<Vec<u32>>());
    }
}
