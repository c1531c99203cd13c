//! sasrun-model
