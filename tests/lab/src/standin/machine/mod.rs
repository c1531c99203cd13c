//! Tools of the operating system that say what the lab wants a host to be.

pub mod locale;
pub mod log_file;
pub mod overlay;
pub mod packages;
pub mod shell;
pub mod sockets;
pub mod uname;
