//! Entries of a mapping while it is read: the last of equal keys counts, merged keys give way.

use std::collections::HashMap;

use sasrun_model::{Entry, Node, NodeKind};

use crate::codes;
use crate::problem::Problem;

/// From so many entries on, keys are looked up by their hash.
const INDEX_FROM: usize = 12;

#[derive(Default)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    /// Place of each key, kept once there are many.
    index: HashMap<String, usize>,
    merged: Vec<Entry>,
}

impl Entries {
    /// Adds an entry. A key that is already there takes the new value and a warning.
    pub(super) fn add(&mut self, entry: Entry, problems: &mut Vec<Problem>) {
        match self.position(&entry.key) {
            Some(at) => {
                if let Some(first) = self.entries.get_mut(at) {
                    let name = label(&entry.key);
                    let message = format!("the key `{name}` is here twice; the later one counts");
                    problems.push(
                        Problem::warning(codes::DUPLICATE_KEY, entry.key.span, message)
                            .related(first.key.span, "it is here first"),
                    );
                    *first = entry;
                }
            }
            None => self.push(entry),
        }
    }

    /// Takes in what `<<` brings: a mapping, or a list of them of which the earlier count;
    /// of two `<<` the later counts.
    pub(super) fn merge(&mut self, value: Node) -> Result<(), Problem> {
        let span = value.span;
        match value.kind {
            NodeKind::Map(entries) => self.merged.extend(entries),
            NodeKind::List(items) => {
                for item in items.into_iter().rev() {
                    let NodeKind::Map(entries) = item.kind else {
                        return Err(not_mergeable(item.span));
                    };
                    self.merged.extend(entries);
                }
            }
            _ => return Err(not_mergeable(span)),
        }
        Ok(())
    }

    /// The entries: merged ones first, as PyYAML orders them.
    pub(super) fn into_vec(self) -> Vec<Entry> {
        if self.merged.is_empty() {
            return self.entries;
        }
        let mut all = Entries::default();
        for entry in self.merged.into_iter().chain(self.entries) {
            match all.position(&entry.key) {
                Some(at) => {
                    if let Some(before) = all.entries.get_mut(at) {
                        *before = entry;
                    }
                }
                None => all.push(entry),
            }
        }
        all.entries
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        match self.entries.len() {
            length if length < INDEX_FROM => {}
            INDEX_FROM => {
                let labels = self.entries.iter().map(|entry| identity(&entry.key));
                self.index = labels.enumerate().map(|(at, key)| (key, at)).collect();
            }
            length => {
                if let Some(entry) = self.entries.last() {
                    self.index.insert(identity(&entry.key), length - 1);
                }
            }
        }
    }

    fn position(&self, key: &Node) -> Option<usize> {
        if self.entries.len() >= INDEX_FROM {
            return self.index.get(&identity(key)).copied();
        }
        self.entries
            .iter()
            .position(|entry| entry.key.kind == key.kind)
    }
}

fn not_mergeable(span: sasrun_model::Span) -> Problem {
    Problem::error(
        codes::MERGE,
        span,
        "`<<` takes in a mapping or a list of mappings",
    )
    .hint("give it an alias such as `*defaults`")
}

/// Keys that are equal have equal identities; `1` and `"1"` are not equal.
fn identity(key: &Node) -> String {
    match &key.kind {
        NodeKind::Text(text) => format!("t{}", text.text),
        other => format!("{other:?}"),
    }
}

fn label(key: &Node) -> String {
    match key.to_static_value() {
        Some(value) => sasrun_model::Key::from_value(&value)
            .map(|key| key.to_string())
            .unwrap_or_default(),
        None => key.as_str().unwrap_or_default().to_owned(),
    }
}
