//! Modules about packages of programming languages.

pub(crate) mod npm;
pub(crate) mod pip;
mod requirement;
