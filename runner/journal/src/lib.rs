//! sasrun-journal
