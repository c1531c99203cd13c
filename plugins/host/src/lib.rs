//! Finds plugins, judges whether they may be loaded, and talks with them.
//!
//! Every plugin runs in a process of its own, so that one that crashes or hangs costs the tasks
//! that were with it and nothing else. An executable is started as it is; a library is loaded by a
//! child of this very program, which calls [`serve`]. Both speak [`sasrun_plugin::wire`].
//!
//! This crate knows nothing of inventories, plays or hosts, and never decides what a failed plugin
//! means for a run.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod discover;
mod error;
mod library;
mod plugin;
mod process;
mod serve;
mod trust;

pub use discover::{PluginFile, PluginKind, discover};
pub use error::PluginError;
pub use plugin::{
    Plugin, RemoteConversation, RemoteFilter, RemoteModule, RemoteSource, RemoteTest,
};
pub use process::Limits;
pub use serve::serve;
