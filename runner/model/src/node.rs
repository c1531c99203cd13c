//! Values as the user wrote them: with places, and with templates that are not yet rendered.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::{Key, Map, Name, Span, Value};

/// Variables as written: values may hold templates.
pub type Variables = IndexMap<Name, Arc<Node>>;

/// A value of a file, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// What a written value is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `null`, `~` or nothing.
    Null,
    /// A YAML 1.1 boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text; perhaps a template.
    Text(Text),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<Entry>),
    /// A value that is data whatever it looks like: decrypted, `!unsafe`, or made by the runner.
    Data(Value),
}

/// Text as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: Arc<str>,
    /// Whether it holds template markers. Only text of the user's files, flags and prompts does.
    pub is_template: bool,
}

/// One entry of a written mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key; may be a template in the rare place that allows it.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Text {
    /// Text of the user's: a template if it holds markers.
    pub fn written(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let is_template = text.contains("{{") || text.contains("{%") || text.contains("{#");
        Self { text, is_template }
    }
}

impl Node {
    /// A value without a place that is data.
    pub fn data(value: Value) -> Self {
        Self {
            span: Span::default(),
            kind: NodeKind::Data(value),
        }
    }

    /// Text of the user's at a place.
    pub fn text(span: Span, text: impl Into<Arc<str>>) -> Self {
        Self {
            span,
            kind: NodeKind::Text(Text::written(text)),
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text(text) => Some(&text.text),
            NodeKind::Data(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Finds the value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| entry.key.as_str() == Some(key))
            .map(|e| &e.value)
    }

    /// Entries of a mapping; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Items of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::List(items) => items,
            _ => &[],
        }
    }

    /// Whether nothing in it needs rendering.
    pub fn is_static(&self) -> bool {
        match &self.kind {
            NodeKind::Text(text) => !text.is_template,
            NodeKind::List(items) => items.iter().all(Node::is_static),
            NodeKind::Map(entries) => entries
                .iter()
                .all(|entry| entry.key.is_static() && entry.value.is_static()),
            _ => true,
        }
    }

    /// The value, if nothing in it needs rendering.
    pub fn to_static_value(&self) -> Option<Value> {
        Some(match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Int(value) => Value::Int(*value),
            NodeKind::Float(value) => Value::Float(*value),
            NodeKind::Text(text) if text.is_template => return None,
            NodeKind::Text(text) => Value::Text(Arc::clone(&text.text)),
            NodeKind::List(items) => Value::List(Arc::new(
                items
                    .iter()
                    .map(Node::to_static_value)
                    .collect::<Option<Vec<_>>>()?,
            )),
            NodeKind::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for entry in entries {
                    let key = Key::from_value(&entry.key.to_static_value()?)?;
                    map.insert(key, entry.value.to_static_value()?);
                }
                Value::Map(Arc::new(map))
            }
            NodeKind::Data(value) => value.clone(),
        })
    }

    /// Name of the kind of value, for messages.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(_) => "a boolean",
            NodeKind::Int(_) => "a whole number",
            NodeKind::Float(_) => "a number",
            NodeKind::Text(_) => "text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a mapping",
            NodeKind::Data(value) => value.kind_name(),
        }
    }
}
