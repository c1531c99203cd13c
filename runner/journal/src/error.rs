//! Why a journal cannot be written or read.

use std::path::{Path, PathBuf};

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
        Self::because(action, path, error.to_string())
    }

    pub(crate) fn because(action: &'static str, path: &Path, reason: impl Into<String>) -> Self {
        Self {
            action,
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// The file or folder that it is about.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Why a journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file is not there or may not be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file ends before the record with which a run begins.
    #[error("{} ends before the run began: nothing was done; begin it anew", path.display())]
    NotBegun {
        /// The file.
        path: PathBuf,
    },
    /// A record before the end cannot be trusted.
    #[error("{} is damaged at byte {offset}: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the record begins that is damaged.
        offset: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The journal is of a form that a newer sasrun writes.
    #[error(
        "{} is a journal of format {found}, and this sasrun reads formats up to {known}; \
         use the sasrun that wrote it, or a newer one",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest that is known here.
        known: u32,
    },
    /// What was sealed cannot be opened.
    #[error("the secrets of the run cannot be opened with {}: {why}", path.display())]
    Sealed {
        /// The file of the key.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}
