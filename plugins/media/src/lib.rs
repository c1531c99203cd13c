//! Media as an upgrade meets them: discs, images and exports that are mounted, and which they are.
//!
//! Nothing here writes to a medium, replaces a mount that is there, or forces one off.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod audit;
mod holders;
mod identity;
mod look;
mod mount;
mod mount_table;
mod spec;
mod system;
mod unmount;

use sasrun_plugin::{FunctionModule, Library};

/// Everything that the plugin offers.
pub fn library() -> Library {
    Library::new("media", env!("CARGO_PKG_VERSION"))
        .module(FunctionModule::boxed(spec::mount(), mount::mount))
        .module(FunctionModule::boxed(spec::identify(), identity::identify))
        .module(FunctionModule::boxed(spec::audit(), audit::audit))
}

sasrun_plugin::export_plugin!(library);
