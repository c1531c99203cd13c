//! Gateways: their properties files, the tunnels between them, their status pages, and who watches over them.

pub mod lifeline;
pub mod page;
pub mod properties;
pub mod registry;
pub mod tunnels;
