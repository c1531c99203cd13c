//! Ansible's TOML form: the groups of the YAML form, written as tables.

use sasrun_model::{FileId, Span};
use serde_json::Value as Json;

use super::build::Builder;
use super::json::written;
use crate::codes;
use crate::problem::Problem;
use crate::session::Session;

impl Session<'_> {
    pub(super) fn toml_inventory(&mut self, file: FileId, text: &str, builder: &mut Builder) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let error: toml::de::Error = error;
                let before = error.span().and_then(|span| text.get(..span.start));
                let before = before.unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default();
                let span = Span {
                    file,
                    line: u32::try_from(line).unwrap_or(1),
                    column: u32::try_from(column.chars().count() + 1).unwrap_or(1),
                };
                let message = format!("this is not TOML: {}", error.message());
                self.add(Problem::error(codes::SYNTAX, span, message));
                return;
            }
        };
        let span = Span {
            file,
            line: 1,
            column: 1,
        };
        // Values have no places of their own; the file's name is what can be said.
        let mut document = json(&toml::Value::Table(table));
        for group in document.as_object_mut().into_iter().flatten() {
            name_children(group.1);
        }
        let document = written(&document, span);
        self.yaml_groups(&document, builder);
    }
}

/// Groups below another stand in a list here, and in a mapping in the YAML form.
fn name_children(group: &mut Json) {
    let Some(children) = group.get_mut("children") else {
        return;
    };
    if let Json::Array(names) = children {
        let names = names.iter().filter_map(Json::as_str);
        let named = names.map(|name| (name.to_owned(), Json::Null));
        *children = Json::Object(named.collect());
    }
}

fn json(value: &toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::from(text.as_str()),
        toml::Value::Integer(number) => Json::from(*number),
        toml::Value::Float(number) => Json::from(*number),
        toml::Value::Boolean(value) => Json::from(*value),
        toml::Value::Datetime(time) => Json::from(time.to_string()),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => Json::Object(
            table
                .iter()
                .map(|(key, value)| (key.clone(), json(value)))
                .collect(),
        ),
    }
}
