//! Gateways: their properties files, the tunnels between them, and their status pages.

pub mod page;
pub mod properties;
pub mod registry;
pub mod tunnels;
