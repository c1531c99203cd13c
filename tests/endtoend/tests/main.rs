//! Tests that run the real program, by subject.
#![allow(clippy::unwrap_used)]

mod becoming;
mod command_line;
mod formats;
mod history;
mod inventory;
mod jobs;
mod language;
mod lint;
mod locks;
mod mutations;
mod plugins;
mod proofs;
mod refusals;
mod resume;
mod secrets;
mod ssh;
mod terminal;
mod whole;
