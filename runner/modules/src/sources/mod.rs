//! Modules that bring in what others made: repositories and archives.

pub(crate) mod archive;
pub(crate) mod git;
pub(crate) mod unarchive;
