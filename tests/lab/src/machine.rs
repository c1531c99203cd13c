//! What the lab needs of the kernel: namespaces, mounts, links and the session of a login.
//!
//! Knows nothing of meshes: callers say what to bind and which addresses to give.

pub mod mounts;
pub mod namespaces;
pub mod netlink;
