//! What came of a task on a host.

use serde::{Deserialize, Serialize};

use crate::Value;

/// How a task ended on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Done, nothing changed.
    Ok,
    /// Done, something changed; in check mode: would change.
    Changed,
    /// Not done, for a condition said so.
    Skipped,
    /// Not done in check mode, for only doing it tells.
    CannotKnow,
    /// Failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// Begun, and it is not known how it ended.
    Unknown,
}

impl Status {
    /// Whether what depends on the task must not go on.
    pub fn is_bad(self) -> bool {
        matches!(self, Status::Failed | Status::Unreachable | Status::Unknown)
    }
}

/// What came of a task on a host, or of one item of its loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// What `register` sees, secrets masked where they are shown, not here.
    pub result: Value,
    /// Differences made or predicted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<Difference>,
    /// Sentences for the operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A difference between before and after.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// What the text before is called.
    pub before_header: String,
    /// What the text after is called.
    pub after_header: String,
    /// Text before.
    pub before: String,
    /// Text after.
    pub after: String,
}
