//! sasrun-plugin-opsware
