//! The nouns of sasrun: what an inventory, a play, a task, an outcome and an event are.
//!
//! Data only. This crate reads no file, asks no clock, draws nothing and knows no runtime.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod catalogue;
mod diagnostic;
mod event;
mod include;
mod input;
mod inventory;
mod keyword;
mod lock;
mod merging;
mod node;
mod outcome;
mod playbook;
mod source;
mod value;

pub use catalogue::{ArgumentProblem, ModuleCatalogue, ModuleEntry};
pub use diagnostic::{Code, Diagnostic, Place, Severity};
pub use event::{
    Decision, Event, EventKind, HostFigures, HostTask, Kept, KeptEffect, RunMode, StepClass,
};
pub use include::{IncludeContext, LoadedRole, LoadedSteps, RoleRequest};
pub use input::{Input, InputKind};
pub use inventory::{Group, Host, Inventory, LayeredVariables};
pub use keyword::{Keyword, Keywords};
pub use lock::LockClaim;
pub use node::{Entry, Node, NodeKind, Text, Variables};
pub use outcome::{Difference, Outcome, Status};
pub use playbook::{
    Action, Block, Branch, GatherFacts, Include, Loop, LoopControl, Parallel, Play, Playbook, Role,
    RoleContext, Step, Strategy, Task,
};
pub use source::{FileId, SourceFile, Sources, Span};
pub use value::{Key, Map, Value};

/// A name of the user's: host, group, variable, module. Cheap to clone.
pub type Name = std::sync::Arc<str>;
