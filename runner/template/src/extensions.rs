//! Filters, tests and lookups that plugins add.

use std::collections::HashMap;
use std::sync::Arc;

use sasrun_model::{Map, Name, Value};

/// Why a plugin's filter, test or lookup gave no value: a fragment in lower case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExtensionError {
    /// What it said.
    pub message: String,
}

impl ExtensionError {
    /// An error with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// A function a plugin offers: positional values (of a filter or test its input first) and keyword values.
pub type ExtensionFunction =
    Arc<dyn Fn(&[Value], &Map) -> Result<Value, ExtensionError> + Send + Sync>;

/// What plugins add to the language. Names may be dotted (`site.network.cidr`); a built-in of the same name wins.
#[derive(Default, Clone)]
pub struct Extensions {
    /// Filters.
    pub filters: HashMap<Name, ExtensionFunction>,
    /// Tests; the value they give must be a boolean.
    pub tests: HashMap<Name, ExtensionFunction>,
    /// Lookups: the positional values are the terms, the value they give must be a list.
    pub lookups: HashMap<Name, ExtensionFunction>,
}

impl std::fmt::Debug for Extensions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extensions")
            .field("filters", &self.filters.keys())
            .field("tests", &self.tests.keys())
            .field("lookups", &self.lookups.keys())
            .finish()
    }
}
