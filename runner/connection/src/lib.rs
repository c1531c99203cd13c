//! sasrun-connection
