//! sasrun-template
