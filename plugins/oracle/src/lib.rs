//! sasrun-plugin-oracle
