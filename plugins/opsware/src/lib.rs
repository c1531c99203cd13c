//! The plugin for Opsware SAS meshes: the inventory source `opsware_mesh`, and the modules that
//! read, drive and upgrade the servers of a core.
//!
//! Sees nothing of the runner but its contract. Order across hosts is the playbook's business.
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![expect(
    clippy::result_large_err,
    reason = "a failure carries the task's result and is made once per task at most"
)]

mod base64;
mod capacity;
mod component;
mod conflicts;
mod idle;
mod installer;
mod mesh;
mod mesh_state;
mod plan;
mod probe;
mod processes;
mod release;
mod response;
mod rows;
mod service;
mod spelling;
mod version;

use sasrun_plugin::Library;

/// Everything that this plugin offers.
pub fn library() -> Library {
    Library::new("opsware", env!("CARGO_PKG_VERSION"))
        .inventory_source(Box::new(mesh::MeshSource))
        .module(capacity::module())
        .module(conflicts::module())
        .module(idle::module())
        .module(installer::module())
        .module(mesh_state::module())
        .module(plan::module())
        .module(response::module())
        .module(rows::module())
        .module(rows::table_module())
        .module(service::module())
        .module(version::module())
}

sasrun_plugin::export_plugin!(library);
