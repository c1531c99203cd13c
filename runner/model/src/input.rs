//! What a run was made from: files, each with the hash of what was read of it.

use serde::{Deserialize, Serialize};

/// A file or folder that a run used.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    /// What it was used as.
    pub kind: InputKind,
    /// Where it is, absolute.
    pub path: String,
    /// SHA-256 of its content, in hexadecimal; of a folder that of the list of its files.
    pub sha256: String,
}

/// What an input was used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// A playbook.
    Playbook,
    /// A file of tasks that a playbook includes or imports.
    Tasks,
    /// A file of a role.
    Role,
    /// A source of hosts and groups.
    Inventory,
    /// A file of variables.
    Variables,
    /// A plugin.
    Plugin,
    /// A file that was rendered.
    Template,
    /// A file or folder that was read or sent to hosts.
    File,
    /// Something of a newer version.
    #[serde(other)]
    Other,
}

impl std::fmt::Display for InputKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            InputKind::Playbook => "playbook",
            InputKind::Tasks => "tasks",
            InputKind::Role => "role file",
            InputKind::Inventory => "inventory",
            InputKind::Variables => "variables",
            InputKind::Plugin => "plugin",
            InputKind::Template => "template",
            InputKind::File => "file",
            InputKind::Other => "input",
        })
    }
}
