//! sasrun-modules
