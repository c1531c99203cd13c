//! What one plugin offers, gathered under one roof.

use serde_json::Value;

use crate::{InventorySource, Module};

/// A filter: the value on its left, then the arguments in the parentheses.
pub type FilterFunction = fn(value: &Value, arguments: &[Value]) -> Result<Value, FilterError>;

/// A test (`is …`): the value on its left, then the arguments in the parentheses.
pub type TestFunction = fn(value: &Value, arguments: &[Value]) -> Result<bool, FilterError>;

/// Why a filter or test could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{message}")]
pub struct FilterError {
    /// One sentence for the playbook's author.
    pub message: String,
}

/// Everything a plugin offers. Built once, when it is loaded.
#[derive(Default)]
pub struct Library {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) modules: Vec<Box<dyn Module>>,
    pub(crate) filters: Vec<(String, FilterFunction)>,
    pub(crate) tests: Vec<(String, TestFunction)>,
    pub(crate) sources: Vec<Box<dyn InventorySource>>,
}

impl Library {
    /// Begins a library with the plugin's name and version.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            ..Self::default()
        }
    }

    /// Adds a module.
    #[must_use]
    pub fn module(mut self, module: Box<dyn Module>) -> Self {
        self.modules.push(module);
        self
    }

    /// Adds a filter.
    #[must_use]
    pub fn filter(mut self, name: &str, filter: FilterFunction) -> Self {
        self.filters.push((name.into(), filter));
        self
    }

    /// Adds a test.
    #[must_use]
    pub fn test(mut self, name: &str, test: TestFunction) -> Self {
        self.tests.push((name.into(), test));
        self
    }

    /// Adds an inventory source.
    #[must_use]
    pub fn inventory_source(mut self, source: Box<dyn InventorySource>) -> Self {
        self.sources.push(source);
        self
    }

    /// Name of the plugin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Modules of the plugin.
    pub fn modules(&self) -> &[Box<dyn Module>] {
        &self.modules
    }
}
