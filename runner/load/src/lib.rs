//! Files to model: inventories, playbooks, roles and variables, each value with its place.
//!
//! All problems of all files are reported at once, before anything is contacted: this crate knows
//! no connection, and what a module is only through the catalogue it is given.
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod closest;
pub mod codes;
mod data;
mod files;
mod foresight;
mod inventory;
mod key_values;
mod loader;
mod pattern;
mod playbook;
mod problem;
mod seams;
mod session;
mod templates;
mod variables;
mod yaml;

pub use closest::closest;
pub use data::{DataError, parse_data};
pub use foresight::Outset;
pub use inventory::{InvalidGroupNames, implicit_localhost};
pub use loader::{Loader, Settings, Unparsed};
pub use pattern::{HostPattern, PatternError, Selection};
pub use playbook::{IncludeContext, LoadedRole, LoadedSteps, RoleRequest};
pub use seams::{
    Evaluate, EvaluationError, InventoryScripts, InventorySources, Need, ScriptError, SourceGroup,
    SourceHost, SourceInventory, SourceProblem, SyntaxProblem, TemplateSyntax, VaultDecrypt,
    VaultError,
};
