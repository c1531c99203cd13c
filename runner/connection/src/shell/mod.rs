//! The protocol spoken to a shell: frames in, marked output back.
//!
//! Must not: know which transport carries it.

pub mod captured;
pub(crate) mod frame;
pub(crate) mod kept;
#[cfg(test)]
mod plain_sh_tests;
pub mod quote;
pub(crate) mod timeout;
