//! Exit codes: one meaning each. The page `docs/exit-codes.md` says the same.

/// An internal error.
pub(crate) const INTERNAL: u8 = 1;
/// Usage, syntax, type or lint error; nothing was contacted.
pub(crate) const INPUT: u8 = 3;
/// Another run holds the lock, or it cannot be given back.
pub(crate) const LOCKED: u8 = 5;
/// Stopped before its end, to be gone on with: also when the journal cannot be written.
pub(crate) const PAUSED: u8 = 6;
/// The record of a run is not whole.
pub(crate) const NOT_WHOLE: u8 = 2;
/// No host knows the job that was named.
pub(crate) const UNKNOWN_JOB: u8 = 2;
/// Refused before any change.
pub(crate) const REFUSED: u8 = 8;
