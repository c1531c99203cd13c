//! sasrun-plugin-host
