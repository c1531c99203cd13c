//! What the engine needs from outside, as traits: the journal, observers, files, people.

use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use sasrun_model::{
    Diagnostic, Event, IncludeContext, Inventory, LayeredVariables, LoadedRole, LoadedSteps,
    LockClaim, Name, Place, RoleRequest, Span, Variables,
};
use sasrun_plugin::{ControllerFile, SearchIn};

/// Keeps the durable record of a run.
pub trait Journal: Send + Sync {
    /// Adds an event. Durable only once [`durable`](Self::durable) said so.
    ///
    /// # Errors
    /// The record cannot be written; the run then begins nothing new.
    fn append(&self, event: &Event) -> Result<(), JournalFailure>;

    /// Has everything added so far made to survive a crash, beginning at once; the future waits
    /// for it. Calls of several hosts share one wait.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn durable(&self) -> BoxFuture<'static, Result<(), JournalFailure>>;
}

/// What a host pattern comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selected {
    /// The hosts.
    pub hosts: Vec<Name>,
    /// Parts of the pattern that no group and no host matches.
    pub unmatched: Vec<String>,
}

/// An inventory that was read anew while a run goes on.
#[derive(Debug, Default)]
pub struct Reread {
    /// What its sources say now.
    pub inventory: Inventory,
    /// What programs among them printed, by question: a run that goes on gets the same again.
    pub answered: Vec<(String, serde_json::Value)>,
    /// What its reader warns of.
    pub warnings: Vec<Diagnostic>,
}

/// Why the journal cannot be written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the journal cannot be written: {0}")]
pub struct JournalFailure(pub String);

/// Sees every event after the journal did. Best effort: it cannot fail a run.
pub trait Observer {
    /// Takes one event.
    fn event(&mut self, event: &Event);
}

/// Whose variables are looked for in `group_vars/` or `host_vars/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'n> {
    /// A group.
    Group(&'n str),
    /// A host.
    Host(&'n str),
}

/// What the engine asks of the loader while a run goes on.
pub trait Files: Send + Sync {
    /// Hosts of a pattern, in the inventory's order.
    ///
    /// # Errors
    /// The pattern cannot be read.
    fn select(&self, pattern: &str, inventory: &Inventory) -> Result<Selected, String>;

    /// Loads the steps of `include_tasks`.
    ///
    /// # Errors
    /// All problems of the file.
    fn load_tasks(&self, file: &str, at: &IncludeContext) -> Result<LoadedSteps, Vec<Diagnostic>>;

    /// Loads the role of `include_role`.
    ///
    /// # Errors
    /// All problems of its files.
    fn load_role(
        &self,
        request: &RoleRequest,
        at: &IncludeContext,
    ) -> Result<LoadedRole, Vec<Diagnostic>>;

    /// Loads a file of variables.
    ///
    /// # Errors
    /// All problems of the file.
    fn load_variables(&self, path: &Path) -> Result<Variables, Vec<Diagnostic>>;

    /// Variables beside the inventory and the playbook of a group or host that the run itself made.
    ///
    /// # Errors
    /// All problems of the files.
    fn variables_of(
        &self,
        owner: Owner<'_>,
        inventory: &Inventory,
        playbook: &Path,
    ) -> Result<LayeredVariables, Vec<Diagnostic>>;

    /// Reads the inventory anew from its sources.
    ///
    /// # Errors
    /// All problems of the sources; nothing of them is used then.
    fn read_inventory(&self) -> Result<Reread, Vec<Diagnostic>>;

    /// Finds a file of the controller as Ansible searches.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    fn find(&self, name: &str, search: SearchIn, within: &Within) -> Result<PathBuf, String>;

    /// Describes a file or directory of the controller.
    ///
    /// # Errors
    /// It cannot be read.
    fn describe(&self, path: &Path, checksum: Option<&str>) -> Result<ControllerFile, String>;

    /// Describes a file or directory of the controller, and below a directory what links lead to
    /// instead of the links; those that lead nowhere, or to a directory that they lie in, stay links.
    ///
    /// # Errors
    /// It cannot be read.
    fn describe_through_links(
        &self,
        path: &Path,
        checksum: Option<&str>,
    ) -> Result<ControllerFile, String>;

    /// Name of the user that a file of the controller belongs to, if it is there.
    fn owner_of(&self, path: &Path) -> Option<String>;

    /// Reads a file of the controller, opened if it is in a vault.
    ///
    /// # Errors
    /// It cannot be read or opened.
    fn read_opened(&self, path: &Path) -> Result<Vec<u8>, String>;

    /// Reads a text of the controller.
    ///
    /// # Errors
    /// It cannot be read.
    fn read_text(&self, path: &Path) -> Result<String, String>;

    /// Writes a file on the controller.
    ///
    /// # Errors
    /// It cannot be written.
    fn write(&self, path: &Path, content: &[u8]) -> Result<(), String>;

    /// The place that a span names.
    fn place(&self, span: Span) -> Option<Place>;
}

/// Where a search for a file begins.
#[derive(Debug, Clone, Default)]
pub struct Within {
    /// Role folders, innermost first.
    pub roles: Vec<PathBuf>,
    /// Directory of the file the task stands in.
    pub task_directory: PathBuf,
    /// Directory of the play.
    pub play_directory: PathBuf,
}

/// A person, if there is one.
pub trait Console: Send + Sync {
    /// Whether anybody is there to answer.
    fn is_interactive(&self) -> bool;

    /// Asks; gives the line typed, or none when the time passed or nobody is there.
    fn ask(
        &self,
        text: &str,
        echo: bool,
        limit: Option<std::time::Duration>,
    ) -> BoxFuture<'_, Option<String>>;

    /// The answer that a person gave to a gate of this run from elsewhere.
    fn approval(&self, _gate: &str) -> Option<Approval> {
        None
    }
}

/// A person's answer to a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The answer.
    pub answer: String,
    /// Who gave it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The controller's own locks of meshes and inventories.
pub trait LocalLocks: Send + Sync {
    /// Takes a lock, or takes it over where the same run has it. Gives the claim as it is kept.
    ///
    /// # Errors
    /// Another run has it, or it cannot be kept.
    fn take(&self, claim: &LockClaim) -> Result<LockClaim, LockRefusal>;

    /// Gives a lock back, unless somebody took it over.
    ///
    /// # Errors
    /// Why it stays.
    fn release(&self, claim: &LockClaim) -> Result<(), String>;
}

/// Why a lock is not held. Both say what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockRefusal {
    /// Another run has it.
    #[error("{0}")]
    Held(String),
    /// It cannot be kept.
    #[error("{0}")]
    Failed(String),
}

/// Collects the values that no output may show.
pub trait Secrets: Send + Sync {
    /// Registers a value.
    fn register(&self, value: &str);
}
