//! YAML as people write it for Ansible: version 1.1, as PyYAML reads it, with the place of every
//! value.
//!
//! Knows nothing of plays or inventories.

mod compose;
mod events;
mod explain;
mod merge;
mod scalar;
#[cfg(test)]
mod tests;

pub(crate) use compose::{Composed, compose};

/// Decides what a `!vault` value becomes: its text, or why it cannot be had.
pub(crate) type Unseal<'a> = dyn Fn(&str) -> Result<String, crate::VaultError> + 'a;

/// Bounds on documents: no file of a person's comes near them.
pub(crate) mod bounds {
    /// Levels of containers inside each other.
    pub(crate) const DEPTH: usize = 100;
    /// Values of one file, aliases written out.
    pub(crate) const VALUES: usize = 5_000_000;
    /// Bytes of one file.
    pub(crate) const FILE_BYTES: u64 = 64 << 20;
}
