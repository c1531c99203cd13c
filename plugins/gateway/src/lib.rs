//! sasrun-plugin-gateway
