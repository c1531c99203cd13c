//! One host: its files, its mounts and its first process.

pub mod init;
pub mod root;
pub mod stage;
pub mod tools;
