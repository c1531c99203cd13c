//! Many trials, one after the other, and going on with them where they were interrupted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Bench, Failure, Trial};

/// How far trials of a seed came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The seed.
    pub seed: u64,
    /// How many of each passed.
    #[serde(default)]
    pub passed: BTreeMap<String, u32>,
}

/// Where the progress is kept.
#[derive(Debug)]
pub struct Report {
    path: Option<PathBuf>,
    progress: Progress,
}

impl Report {
    /// Goes on with what is kept in a file, if it was of the same seed.
    ///
    /// # Errors
    /// The folder of the file cannot be made.
    pub fn open(path: &Path, seed: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let kept = std::fs::read(path).ok();
        let kept = kept.and_then(|text| serde_json::from_slice::<Progress>(&text).ok());
        let fresh = Progress {
            seed,
            passed: BTreeMap::new(),
        };
        Ok(Self {
            path: Some(path.to_owned()),
            progress: kept.filter(|kept| kept.seed == seed).unwrap_or(fresh),
        })
    }

    /// Keeps nothing.
    pub fn none(seed: u64) -> Self {
        Self {
            path: None,
            progress: Progress {
                seed,
                passed: BTreeMap::new(),
            },
        }
    }

    /// Does a trial until it passed so many times, or failed once.
    ///
    /// # Errors
    /// What did not hold, and the seed of that one.
    pub fn run(&mut self, trial: &Trial, bench: &Bench, count: u32) -> Result<(), (u64, Failure)> {
        let first = self.progress.passed.get(trial.id).copied().unwrap_or(0);
        for number in first..count {
            let seed = self.progress.seed.wrapping_mul(1_000_003) ^ u64::from(number);
            (trial.once)(bench, seed).map_err(|failure| (seed, failure))?;
            self.progress.passed.insert(trial.id.to_owned(), number + 1);
            self.keep().map_err(|error| {
                let what = "the progress".to_owned();
                (seed, Failure::System(what, error))
            })?;
        }
        Ok(())
    }

    fn keep(&self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let draft = path.with_extension("new");
        std::fs::write(&draft, serde_json::to_vec(&self.progress)?)?;
        std::fs::rename(draft, path)
    }

    /// Forgets what was kept, for all of it passed.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn finish(self) -> io::Result<()> {
        match self.path {
            Some(path) if path.exists() => std::fs::remove_file(path),
            _ => Ok(()),
        }
    }
}
