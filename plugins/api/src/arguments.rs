//! Arguments against a module's spec: types, defaults, choices and rules, all problems at once.
//!
//! The rules are Ansible's: `yes` is a boolean, `"5"` an integer, `a,b` a list, `k=v` a dictionary,
//! `0644` permission bits. [`Arguments::check`] is for values that are known; what can be said
//! while some values are still templates, [`check_shape`] says.

use serde_json::Value;

use crate::Object;

mod check;
mod closest;
mod coerce;
mod free_form;
mod mode;

pub use check::check_shape;
pub use closest::closest;
pub use coerce::{parse_size, truth};
pub use free_form::free_form_arguments;
pub use mode::{Mode, ModeError};

/// Something wrong with a task's arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgumentError {
    /// Argument it is about; empty when it is about several. Arguments inside a dictionary are
    /// joined with dots.
    pub argument: String,
    /// What is wrong, in one sentence, with the way out where it is known.
    pub message: String,
    /// The part of it that is about the value alone, as the field `details` of the failure.
    pub details: Option<String>,
}

/// Arguments of one call, validated. Getters return the type that the spec promises.
///
/// An argument that was not given and has no default is absent; one given as `null` counts as not
/// given. A getter asked for a type that the value does not have answers as if it were absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arguments(Object);

impl Arguments {
    /// Wraps arguments that were validated before, such as those of a [`crate::Call`].
    pub fn validated(arguments: Object) -> Self {
        Self(arguments)
    }

    /// Returns the arguments by their canonical names, for a [`crate::Call`].
    pub fn into_object(self) -> Object {
        self.0
    }

    /// Tells whether the argument has a value.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Returns the value as it is; `null` is absent.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Returns a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// Returns a text, empty when absent: for arguments that are required or have a default.
    pub fn text_or_empty(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// Tells whether a boolean argument is true; absent is false.
    pub fn flag(&self, name: &str) -> bool {
        self.given_flag(name).unwrap_or(false)
    }

    /// Returns a boolean, if given.
    pub fn given_flag(&self, name: &str) -> Option<bool> {
        self.value(name)?.as_bool()
    }

    /// Returns an integer.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.value(name)?.as_i64()
    }

    /// Returns a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.value(name)?.as_f64()
    }

    /// Returns the elements of a list as text; a single text is a list of one.
    pub fn strings(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::Array(items)) => items.iter().map(coerce::shown).collect(),
            Some(Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// Returns the elements of a list.
    pub fn list(&self, name: &str) -> &[Value] {
        self.value(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// Returns a dictionary.
    pub fn dictionary(&self, name: &str) -> Option<&Object> {
        self.value(name)?.as_object()
    }

    /// Returns the permission bits that the argument asks for, where `current` are the bits as
    /// they are. Symbolic modes (`u=rw,g-w,o+X`) are applied to `current`. Absent, and `preserve`,
    /// ask for nothing.
    pub fn mode(&self, name: &str, current: u32, is_directory: bool) -> Option<u32> {
        self.mode_form(name)?.bits(current, is_directory)
    }

    /// Returns the permission bits argument in the form in which it was written.
    pub fn mode_form(&self, name: &str) -> Option<Mode> {
        Mode::read(self.value(name)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(value: Value) -> Arguments {
        Arguments::validated(value.as_object().unwrap().clone())
    }

    #[test]
    fn null_is_absent_for_every_getter() {
        let given = arguments(json!({"a": null}));
        assert!(!given.has("a"));
        assert_eq!(given.text("a"), None);
        assert!(!given.flag("a"));
        assert!(given.strings("a").is_empty());
        assert_eq!(given.mode("a", 0o644, false), None);
    }

    #[test]
    fn modes_are_relative_to_what_is_there() {
        let given = arguments(json!({"mode": "u+x,g=", "number": 420, "keep": "preserve"}));
        assert_eq!(given.mode("mode", 0o664, false), Some(0o704));
        assert_eq!(given.mode("number", 0, false), Some(0o644));
        assert_eq!(given.mode("keep", 0o600, false), None);
    }
}
