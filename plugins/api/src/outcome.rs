//! What a conversation comes to.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Object;

/// A task's success: what was found or done.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// Whether anything was changed.
    pub changed: bool,
    /// Whether the module decided that there was nothing to do for it here.
    pub skipped: bool,
    /// Result fields, named as `register` shall see them.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub result: Object,
    /// Facts of the host, merged into its variables.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub facts: Object,
    /// Differences that were made, if not declared before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<Diff>,
    /// Sentences for the operator that do not fail the task.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What the engine shall do with its own state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
}

impl Outcome {
    /// An outcome without a change.
    pub fn unchanged() -> Self {
        Self::default()
    }

    /// An outcome with a change.
    pub fn changed() -> Self {
        Self {
            changed: true,
            ..Self::default()
        }
    }

    /// Adds a result field.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.result.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a warning.
    #[must_use]
    pub fn warn(mut self, sentence: impl Into<String>) -> Self {
        self.warnings.push(sentence.into());
        self
    }
}

/// A change of the engine's own state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
#[non_exhaustive]
pub enum Effect {
    /// Sets variables of the host with the precedence of `set_fact`.
    SetVariables {
        variables: Object,
        #[serde(default)]
        cacheable: bool,
    },
    /// Sets variables of the host with the precedence of `include_vars`.
    IncludeVariables { variables: Object },
    /// Adds a host to the inventory of this run.
    AddHost {
        name: String,
        groups: Vec<String>,
        variables: Object,
    },
    /// Puts the host into groups.
    GroupBy {
        groups: Vec<String>,
        parents: Vec<String>,
    },
    /// Closes the connection, so that the next task logs in anew.
    ResetConnection,
    /// Adds to the figures of the run that the recap shows.
    SetStats {
        data: Object,
        per_host: bool,
        aggregate: bool,
    },
    /// A finding for the closing report.
    Finding { id: String, sentence: String },
    /// A change that has to be taken back later; the sentence says how a person does it. It is
    /// told when the run is given up before that.
    Owe { id: String, sentence: String },
    /// The change of that id was taken back on this host.
    Settle { id: String },
}

/// A task's failure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// What failed, where, and the way out.
    pub msg: String,
    /// Result fields, named as `register` shall see them.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub result: Object,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Whether it is unknown what was done on the host.
    pub unknown: bool,
    /// Whether the host could not be reached.
    pub unreachable: bool,
}

impl Failure {
    /// A failure with its message.
    pub fn new(msg: impl Into<String>) -> Self {
        Self {
            msg: msg.into(),
            ..Self::default()
        }
    }

    /// Adds a result field.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.result.insert(key.to_owned(), value.into());
        self
    }
}

/// A difference between before and after.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Diff {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_header: Option<String>,
    pub before: String,
    pub after: String,
}

impl Diff {
    /// A difference of texts under one header.
    pub fn text(header: &str, before: impl Into<String>, after: impl Into<String>) -> Self {
        Self {
            before_header: Some(header.to_owned()),
            after_header: Some(header.to_owned()),
            before: before.into(),
            after: after.into(),
        }
    }
}
