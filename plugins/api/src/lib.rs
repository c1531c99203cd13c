//! The contract between sasrun and everything that brings it modules, filters, tests and inventory
//! sources, and the kit to write them in Rust.
//!
//! A module is a [`Conversation`]: it never holds a connection, it asks. The same messages serve
//! the built-in modules (in process), libraries loaded at run time (over the C ABI of [`abi`]) and
//! executables in any language (one JSON message per line, see [`wire`]).
//!
//! This crate knows nothing of the runner: no inventory, play or transport.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod abi;
mod answer;
mod arguments;
mod conversation;
mod host;
mod inventory;
mod library;
mod outcome;
pub mod rehearsal;
mod request;
mod spec;
pub mod wire;

pub use answer::{
    Answer, CommandOutput, ControllerEntry, ControllerFile, FileContent, FileKind, FileStatus,
    JobState, JobStatus, ReadAnswer, Refusal, Screen, Written,
};
pub use arguments::{
    ArgumentError, Arguments, Mode, ModeError, check_shape, closest, free_form_arguments,
    parse_size, truth,
};
pub use conversation::{Conversation, Step, converse};
pub use host::Host;
pub use inventory::{
    InventoryGroup, InventoryHost, InventoryProblem, InventoryRequest, InventoryResult,
    InventorySource, Marked, MarkedEntry, MarkedValue,
};
pub use library::{FilterError, FilterFunction, Library, TestFunction};
pub use outcome::{Diff, Effect, Failure, Outcome};
pub use request::{
    Change, Command, Content, ControllerRequest, Declaration, DialogueRequest, JobRequest, JobWish,
    Place, Read, Request, SearchIn, Stat, TreeEntry, TreeEntryKind, WriteFile, WriteTree,
};
pub use spec::{
    ArgumentSpec, ArgumentType, CheckSupport, Example, ModuleSpec, Repetition, Returned,
};

/// JSON object: the shape of arguments and results.
pub type Object = serde_json::Map<String, serde_json::Value>;

use std::future::Future;
use std::pin::Pin;

/// What the engine tells a module about the task it is to carry out.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Call {
    /// Canonical name of the module.
    pub module: String,
    /// Arguments after templating, validated and completed with defaults by the module's spec.
    pub arguments: Object,
    /// Whether the run only predicts. A module rarely needs to look: the engine ends the
    /// conversation at the first declared change.
    #[serde(default)]
    pub check_mode: bool,
    /// Whether the user asked for differences; a module may save itself the work when not.
    #[serde(default)]
    pub diff: bool,
    /// Host the task is about, as the inventory names it.
    pub host: String,
    /// Variables that the module's spec asked for by name, resolved. Absent ones are left out.
    #[serde(default)]
    pub variables: Object,
}

/// What a module's straight-line code comes to.
pub type ModuleResult = Result<Outcome, Failure>;

/// A boxed, straight-line body of a module.
pub type ModuleFuture = Pin<Box<dyn Future<Output = ModuleResult> + Send>>;

/// A kind of task: its description, and how to begin one.
pub trait Module: Send + Sync {
    /// Describes the module: arguments, documentation, support of check mode.
    fn spec(&self) -> &ModuleSpec;

    /// Begins one conversation. Nothing happens until its first [`Conversation::next`].
    fn start(&self, call: Call) -> Box<dyn Conversation>;
}

/// A module made of its spec and a straight-line async function.
pub struct FunctionModule<F> {
    spec: ModuleSpec,
    body: F,
}

impl<F, R> FunctionModule<F>
where
    F: Fn(Call, Host) -> R + Send + Sync + 'static,
    R: Future<Output = ModuleResult> + Send + 'static,
{
    /// Joins a spec and the function that carries it out.
    pub fn new(spec: ModuleSpec, body: F) -> Self {
        Self { spec, body }
    }

    /// Boxes the module for a registry.
    pub fn boxed(spec: ModuleSpec, body: F) -> Box<dyn Module> {
        Box::new(Self::new(spec, body))
    }
}

impl<F, R> Module for FunctionModule<F>
where
    F: Fn(Call, Host) -> R + Send + Sync + 'static,
    R: Future<Output = ModuleResult> + Send + 'static,
{
    fn spec(&self) -> &ModuleSpec {
        &self.spec
    }

    fn start(&self, call: Call) -> Box<dyn Conversation> {
        converse(|host| Box::pin((self.body)(call, host)))
    }
}

/// The examples of the documents must compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/plugins.md")]
struct Documents;
