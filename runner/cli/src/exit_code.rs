//! Exit codes: one meaning each. The page `docs/exit-codes.md` says the same.

/// An internal error.
pub(crate) const INTERNAL: u8 = 1;
/// Usage, syntax, type or lint error; nothing was contacted.
pub(crate) const INPUT: u8 = 3;
