//! The record of a run on disk: one directory a run, one line of JSON an event.
//!
//! Knows events and files, nothing of hosts, modules or terminals. The engine's writer asks for an
//! event to be kept and, before anything builds on it, for all kept so far to be durable.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod directory;
mod read;
mod write;

pub use directory::{RunDirectory, state_directory};
pub use read::{ReadError, read_events};
pub use write::{JournalError, JournalWriter};
