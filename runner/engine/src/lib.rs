//! sasrun-engine
