//! sasrun-load
