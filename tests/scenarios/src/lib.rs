//! The upgrade judged in the lab: what is staged, what `sasrun` does about it, and whether that was right.
//!
//! Judged by the lab's event log and by looks at the hosts; of what `sasrun` says, only that it says it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod case;
mod clock;
pub mod drawn;
pub mod judge;
pub mod kept;
mod meddling;
pub mod order;
pub mod pattern;
pub mod prediction;
pub mod scene;
pub mod staging;
mod traces;
pub mod watch;
