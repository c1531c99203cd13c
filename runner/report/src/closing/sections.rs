//! Sections of a site's own: what tasks added to the figures of the run with `set_stats`.

use sasrun_model::Outcome;
#[cfg(test)]
use sasrun_model::Value;
use serde_json::{Map, Value as Json};

/// Sections by title, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Sections(Map<String, Json>);

/// A section as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Drawn {
    Lines(Vec<String>),
    Table {
        columns: Vec<String>,
        rows: Vec<Vec<String>>,
    },
}

impl Sections {
    /// Takes what a result adds; anything but such a result adds nothing.
    pub(super) fn take(&mut self, outcome: &Outcome) {
        let Some(stats) = outcome.result.get("ansible_stats").map(Json::from) else {
            return;
        };
        let adds = stats
            .get("aggregate")
            .and_then(Json::as_bool)
            .unwrap_or(true);
        for (title, value) in stats
            .get("data")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            match self.0.get_mut(title) {
                Some(old) if adds => add(old, value),
                _ => {
                    self.0.insert(title.clone(), value.clone());
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every section with its title.
    pub(super) fn drawn(&self) -> impl Iterator<Item = (&str, Drawn)> {
        self.0
            .iter()
            .map(|(title, value)| (title.as_str(), draw(value)))
    }

    /// The first section that parts these hosts into groups: a mapping of lists of their names.
    pub(super) fn groups(&self, hosts: &[String]) -> Vec<(String, Vec<String>)> {
        let list = |value: &Json| -> Option<Vec<String>> {
            let names = value
                .as_array()?
                .iter()
                .map(|name| name.as_str().map(str::to_owned));
            let names: Vec<String> = names.collect::<Option<_>>()?;
            (!names.is_empty()).then_some(names)
        };
        let part = |value: &Json| -> Option<Vec<(String, Vec<String>)>> {
            let groups = value
                .as_object()?
                .iter()
                .map(|(name, value)| Some((name.clone(), list(value)?)));
            groups.collect()
        };
        let fits = |groups: &Vec<(String, Vec<String>)>| {
            let named: Vec<&String> = groups.iter().flat_map(|(_, names)| names).collect();
            !named.is_empty() && hosts.iter().any(|host| named.contains(&host))
        };
        self.0
            .values()
            .filter_map(part)
            .find(fits)
            .unwrap_or_default()
    }
}

/// Adds as Ansible does: lists grow, mappings are laid over, numbers are added, all else is replaced.
fn add(old: &mut Json, new: &Json) {
    match (old, new) {
        (Json::Array(old), Json::Array(new)) => old.extend(new.iter().cloned()),
        (Json::Object(old), Json::Object(new)) => {
            for (key, value) in new {
                old.insert(key.clone(), value.clone());
            }
        }
        (old, new) => match (old.as_i64(), new.as_i64()) {
            (Some(a), Some(b)) => *old = a.saturating_add(b).into(),
            _ => *old = new.clone(),
        },
    }
}

fn draw(value: &Json) -> Drawn {
    match value {
        Json::Array(rows) if !rows.is_empty() && rows.iter().all(Json::is_object) => table(rows),
        Json::Array(items) => Drawn::Lines(items.iter().map(plain).collect()),
        Json::Object(entries) => Drawn::Table {
            columns: Vec::new(),
            rows: entries
                .iter()
                .map(|(key, value)| vec![key.clone(), plain(value)])
                .collect(),
        },
        other => Drawn::Lines(vec![plain(other)]),
    }
}

/// Rows that are mappings: a column for every key, in order of appearance.
fn table(rows: &[Json]) -> Drawn {
    let mut columns: Vec<String> = Vec::new();
    for key in rows.iter().filter_map(Json::as_object).flat_map(Map::keys) {
        if !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    let cell = |row: &Json, column: &String| row.get(column).map(plain).unwrap_or_default();
    let rows = rows
        .iter()
        .map(|row| columns.iter().map(|column| cell(row, column)).collect())
        .collect();
    Drawn::Table { columns, rows }
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Figures that a task added, for tests.
#[cfg(test)]
pub(super) fn result(data: Json) -> Value {
    Value::from(
        serde_json::json!({"ansible_stats": {"data": data, "aggregate": true, "per_host": false}}),
    )
}
