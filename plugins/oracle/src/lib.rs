//! Oracle as an upgrade meets it: is it up, is a connect name right, is a password right.
//!
//! Nothing here starts, stops or changes a database, and nothing tries a password twice.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attempt;
mod login;
mod memory;
mod names;
mod ready;
mod response;
mod spec;
mod tnsnames;
mod verdict;

use sasrun_plugin::{FunctionModule, Library};

/// Everything that the plugin offers.
pub fn library() -> Library {
    let memory = memory::Memory::default();
    Library::new("oracle", env!("CARGO_PKG_VERSION"))
        .module(FunctionModule::boxed(spec::login(), move |call, host| {
            login::login(call, host, memory.clone())
        }))
        .module(FunctionModule::boxed(spec::ready(), ready::ready))
        .module(FunctionModule::boxed(spec::names(), names::names))
}

sasrun_plugin::export_plugin!(library);
