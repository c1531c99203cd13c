//! Response files: the parameters of a core and the three ways of writing them down.

pub mod dialect;
pub mod parameters;
pub mod timestamp;

/// Where the installer keeps the files it saved.
pub const DIRECTORY: &str = "/var/opt/opsware/install_opsware/resp";

/// Parameter, unknown to the guide, by which the installer recognises a file of its own release.
pub const RELEASE_PARAMETER: &str = "opsware.distribution";
