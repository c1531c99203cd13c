//! What ends a whole run, as opposed to a task on a host.

use sasrun_model::Diagnostic;

use crate::seams::JournalFailure;

/// Why a run could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The user's files do not fit together; found before any host was contacted.
    #[error("{} problem(s) in the playbook", .0.len())]
    Input(Vec<Diagnostic>),
    /// The record of the run cannot be written, so nothing more may be begun.
    #[error(transparent)]
    Journal(#[from] JournalFailure),
}
