//! Arguments against a module's spec: types, defaults, choices and rules, all problems at once.

use serde_json::Value;

use crate::{ArgumentSpec, ArgumentType, ModuleSpec, Object};

/// Something wrong with a task's arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgumentError {
    /// Argument it is about; empty when it is about several.
    pub argument: String,
    /// What is wrong, as a fragment in lower case.
    pub message: String,
}

/// Arguments of one call, validated. Getters return the type that the spec promises.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arguments(Object);
