//! Files of a host: looked at, read, written, fetched, through the same shell as commands.
//!
//! Must not: need anything on the host but its shell and the usual small programs.

pub(crate) mod batch;
pub(crate) mod bulk;
pub(crate) mod cksum;
pub(crate) mod read;
pub(crate) mod stat;
pub(crate) mod write;
