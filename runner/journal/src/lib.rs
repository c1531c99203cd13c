//! The record of a run on disk: one directory a run, one checksummed record an event.
//!
//! Knows events and files, nothing of hosts, modules or terminals. The engine's writer asks for an
//! event to be kept and, before anything builds on it, for all kept so far to be durable. The form
//! of the files is described in `docs/journal.md`.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod conceal;
mod directory;
mod disk;
mod error;
mod frame;
mod header;
mod hexadecimal;
mod lock;
mod order;
mod read;
mod reveal;
mod seal;
mod spool;
mod sync;
mod write;

pub use conceal::{FindSecrets, NoSecrets};
pub use directory::{FindError, RunDirectory, state_directory};
pub use disk::{Disk, DiskFile, RealDisk};
pub use error::{JournalError, ReadError};
pub use header::{FORMAT, RunHeader};
pub use lock::{LocalLocks, LockError};
pub use order::{Disorder, Order};
pub use read::{Record, Recovered, Tail, read, read_unsealed};
pub use write::JournalWriter;
