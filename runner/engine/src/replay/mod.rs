//! What a run that was cut off had done: read from its events, it answers in place of the hosts.
//!
//! Going on is running again from the top. Every step that ended is answered from here: its
//! outcome, what it did to the state of the run, and what impure functions answered. Knows events
//! alone; what to do with a step whose end is not known is decided where the step is carried out.

mod past;
mod plan;
mod recorded;

pub(crate) use past::Finished;
pub use past::{Past, PastError};
pub use plan::{Fate, HostPlan, Plan};
pub(crate) use recorded::Recorded;
