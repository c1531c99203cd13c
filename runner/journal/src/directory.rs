//! Where runs are kept.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::JournalError;

/// The directory of one run, readable by its owner alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    state: PathBuf,
    run: String,
    path: PathBuf,
}

/// Why a run could not be found by what was said of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// No run at all is kept.
    #[error("no runs are kept in {}", .0.display())]
    NoRuns(PathBuf),
    /// None begins so.
    #[error("no run is called \"{name}\"; the last one is {last}, `sasrun runs` lists all")]
    NotFound {
        /// What was looked for.
        name: String,
        /// Id of the youngest run.
        last: String,
    },
    /// Several begin so.
    #[error("\"{name}\" is the beginning of {count} runs, such as {first} and {second}")]
    Ambiguous {
        /// What was looked for.
        name: String,
        /// How many begin so.
        count: usize,
        /// The first of them.
        first: String,
        /// The second.
        second: String,
    },
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
        let directory = Self::of(state, run);
        let made = DirBuilder::new().mode(0o700).create(&directory.path);
        made.map_err(|error| JournalError::new("make", &directory.path, &error))?;
        Ok(directory)
    }

    fn of(state: &Path, run: &str) -> Self {
        Self {
            state: state.to_owned(),
            run: run.to_owned(),
            path: state.join("runs").join(run),
        }
    }

    /// All runs that are kept, the oldest first.
    pub fn list(state: &Path) -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(state.join("runs")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("journal").exists())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        // Ids begin with the time that a run began.
        names.sort();
        names.iter().map(|run| Self::of(state, run)).collect()
    }

    /// The run of an id, of the beginning of one that no other shares, or `last`.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn find(state: &Path, name: &str) -> Result<Self, FindError> {
        let mut runs = Self::list(state);
        let Some(last) = runs.last().cloned() else {
            return Err(FindError::NoRuns(state.to_owned()));
        };
        if name == "last" {
            return Ok(last);
        }
        if let Some(exact) = runs.iter().find(|run| run.run == name) {
            return Ok(exact.clone());
        }
        runs.retain(|run| !name.is_empty() && run.run.starts_with(name));
        match runs.as_slice() {
            [] => Err(FindError::NotFound {
                name: name.to_owned(),
                last: last.run,
            }),
            [one] => Ok(one.clone()),
            [first, second, ..] => Err(FindError::Ambiguous {
                name: name.to_owned(),
                count: runs.len(),
                first: first.run.clone(),
                second: second.run.clone(),
            }),
        }
    }

    /// Whether a process is writing its journal.
    pub fn is_running(&self) -> bool {
        let Ok(file) = std::fs::File::open(self.journal()) else {
            return false;
        };
        let taken = rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared);
        taken == Err(rustix::io::Errno::WOULDBLOCK)
    }

    /// Id of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Where the events are.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where large values are.
    pub fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// Where sealed values are.
    pub fn secrets(&self) -> PathBuf {
        self.path.join("secrets")
    }

    /// The key that opens them, apart from the run's own directory.
    pub fn key(&self) -> PathBuf {
        self.state.join("keys").join(&self.run)
    }

    /// Folder that the directory stands in.
    pub(crate) fn above(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// The directory of a journal that is named by its own path.
    pub(crate) fn of_journal(journal: &Path) -> Self {
        let path = journal.parent().map(Path::to_owned).unwrap_or_default();
        let run = path.file_name().unwrap_or_default();
        let state = path.parent().and_then(Path::parent).unwrap_or(&path);
        Self {
            run: run.to_string_lossy().into_owned(),
            state: state.to_owned(),
            path,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_by_its_id_its_beginning_and_as_the_last() {
        let state = tempfile::tempdir().unwrap();
        let find =
            |name: &str| RunDirectory::find(state.path(), name).map(|found| found.run().to_owned());
        assert!(matches!(find("last"), Err(FindError::NoRuns(_))));
        for run in ["20260101-1", "20260102-1", "20260102-10"] {
            let made = RunDirectory::create(state.path(), run).unwrap();
            std::fs::write(made.journal(), "").unwrap();
        }
        assert_eq!(find("last").unwrap(), "20260102-10");
        assert_eq!(find("20260101").unwrap(), "20260101-1");
        assert_eq!(find("20260102-1").unwrap(), "20260102-1");
        assert!(matches!(
            find("20260102"),
            Err(FindError::Ambiguous { count: 2, .. })
        ));
        assert!(matches!(find("3"), Err(FindError::NotFound { .. })));
        assert!(matches!(find(""), Err(FindError::NotFound { .. })));
    }
}
