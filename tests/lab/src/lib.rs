//! The simulated mesh: hosts that look like servers of the product, each behind its own SSH server.
//!
//! The library serves the `saslab` binary and the tests that need a lab. It must not know the runner.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod account;
pub mod cli;
pub mod clock;
pub mod events;
pub mod host;
pub mod lab;
pub mod machine;
pub mod paths;
pub mod rehearsal;
pub mod scenario;
pub mod snapshot;
pub mod ssh;
pub mod standin;
pub mod world;
