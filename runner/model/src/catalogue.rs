//! What the loader may ask about modules without knowing where they come from.

use crate::{Name, Node};

/// What is known of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleEntry {
    /// Canonical name.
    pub name: Name,
    /// Whether text after the module's name is allowed.
    pub takes_free_form: bool,
}

/// Something wrong with the arguments of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentProblem {
    /// Argument it is about; none when it is about all.
    pub argument: Option<String>,
    /// What is wrong: a fragment in lower case.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
    /// Whether it is about a literal value rather than a name; such a problem refuses the run only
    /// where nothing around the task catches failures.
    pub is_value: bool,
}

/// All modules there are: built in, loaded, executable.
pub trait ModuleCatalogue: Send + Sync {
    /// Finds a module by any of its names.
    fn find(&self, name: &str) -> Option<ModuleEntry>;

    /// Every name, for suggestions.
    fn names(&self) -> Vec<Name>;

    /// Splits text after the module's name into its arguments, as Ansible does: `k=v` pairs, and
    /// the rest as the free-form argument. None when the text cannot be split.
    fn split_free_form(&self, name: &str, text: &str) -> Option<Vec<(String, String)>>;

    /// Checks what can be checked before templates are rendered.
    fn check_arguments(&self, name: &str, arguments: &Node) -> Vec<ArgumentProblem>;

    /// Arguments whose texts are bare expressions, such as `that` of `assert`; their syntax is
    /// checked when they are loaded.
    fn expression_arguments(&self, name: &str) -> Vec<String> {
        let _ = name;
        Vec::new()
    }
}
