//! What the loader asks of others: template syntax, inventory plugins and scripts, vaults.

use std::path::Path;

use sasrun_model::{Name, Node, Value, Variables};

/// A mistake in a template or expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// What is wrong: a fragment in lower case.
    pub message: String,
    /// Line inside the text, from 1.
    pub line: u32,
    /// Column inside the line, from 1.
    pub column: u32,
}

/// A variable that a template surely looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The variable.
    pub name: Name,
    /// Keys looked for below it, from the outside in.
    pub keys: Vec<Name>,
    /// Line inside the text, from 1.
    pub line: u32,
    /// Column inside the line, from 1.
    pub column: u32,
}

/// Checks templates without rendering them.
pub trait TemplateSyntax: Send + Sync {
    /// Checks a text with template marks.
    ///
    /// # Errors
    /// The text cannot be parsed.
    fn check_template(&self, text: &str) -> Result<(), SyntaxProblem>;

    /// Checks a bare expression, as in `when`.
    ///
    /// # Errors
    /// The expression cannot be parsed.
    fn check_expression(&self, text: &str) -> Result<(), SyntaxProblem>;

    /// Variables that rendering a text surely looks at; none when that is not known.
    fn needed_by_template(&self, text: &str) -> Vec<Need> {
        let _ = text;
        Vec::new()
    }

    /// Variables that evaluating a bare expression surely looks at; none when that is not known.
    fn needed_by_expression(&self, text: &str) -> Vec<Need> {
        let _ = text;
        Vec::new()
    }

    /// Names of the lookups there are, to check `with_…` loops; none when that is not known.
    fn lookups(&self) -> Vec<Name> {
        Vec::new()
    }
}

/// Evaluates what inventories construct of the variables of hosts.
pub trait Evaluate: Send + Sync {
    /// Evaluates a bare expression.
    ///
    /// # Errors
    /// It cannot be parsed, or something in it is undefined or fails.
    fn expression(&self, text: &str, variables: &Variables) -> Result<Value, EvaluationError>;

    /// Decides a condition.
    ///
    /// # Errors
    /// As for expressions, and where the result is neither true nor false.
    fn condition(&self, node: &Node, variables: &Variables) -> Result<bool, EvaluationError>;

    /// Renders a value with all templates in it.
    ///
    /// # Errors
    /// As for expressions.
    fn template(&self, node: &Node, variables: &Variables) -> Result<Value, EvaluationError>;
}

/// Why an expression of an inventory has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct EvaluationError {
    /// What happened: a fragment in lower case.
    pub cause: String,
}

/// Forms of inventories that plugins bring: documents that begin `plugin: NAME`.
pub trait InventorySources: Send + Sync {
    /// Names that documents may give.
    fn names(&self) -> Vec<Name>;

    /// Where they are looked for, in words for people: folders, the nearest first.
    fn places(&self) -> Vec<String> {
        Vec::new()
    }

    /// Turns a document into groups and hosts. None when there is no such source.
    fn read(&self, name: &str, path: &Path, document: &Node) -> Option<SourceInventory>;
}

/// What a plugin made of a document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceInventory {
    /// Groups, in the order they shall be shown in.
    pub groups: Vec<SourceGroup>,
    /// Hosts, in order.
    pub hosts: Vec<SourceHost>,
    /// Whether these are all groups and hosts that a playbook may name.
    pub is_complete: bool,
    /// Anything here refuses the run.
    pub problems: Vec<SourceProblem>,
}

/// A group of a plugin's inventory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceGroup {
    /// Its name.
    pub name: String,
    /// Hosts that are direct members.
    pub hosts: Vec<String>,
    /// Groups below.
    pub children: Vec<String>,
    /// Variables; text with template marks is a template, as in any inventory.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

/// A host of a plugin's inventory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceHost {
    /// Its name.
    pub name: String,
    /// Variables, as those of groups.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

/// Something wrong in a plugin's document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// Line, from 1; 0 when it is about the whole document.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong: a fragment in lower case.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// Runs inventory scripts.
pub trait InventoryScripts: Send + Sync {
    /// Runs the script with the arguments and gives what it printed.
    ///
    /// # Errors
    /// The script cannot be started or ends with another status than 0.
    fn run(&self, script: &Path, arguments: &[&str]) -> Result<String, ScriptError>;
}

/// An inventory script failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct ScriptError {
    /// What happened, with what the script said.
    pub cause: String,
}

/// Opens encrypted values.
pub trait VaultDecrypt: Send + Sync {
    /// Opens an envelope: text that begins `$ANSIBLE_VAULT;`.
    ///
    /// # Errors
    /// There is no secret for it, none fits, or the envelope is damaged.
    fn decrypt(&self, envelope: &str) -> Result<Vec<u8>, VaultError>;

    /// Whether this is what an envelope held that was opened before.
    fn has_held(&self, content: &[u8]) -> bool {
        let _ = content;
        false
    }
}

/// Why an encrypted value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// No password was given.
    #[error("this value is encrypted, and no vault password was given")]
    NoSecret,
    /// None of the passwords opens it.
    #[error("none of the vault passwords opens this value")]
    WrongSecret,
    /// The envelope is not one.
    #[error("the encrypted value is damaged: {detail}")]
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// What it holds is not text.
    #[error("the encrypted value is not UTF-8 text")]
    NotText,
}
