//! Runs that are disturbed at random: killed, signalled, raced. What must hold is judged by ledgers
//! that the steps write, never by what sasrun says of itself.
//!
//! A trial is a function of a seed: it disturbs one run and says what did not hold. `sassoak` does
//! many of them and goes on where it was interrupted; `make test` does a few.
#![forbid(unsafe_code)]

mod count;
mod cuts;
mod damage;
mod dice;
mod flood;
mod kills;
mod ledger;
mod mesh;
mod playbook;
mod races;
mod run;
mod signals;

pub use count::{Progress, Report};
pub use dice::Dice;
pub use ledger::{Ledger, Offence};

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
}

/// What a trial needs of its surroundings.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The program under test.
    pub program: PathBuf,
}

/// One kind of disturbance.
pub struct Trial {
    /// Its id in the plan of reliability tests.
    pub id: &'static str,
    /// How often it is done at full size.
    pub full_count: u32,
    /// Does it once.
    pub once: fn(&Bench, u64) -> Result<(), Failure>,
}

/// All trials, in order.
pub const TRIALS: [Trial; 8] = [
    Trial {
        id: "T1",
        full_count: 200,
        once: kills::once,
    },
    Trial {
        id: "T1-mesh",
        full_count: 50,
        once: mesh::once,
    },
    Trial {
        id: "T5",
        full_count: 100,
        once: cuts::once,
    },
    Trial {
        id: "T9",
        full_count: 2,
        once: flood::once,
    },
    Trial {
        id: "T13",
        full_count: 50,
        once: signals::once,
    },
    Trial {
        id: "T3-cut",
        full_count: damage::SLICES,
        once: damage::cut_once,
    },
    Trial {
        id: "T3-flip",
        full_count: 100,
        once: damage::flip_once,
    },
    Trial {
        id: "T14",
        full_count: 200,
        once: races::once,
    },
];
