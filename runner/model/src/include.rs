//! What is asked for and given when steps are loaded at run time.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Name, Node, Role, Span, Step, Variables};

/// Where an include stands that was reached.
#[derive(Debug, Clone, Default)]
pub struct IncludeContext {
    /// Path of identity of the including task; what is loaded gets paths below it.
    pub path: Name,
    /// The including task's span, for problems such as a missing file.
    pub span: Span,
    /// Folder of the file that the including task stands in.
    pub directory: PathBuf,
    /// Folder of the playbook.
    pub playbook_directory: PathBuf,
    /// Folder of the first playbook, which may have imported that one from elsewhere.
    pub root_directory: PathBuf,
    /// The role that the including task belongs to.
    pub role: Option<Arc<Role>>,
    /// Whether a failure around the task is caught or ignored.
    pub catches_failures: bool,
    /// Whether handlers are loaded.
    pub is_handler: bool,
    /// `apply` as written: keywords for everything that is loaded.
    pub apply: Option<Node>,
}

/// Steps that were loaded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadedSteps {
    /// The steps; one block around all when there is an `apply`.
    pub steps: Vec<Step>,
    /// Handlers of roles that the steps import, to be added to the play's.
    pub handlers: Vec<Step>,
}

/// A role to be loaded, as `include_role` names it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoleRequest {
    /// Name of the role.
    pub name: String,
    /// File of tasks instead of `main`.
    pub tasks_from: Option<String>,
    /// File of variables instead of `main`.
    pub vars_from: Option<String>,
    /// File of defaults instead of `main`.
    pub defaults_from: Option<String>,
    /// File of handlers instead of `main`.
    pub handlers_from: Option<String>,
    /// Whether tasks after it see its defaults and variables, where that is said.
    pub is_public: Option<bool>,
    /// Whether its arguments are held against its argument specs.
    pub validates: bool,
    /// Whether it may run again with the same parameters; yes when not said.
    pub allow_duplicates: Option<bool>,
    /// Variables of the including task, which are parameters of the role.
    pub parameters: Variables,
}

/// A role that was loaded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadedRole {
    /// The role.
    pub role: Arc<Role>,
    /// Its dependencies' blocks and its own; one block around all when there is an `apply`.
    pub steps: Vec<Step>,
    /// Handlers of it and its dependencies, to be added to the play's.
    pub handlers: Vec<Step>,
}
