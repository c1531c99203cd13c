//! The gateways of a mesh: their properties files, edited by meaning, and who is connected.
//!
//! Nothing here starts or stops a gateway; a changed file is for the next start.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(
    clippy::result_large_err,
    reason = "a failure is what a module returns, once for each task"
)]

mod config;
mod connected;
mod listener;
mod page;
mod properties;
mod spec;
mod tunnel;

use sasrun_plugin::{FunctionModule, Library};

/// Everything that the plugin offers.
pub fn library() -> Library {
    Library::new("gateway", env!("CARGO_PKG_VERSION"))
        .module(FunctionModule::boxed(spec::config(), config::config))
        .module(FunctionModule::boxed(
            spec::connected(),
            connected::connected,
        ))
}

sasrun_plugin::export_plugin!(library);
