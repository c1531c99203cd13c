//! Runs that are disturbed at random: killed, signalled, raced, cut off, starved of disk. What must hold is judged by ledgers
//! that the steps write, never by what sasrun says of itself.
//!
//! A trial has parts, and a part is a stage with turns: each disturbs one run and says what did not hold. `sassoak` does
//! many of them and goes on where it was interrupted; `make test` does a few.
#![forbid(unsafe_code)]

mod black_holes;
mod count;
mod cuts;
mod damage;
mod dice;
mod flood;
mod full_disk;
mod kills;
mod ledger;
mod mesh;
mod network;
mod playbook;
mod races;
mod run;
mod signals;
mod sshd;
mod trial;
mod trials;

pub use count::{Failed, Progress, Report};
pub use dice::Dice;
pub use ledger::{Ledger, Offence};
pub use trial::{Part, Stage, Trial, Turn};
pub use trials::TRIALS;

use std::path::PathBuf;

/// Why a trial did not hold.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something could not be read, written or started.
    #[error("{0}: {1}")]
    System(String, std::io::Error),
    /// A run ended as it may not.
    #[error("{what} ended with {code:?}:\n{said}")]
    Ended {
        /// What was started.
        what: String,
        /// Its exit code.
        code: Option<i32>,
        /// What it said.
        said: String,
    },
    /// A run did not end.
    #[error("{0} did not end in time:\n{1}")]
    Hangs(String, String),
    /// Ledgers are not as they must be.
    #[error("{} offence(s), the first: {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    Ledger(Vec<Offence>),
    /// The lab could not be started or looked at.
    #[error("the lab: {0:#}")]
    Lab(anyhow::Error),
    /// The upgrade is not as it must be.
    #[error("{0}")]
    Upgrade(String),
    /// What was written or begun is not what came back.
    #[error("{0}")]
    Output(String),
    /// A journal is not what it must be.
    #[error("the journal: {0}")]
    Journal(String),
    /// New steps began after a signal.
    #[error("{0} steps began after the signal")]
    BeganAfterSignal(usize),
    /// Something took longer than it may.
    #[error("{what} took {took_s:.1} s, not {limit_s:.1} s at most:\n{said}")]
    Late {
        /// What.
        what: String,
        /// How long it took.
        took_s: f64,
        /// How long it may take.
        limit_s: f64,
        /// What was said.
        said: String,
    },
}

/// Says of what a failure of the system is.
pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Failure {
    let what = what.into();
    move |error| Failure::System(what, error)
}

/// What a trial needs of its surroundings.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The program under test.
    pub program: PathBuf,
    /// Part of the full size; what lasts long lasts that part of it.
    pub size: f64,
    /// The source tree with the playbooks of the upgrade; none for the one that this was built from.
    pub source: Option<PathBuf>,
    /// Where what a failed turn left is copied to, to be looked at.
    pub evidence: PathBuf,
}

impl Bench {
    /// Whether all is done, with nothing shortened.
    pub(crate) fn is_full(&self) -> bool {
        self.size >= 1.0
    }

    /// Copies a folder of a failed turn.
    pub(crate) fn keep(&self, folder: &std::path::Path, turn: Turn, failure: Failure) -> Failure {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let place = self.evidence.join(format!("turn-{}-{name}", turn.number));
        let made = std::fs::create_dir_all(&self.evidence);
        // It is only for people; a turn failed all the same.
        let _ = made.and_then(|()| {
            let mut copy = std::process::Command::new("cp");
            copy.args(["-R", "-p"]).arg(folder).arg(&place);
            copy.stderr(std::process::Stdio::null()).status()
        });
        failure
    }
}
