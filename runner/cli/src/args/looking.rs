//! Flags of the commands that only look: the inventory and the modules' reference.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::SourceArguments;

/// Flags of `sasrun lint`.
#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    /// Playbooks, roles, and folders that hold them; the present folder where none is named.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    #[command(flatten)]
    pub source: SourceArguments,
}

/// Flags of `sasrun inventory`, named as ansible-inventory's.
#[derive(Debug, Args)]
pub(crate) struct InventoryArguments {
    #[command(flatten)]
    pub source: SourceArguments,

    /// Shows all of it as JSON.
    #[arg(long, conflicts_with_all = ["host", "graph"])]
    pub list: bool,

    /// Shows the variables of a host as JSON.
    #[arg(long, value_name = "HOST", conflicts_with = "graph")]
    pub host: Option<String>,

    /// Shows groups and hosts as a tree.
    #[arg(long)]
    pub graph: bool,

    /// Shows variables in the tree.
    #[arg(long)]
    pub vars: bool,

    /// Writes YAML instead of JSON.
    #[arg(short, long)]
    pub yaml: bool,

    /// Keeps the variables of groups with the groups.
    #[arg(long)]
    pub export: bool,

    /// Writes to this file.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Folder that stands for that of a playbook.
    #[arg(long, value_name = "FOLDER")]
    pub playbook_dir: Option<PathBuf>,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Flags of `sasrun doc`.
#[derive(Debug, Args)]
pub(crate) struct DocArguments {
    /// Modules; none lists all.
    #[arg(value_name = "MODULE")]
    pub modules: Vec<String>,

    /// Folder with plugins. May be given several times.
    #[arg(long, value_name = "FOLDER")]
    pub plugins: Vec<PathBuf>,

    /// Writes one page of Markdown for each module into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub pages: Option<PathBuf>,

    /// Writes the page of all error codes into this file.
    #[arg(long, value_name = "FILE")]
    pub errors: Option<PathBuf>,
}
