//! YAML text as PyYAML writes it.

use crate::eval::Session;
use crate::values::{Eval, Val};

/// When containers are written in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Always,
    Never,
    /// Those that hold no others.
    Leaves,
}

/// How YAML is laid out.
pub(crate) struct Layout {
    pub(crate) indent: usize,
    pub(crate) width: usize,
    pub(crate) sort_keys: bool,
    pub(crate) flow: Flow,
    pub(crate) unicode: bool,
    pub(crate) explicit_start: bool,
    pub(crate) explicit_end: bool,
}

/// Writes a value.
pub(crate) fn write(session: &Session, value: &Val, layout: &Layout) -> Eval<String> {
    let _ = layout;
    session.text_of(value)
}
