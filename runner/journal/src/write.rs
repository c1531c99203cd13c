//! Writing a journal.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sasrun_model::Event;

use crate::RunDirectory;

/// Why a journal could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action} {}: {reason}", path.display())]
pub struct JournalError {
    action: &'static str,
    path: PathBuf,
    reason: String,
}

impl JournalError {
    pub(crate) fn new(action: &'static str, path: &Path, error: &std::io::Error) -> Self {
        Self {
            action,
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

/// Keeps a run's events, one line of JSON each, in a file of mode 0600.
///
/// Lines are handed to the system one by one, so that they outlive the runner. They are not synced
/// to disk: a crash of the machine may lose the last of them.
#[derive(Debug)]
pub struct JournalWriter {
    file: Mutex<File>,
    path: PathBuf,
}

impl JournalWriter {
    /// Begins the journal of a run.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(directory: &RunDirectory) -> Result<Self, JournalError> {
        let path = directory.journal();
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let file = file.map_err(|error| JournalError::new("make", &path, &error))?;
        Ok(Self {
            file: Mutex::new(file),
            path,
        })
    }

    /// Adds a line, secrets masked by the caller.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&self, line: &str) -> Result<(), JournalError> {
        let mut whole = line.to_owned();
        whole.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.write_all(whole.as_bytes());
        written.map_err(|error| JournalError::new("write", &self.path, &error))
    }

    /// The line of an event.
    ///
    /// # Errors
    /// The event has a value that JSON cannot hold.
    pub fn line(event: &Event) -> Result<String, serde_json::Error> {
        serde_json::to_string(event)
    }
}
