//! Inventory sources: text of a site's own form in, groups and variables out.
//!
//! A source is pure: it gets the parsed document with the place of every value and answers with an
//! inventory or with problems at places. It never reads files or contacts hosts.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Object;

/// Turns documents of one form into inventories.
pub trait InventorySource: Send + Sync {
    /// Name that a document gives in its key `plugin`.
    fn name(&self) -> &str;

    /// Reads one document. All problems of the document are reported at once.
    fn read(&self, request: &InventoryRequest) -> InventoryResult;
}

/// A document for an inventory source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InventoryRequest {
    /// Name of the source, from the document's key `plugin`.
    pub source: String,
    /// Path of the document, for messages.
    pub path: String,
    pub document: Marked,
}

/// A value with its place in the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marked {
    /// Line, counted from 1.
    pub line: u32,
    /// Column, counted from 1.
    pub column: u32,
    pub value: MarkedValue,
}

/// A value whose parts have places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkedValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Text; template markers in it are left as they are.
    Text(String),
    List(Vec<Marked>),
    Map(Vec<MarkedEntry>),
}

/// One entry of a mapping, in the order of the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarkedEntry {
    pub key: Marked,
    pub value: Marked,
}

/// What a source made of a document.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryResult {
    /// Groups in the order they shall be shown in.
    pub groups: IndexMap<String, InventoryGroup>,
    pub hosts: IndexMap<String, InventoryHost>,
    /// Anything here refuses the run.
    pub problems: Vec<InventoryProblem>,
    /// Whether these are all groups and hosts that a playbook may name: a play for another is then
    /// refused.
    pub complete: bool,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryGroup {
    /// Hosts that are members themselves, in order.
    pub hosts: Vec<String>,
    /// Groups below.
    pub children: Vec<String>,
    /// Variables; text in them that holds template markers is a template, as in any inventory.
    pub variables: Object,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryHost {
    pub variables: Object,
}

/// Something wrong in a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InventoryProblem {
    pub line: u32,
    pub column: u32,
    /// What is wrong, as a fragment in lower case.
    pub message: String,
    /// The way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl InventoryProblem {
    /// A problem at the place of a value.
    pub fn at(place: &Marked, message: impl Into<String>) -> Self {
        Self {
            line: place.line,
            column: place.column,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Marked {
    /// Finds a value in a mapping by key.
    pub fn get(&self, key: &str) -> Option<&Marked> {
        self.entries()
            .iter()
            .find(|entry| entry.key.as_str() == Some(key))
            .map(|entry| &entry.value)
    }

    /// Entries of a mapping; none for any other value.
    pub fn entries(&self) -> &[MarkedEntry] {
        match &self.value {
            MarkedValue::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Elements of a list; none for any other value.
    pub fn elements(&self) -> &[Marked] {
        match &self.value {
            MarkedValue::List(elements) => elements,
            _ => &[],
        }
    }

    /// Text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            MarkedValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value without places.
    pub fn to_value(&self) -> Value {
        match &self.value {
            MarkedValue::Null => Value::Null,
            MarkedValue::Bool(value) => Value::from(*value),
            MarkedValue::Int(value) => Value::from(*value),
            MarkedValue::Float(value) => Value::from(*value),
            MarkedValue::Text(value) => Value::from(value.as_str()),
            MarkedValue::List(values) => values.iter().map(Marked::to_value).collect(),
            MarkedValue::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| {
                        let key = match entry.key.to_value() {
                            Value::String(text) => text,
                            other => other.to_string(),
                        };
                        (key, entry.value.to_value())
                    })
                    .collect(),
            ),
        }
    }
}
