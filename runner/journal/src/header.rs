//! The first record: what a run is, and what it was made from.

use std::collections::BTreeMap;

use sasrun_model::{Input, RunMode};
use serde::{Deserialize, Serialize};

/// The form of journals that is written here, and the newest that is read.
pub const FORMAT: u32 = 1;

/// What a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Form of the journal.
    pub format: u32,
    /// Version of sasrun that began the run.
    pub version: String,
    /// Id of the run.
    pub run: String,
    /// Whether it changes or predicts.
    pub mode: RunMode,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: u64,
    /// The command line, the program's name left out.
    pub argv: Vec<String>,
    /// Where it was started, absolute.
    pub directory: String,
    /// Who started it, by login name.
    pub user: String,
    /// Name of the machine it was started on.
    pub host: String,
    /// Number of the process there.
    pub pid: u32,
    /// Files known at the beginning.
    pub inputs: Vec<Input>,
    /// Flags as they were understood.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// Settings of the environment that decide the course of a run, by their names, as far as they were set; none where that was
    /// not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<BTreeMap<String, String>>,
}
