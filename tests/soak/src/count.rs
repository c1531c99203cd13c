//! Many turns, one after the other, and going on with them where they were interrupted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Bench, Failure, Part, Turn};

/// How far a soak came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The seed.
    pub seed: u64,
    /// Part of the full size.
    #[serde(default)]
    pub size: f64,
    /// How many turns of each part passed.
    #[serde(default)]
    pub passed: BTreeMap<String, u32>,
}

/// Where the progress is kept.
#[derive(Debug)]
pub struct Report {
    path: Option<PathBuf>,
    progress: Progress,
}

/// A turn in which something did not hold.
#[derive(Debug)]
pub struct Failed {
    /// The turn; none when it did not come to turns.
    pub turn: Option<Turn>,
    /// What did not hold.
    pub failure: Failure,
}

impl Report {
    /// Goes on with what is kept in a file, if it was of the same seed and size.
    ///
    /// # Errors
    /// The folder of the file cannot be made.
    pub fn open(path: &Path, seed: u64, size: f64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let kept = std::fs::read(path).ok();
        let kept = kept.and_then(|text| serde_json::from_slice::<Progress>(&text).ok());
        let is_same = |kept: &Progress| kept.seed == seed && (kept.size - size).abs() < 1e-9;
        let fresh = Self::none(seed, size).progress;
        Ok(Self {
            path: Some(path.to_owned()),
            progress: kept.filter(is_same).unwrap_or(fresh),
        })
    }

    /// Keeps nothing.
    pub fn none(seed: u64, size: f64) -> Self {
        Self {
            path: None,
            progress: Progress {
                seed,
                size,
                passed: BTreeMap::new(),
            },
        }
    }

    /// Does turns of a part until so many passed, or one failed.
    ///
    /// # Errors
    /// What did not hold, and in which turn.
    pub fn run(&mut self, part: &Part, bench: &Bench, count: u32) -> Result<(), Failed> {
        let before = |failure| Failed {
            turn: None,
            failure,
        };
        let first = self.progress.passed.get(part.id).copied().unwrap_or(0);
        if first >= count {
            return Ok(());
        }
        let mut stage = (part.begin)(bench).map_err(before)?;
        for nth in first..count {
            let turn = part.turn(nth, count, self.progress.seed);
            stage.once(turn).map_err(|failure| Failed {
                turn: Some(turn),
                failure,
            })?;
            self.progress.passed.insert(part.id.to_owned(), nth + 1);
            self.keep()
                .map_err(|error| before(Failure::System("the progress".to_owned(), error)))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stage;

    /// Fails in its third turn, where the folder has no word that it may pass.
    struct Third;

    impl Stage for Third {
        fn once(&mut self, turn: Turn) -> Result<(), Failure> {
            match turn.number {
                2 => Err(Failure::Output("the third".to_owned())),
                _ => Ok(()),
            }
        }
    }

    const PART: Part = Part {
        id: "T0",
        what: |_| String::new(),
        full_count: 4,
        each: 1,
        begin: |_| Ok(Box::new(Third)),
    };

    #[test]
    fn an_interrupted_soak_goes_on_where_it_was_and_another_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("soak/progress.json");
        let bench = Bench {
            program: PathBuf::new(),
            size: 1.0,
            source: None,
            evidence: PathBuf::new(),
        };
        let mut report = Report::open(&path, 7, 1.0).unwrap();
        let failed = report.run(&PART, &bench, 4).unwrap_err();
        assert_eq!(failed.turn.map(|turn| turn.number), Some(2));
        let passed = |seed, size| Report::open(&path, seed, size).unwrap().progress.passed;
        assert_eq!(passed(7, 1.0).get("T0"), Some(&2));
        assert!(passed(8, 1.0).is_empty() && passed(7, 0.5).is_empty());
        report.finish().unwrap();
        assert!(!path.exists());
    }
}
