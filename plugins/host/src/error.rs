//! What can be wrong with a plugin.

use std::path::PathBuf;
use std::time::Duration;

/// Why a plugin could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// Someone else could have put it there or changed it.
    #[error("{}: not loaded: {reason}; {way_out}", path.display())]
    Untrusted {
        path: PathBuf,
        reason: String,
        way_out: String,
    },
    #[error("{}: cannot be read: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: String },
    #[error("{}: cannot be started: {cause}", path.display())]
    NotStarted { path: PathBuf, cause: String },
    /// It was started and said that it cannot serve.
    #[error("{}: not a usable plugin: {reason}", path.display())]
    Unusable { path: PathBuf, reason: String },
    #[error(
        "{}: speaks version {theirs} of the plugin protocol, but this program speaks {ours}; \
         install a plugin built for this program",
        path.display()
    )]
    WrongVersion {
        path: PathBuf,
        theirs: u32,
        ours: u32,
    },
    #[error("{}: the file has changed since the run began", path.display())]
    Changed { path: PathBuf },
    /// It wrote something that is not a message.
    #[error("{}: the plugin wrote something that is not a message of the protocol: {line}", path.display())]
    Garbage { path: PathBuf, line: String },
    /// It replied with something that does not fit.
    #[error("{}: the plugin's reply does not fit what was asked: {reply}", path.display())]
    Unfitting { path: PathBuf, reply: String },
    #[error("{}: the plugin did not answer within {} s and was given up", path.display(), limit.as_secs_f64())]
    TimedOut { path: PathBuf, limit: Duration },
    #[error("{}: the plugin's process ended: {status}{}", path.display(), said(stderr))]
    Died {
        path: PathBuf,
        status: String,
        stderr: String,
    },
    /// It said that it could not do it.
    #[error("{}: {message}", path.display())]
    Refused { path: PathBuf, message: String },
}

fn said(stderr: &str) -> String {
    match stderr.trim() {
        "" => String::new(),
        text => format!("; it said: {text}"),
    }
}
