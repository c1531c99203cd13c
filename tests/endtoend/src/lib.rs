//! What the end-to-end tests share: a site with a user's files, the real program run in it, and
//! cases as data.
//!
//! The program is taken from the target folder that these tests were built into, or from
//! `SASRUN_BIN`. Tests judge by what tasks left on disk, by exit codes and by what was said.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod case;
mod ended;
mod site;

pub use case::{Case, check_all};
pub use ended::Ended;
pub use site::{Site, program, target_folder};
