//! The services of a host: which there are, how they run, and the script that starts and stops them.

pub mod catalog;
pub mod control;
pub mod daemon;
pub mod network;
pub mod prerequisite;
pub mod process;
pub mod sas;
