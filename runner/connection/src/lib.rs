//! Bytes to and from one host.
//!
//! A transport (SSH, or a child of the controller) starts `/bin/sh` and hands over its streams; everything else is one protocol
//! spoken to that shell: commands, files, another identity, time limits, dialogues on a terminal. One shell per host and
//! identity stays open, so that a small command costs one round trip.
//!
//! Must not: know plays, tasks or modules.
//!
//! ```no_run
//! use sasrun_connection::{Command, Connection, Identity, Target};
//!
//! # async fn example() -> Result<(), sasrun_connection::ConnectionError> {
//! let connection = Connection::connect(Target::local("localhost")).await?;
//! let output = connection.run(&Identity::Login, &Command::argv(&["uname", "-r"]), None).await?;
//! assert!(output.status.is_success());
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod r#become;
mod command;
mod connection;
mod dialogue;
mod error;
mod file;
mod identity;
mod job;
mod pool;
mod secret;
mod shell;
mod target;
mod transport;

pub use command::{Command, ExitStatus, Output, OutputSink, Stream, TimedOut};
pub use connection::Connection;
pub use dialogue::{Dialogue, Screen, Sent};
pub use error::{ConnectionError, Problem};
pub use file::batch::{Read, ReadAnswer};
pub use file::cksum::Cksum;
pub use file::read::{FetchedFile, FileContent};
pub use file::stat::{ChecksumAlgorithm, FileKind, FileStat, StatRequest};
pub use file::write::{Content, Expected, WriteFile, WrittenFile};
pub use identity::{Become, BecomeMethod, Identity};
pub use job::{
    BadJobId, HeldDialogue, JobId, JobOffsets, JobRequest, JobStart, JobState, JobStop, JobView,
    ListedJob, Patience, TerminalMaker, Typed,
};
pub use secret::Secret;
pub use shell::captured::Captured;
pub use shell::quote;
pub use target::{Limits, LocalTarget, SshTarget, Target, Transport};
pub use transport::TerminalSize;
pub use transport::ssh::config::SshConfig;
