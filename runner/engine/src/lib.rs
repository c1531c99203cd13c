//! Carries a playbook out: which host does what next, in which scope, and what follows from it.
//!
//! The engine reads no file and no flag, draws nothing, and cannot tell a built-in module from a
//! loaded one. Everything that touches the world comes in through [`seams`]; everything it finds
//! out leaves as [`sasrun_model::Event`]s, given out by one dispatcher.
//!
//! Start with [`run`]: plays, then `walk` for blocks and task lists, `task` for one task on one
//! host, `talk` for the conversation with a module.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod content;
mod dispatcher;
mod error;
mod gates;
mod jobs;
mod locks;
mod looking;
mod options;
mod pool;
mod reach;
mod registry;
mod replay;
mod run;
pub mod seams;
mod talk;
mod task;
mod variables;
mod walk;

pub use error::EngineError;
pub use options::{BecomeDefaults, ConnectionDefaults, Gathering, Options, Stop};
pub use registry::{InProcess, Registry, Talk, TaskModule};
pub use replay::{Fate, HostPlan, Past, PastError, Plan};
pub use run::{Parts, Summary, run, unlock};
pub use variables::{MAGIC_NAMES, inventory_variables};
pub use walk::selected_by_tags;
