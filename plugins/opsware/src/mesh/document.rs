//! Reading of marked values with their places: types, unknown keys, duplicates.
//!
//! Knows how to complain, not what a mesh is.

use sasrun_plugin::{InventoryProblem, Marked, MarkedEntry, MarkedValue};

use crate::spelling;

/// Collects what is wrong while a document is read.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<InventoryProblem>);

impl Problems {
    /// Notes a problem at a value's place.
    pub(super) fn at(&mut self, place: &Marked, message: impl Into<String>) {
        self.0.push(InventoryProblem::at(place, message));
    }

    /// Notes a problem and the way out.
    pub(super) fn hinted(
        &mut self,
        place: &Marked,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(InventoryProblem::at(place, message).hint(hint));
    }

    /// Entries of a mapping whose keys are text; duplicates are reported.
    pub(super) fn entries<'a>(
        &mut self,
        value: &'a Marked,
        what: &str,
    ) -> Vec<(&'a str, &'a MarkedEntry)> {
        let MarkedValue::Map(entries) = &value.value else {
            self.hinted(
                value,
                format!("{what} must be a mapping, not {}", kind(value)),
                "write `key: value` lines below it",
            );
            return Vec::new();
        };
        let mut seen: Vec<(&str, &MarkedEntry)> = Vec::new();
        for entry in entries {
            let Some(key) = entry.key.as_str() else {
                self.hinted(
                    &entry.key,
                    format!("a key of {what} must be text, not {}", kind(&entry.key)),
                    "put it in quotes",
                );
                continue;
            };
            match seen.iter().find(|(known, _)| *known == key) {
                Some((_, first)) => self.hinted(
                    &entry.key,
                    format!("`{key}` is given twice in {what}"),
                    format!("the first is in line {}", first.key.line),
                ),
                None => seen.push((key, entry)),
            }
        }
        seen
    }

    /// Entries of a mapping that may hold only known keys.
    pub(super) fn fields<'a>(
        &mut self,
        value: &'a Marked,
        what: &str,
        known: &[&str],
    ) -> Fields<'a> {
        let mut fields = Vec::new();
        for (key, entry) in self.entries(value, what) {
            if known.contains(&key) {
                fields.push((key, &entry.value));
            } else {
                self.hinted(
                    &entry.key,
                    format!("unknown key `{key}` in {what}"),
                    spelling::hint(key, known),
                );
            }
        }
        Fields {
            owner: value,
            fields,
        }
    }

    /// Text; a number is taken as it is written.
    pub(super) fn text(&mut self, value: &Marked, what: &str) -> Option<String> {
        match &value.value {
            MarkedValue::Text(text) if text.trim().is_empty() => {
                self.at(value, format!("{what} is empty"));
                None
            }
            MarkedValue::Text(text) => Some(text.clone()),
            MarkedValue::Int(number) => Some(number.to_string()),
            MarkedValue::Float(number) => Some(number.to_string()),
            _ => {
                self.at(value, format!("{what} must be text, not {}", kind(value)));
                None
            }
        }
    }

    /// Text that is one of a few words.
    pub(super) fn choice(&mut self, value: &Marked, what: &str, words: &[&str]) -> Option<String> {
        let text = self.text(value, what)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        self.hinted(
            value,
            format!("{what} cannot be `{text}`"),
            spelling::hint(&text, words),
        );
        None
    }

    /// A whole number within bounds.
    pub(super) fn integer(
        &mut self,
        value: &Marked,
        what: &str,
        least: i64,
        most: i64,
    ) -> Option<i64> {
        match value.value {
            MarkedValue::Int(number) if (least..=most).contains(&number) => Some(number),
            MarkedValue::Int(number) => {
                self.at(
                    value,
                    format!("{what} is {number}, but must be from {least} to {most}"),
                );
                None
            }
            _ => {
                self.at(
                    value,
                    format!("{what} must be a whole number, not {}", kind(value)),
                );
                None
            }
        }
    }

    /// A number of seconds, whole or not.
    pub(super) fn seconds(&mut self, value: &Marked, what: &str) -> Option<f64> {
        let seconds = match value.value {
            MarkedValue::Int(number) => number as f64,
            MarkedValue::Float(number) => number,
            _ => {
                self.hinted(
                    value,
                    format!("{what} must be a number of seconds, not {}", kind(value)),
                    "write it as a number, without a unit",
                );
                return None;
            }
        };
        if seconds > 0.0 && seconds.is_finite() {
            return Some(seconds);
        }
        self.at(value, format!("{what} must be greater than 0"));
        None
    }

    /// Yes or no.
    pub(super) fn boolean(&mut self, value: &Marked, what: &str) -> Option<bool> {
        match value.value {
            MarkedValue::Bool(flag) => Some(flag),
            _ => {
                self.at(
                    value,
                    format!("{what} must be true or false, not {}", kind(value)),
                );
                None
            }
        }
    }

    /// An absolute path.
    pub(super) fn path(&mut self, value: &Marked, what: &str) -> Option<String> {
        let text = self.text(value, what)?;
        if text.starts_with('/') {
            return Some(text);
        }
        self.hinted(
            value,
            format!("{what} must be an absolute path, not `{text}`"),
            "begin it with `/`",
        );
        None
    }

    /// A list of words with the place of each.
    pub(super) fn words<'a>(&mut self, value: &'a Marked, what: &str) -> Vec<(String, &'a Marked)> {
        let MarkedValue::List(elements) = &value.value else {
            self.hinted(
                value,
                format!("{what} must be a list, not {}", kind(value)),
                "write it as `[one, two]`",
            );
            return Vec::new();
        };
        elements
            .iter()
            .filter_map(|element| {
                Some((
                    self.text(element, &format!("an element of {what}"))?,
                    element,
                ))
            })
            .collect()
    }
}

/// Known entries of one mapping.
pub(super) struct Fields<'a> {
    owner: &'a Marked,
    fields: Vec<(&'a str, &'a Marked)>,
}

impl<'a> Fields<'a> {
    /// Finds an entry's value.
    pub(super) fn get(&self, key: &str) -> Option<&'a Marked> {
        self.fields
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| *value)
    }

    /// Finds an entry's value or reports that it is missing.
    pub(super) fn require(
        &self,
        key: &str,
        what: &str,
        problems: &mut Problems,
    ) -> Option<&'a Marked> {
        let found = self.get(key);
        if found.is_none() && matches!(self.owner.value, MarkedValue::Map(_)) {
            problems.at(self.owner, format!("{what} lacks `{key}`"));
        }
        found
    }
}

/// Names the type of a value for people.
fn kind(value: &Marked) -> &'static str {
    match value.value {
        MarkedValue::Null => "nothing",
        MarkedValue::Bool(_) => "true or false",
        MarkedValue::Int(_) | MarkedValue::Float(_) => "a number",
        MarkedValue::Text(_) => "text",
        MarkedValue::List(_) => "a list",
        MarkedValue::Map(_) => "a mapping",
    }
}
