//! Data: what hosts, plugins and rendered templates give. Never rendered again.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::{Equivalent, IndexMap};

/// A mapping, in the order it was made.
pub type Map = IndexMap<Key, Value>;

/// A value. Cheap to clone: containers and text are shared.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A mapping.
    Map(Arc<Map>),
    /// The value `omit`: an argument that has it is as if not written.
    Omit,
    /// A value that check mode cannot know, with the reason. It spreads: whatever is computed from
    /// it cannot be known either.
    CannotKnow(Arc<str>),
}

/// Key of a mapping. Text keys can be looked up with `&str`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Text, as nearly always.
    Text(Arc<str>),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Nothing.
    Null,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            // Must hash as `str` does, so that a `&str` finds it.
            Key::Text(text) => text.hash(state),
            Key::Int(value) => value.hash(state),
            Key::Bool(value) => value.hash(state),
            Key::Null => 0_u8.hash(state),
        }
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(key, Key::Text(text) if **text == *self)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Key::Text(text.into())
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Text(text) => f.write_str(text),
            Key::Int(value) => write!(f, "{value}"),
            Key::Bool(true) => f.write_str("True"),
            Key::Bool(false) => f.write_str("False"),
            Key::Null => f.write_str("None"),
        }
    }
}

impl Key {
    /// The key that a value makes, if it can be one.
    pub fn from_value(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Key::Null,
            Value::Bool(value) => Key::Bool(*value),
            Value::Int(value) => Key::Int(*value),
            Value::Float(value) => Key::Text(value.to_string().into()),
            Value::Text(text) => Key::Text(Arc::clone(text)),
            _ => return None,
        })
    }

    /// The value that a key is.
    pub fn to_value(&self) -> Value {
        match self {
            Key::Text(text) => Value::Text(Arc::clone(text)),
            Key::Int(value) => Value::Int(*value),
            Key::Bool(value) => Value::Bool(*value),
            Key::Null => Value::Null,
        }
    }
}

impl Value {
    /// Text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Value::Text(text.into())
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Self {
        Value::List(Arc::new(items))
    }

    /// A mapping.
    pub fn map(map: Map) -> Self {
        Value::Map(Arc::new(map))
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The mapping, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Finds the value of a text key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Truth as Jinja has it: nothing, zero and empty are false.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Null | Value::Omit | Value::CannotKnow(_) => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::List(items) => !items.is_empty(),
            Value::Map(map) => !map.is_empty(),
        }
    }

    /// Truth as Ansible's options have it: besides booleans and numbers the words `yes`, `on`,
    /// `true`, `y`, `t`, `1` and their opposites. None for anything else.
    pub fn to_boolean(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            Value::Int(1) => Some(true),
            Value::Int(0) => Some(false),
            Value::Float(value) if *value == 1.0 => Some(true),
            Value::Float(value) if *value == 0.0 => Some(false),
            Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
                "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Why it cannot be known, if any part of it cannot.
    pub fn cannot_know(&self) -> Option<&Arc<str>> {
        match self {
            Value::CannotKnow(reason) => Some(reason),
            Value::List(items) => items.iter().find_map(Value::cannot_know),
            Value::Map(map) => map.values().find_map(Value::cannot_know),
            _ => None,
        }
    }

    /// Name of the kind of value, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Omit => "omit",
            Value::CannotKnow(_) => "a value that cannot be known",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(value) => Value::Int(value),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::Text(text.into()),
            serde_json::Value::Array(items) => {
                Value::list(items.into_iter().map(Value::from).collect())
            }
            serde_json::Value::Object(object) => Value::map(
                object
                    .into_iter()
                    .map(|(key, value)| (Key::Text(key.into()), Value::from(value)))
                    .collect(),
            ),
        }
    }
}

impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null | Value::Omit => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(text) => text.as_ref().into(),
            Value::List(items) => items.iter().map(serde_json::Value::from).collect(),
            Value::Map(map) => serde_json::Value::Object(
                map.iter()
                    .map(|(key, value)| (key.to_string(), value.into()))
                    .collect(),
            ),
            Value::CannotKnow(reason) => format!("(cannot know: {reason})").into(),
        }
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::Value::from(self).serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(Value::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_key_is_found_by_str_and_a_number_is_not() {
        let map: Map = [
            (Key::from("1"), Value::from("text")),
            (Key::Int(1), Value::from("number")),
        ]
        .into_iter()
        .collect();
        assert_eq!(map.get("1"), Some(&Value::from("text")));
        assert_eq!(map.get(&Key::Int(1)), Some(&Value::from("number")));
    }

    #[test]
    fn what_cannot_be_known_is_seen_inside_containers() {
        let inner = Value::CannotKnow("a command".into());
        let value = Value::list(vec![Value::from("known"), Value::list(vec![inner])]);
        assert_eq!(
            value.cannot_know().map(|reason| &**reason),
            Some("a command")
        );
    }
}
