//! Where runs are kept.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::JournalError;

/// The directory of one run, readable by its owner alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes the directory of a new run below the state directory.
    ///
    /// # Errors
    /// It cannot be made, or is there already.
    pub fn create(state: &Path, run: &str) -> Result<Self, JournalError> {
        let runs = state.join("runs");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&runs);
        made.map_err(|error| JournalError::new("make", &runs, &error))?;
        let path = runs.join(run);
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| JournalError::new("make", &path, &error))?;
        Ok(Self { path })
    }

    /// Where the events are.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Where sasrun keeps its runs: `SASRUN_STATE`, else `XDG_STATE_HOME/sasrun`, else
/// `~/.local/state/sasrun`. The values come from the caller, for this crate asks no environment.
pub fn state_directory(
    named: Option<PathBuf>,
    xdg_state_home: Option<PathBuf>,
    home: Option<PathBuf>,
) -> Option<PathBuf> {
    named
        .or_else(|| {
            xdg_state_home
                .filter(|path| path.is_absolute())
                .map(|path| path.join("sasrun"))
        })
        .or_else(|| home.map(|home| home.join(".local/state/sasrun")))
}
