//! The JSON of inventory scripts, and JSON values in general.

use std::path::Path;
use std::sync::Arc;

use sasrun_model::{FileId, Name, Node, NodeKind, Span, Text, Value};
use serde_json::Value as Json;

use super::build::Builder;
use crate::codes;
use crate::problem::Problem;
use crate::session::Session;

impl Session<'_> {
    /// Runs an inventory script and takes in what it prints.
    pub(super) fn script(&mut self, path: &Path, builder: &mut Builder) {
        let file = self.loader.add_source(path, "".into());
        let span = Span {
            file,
            line: 0,
            column: 0,
        };
        let Some(listed) = self.run_script(path, &["--list"], span) else {
            return;
        };
        let Json::Object(groups) = &listed else {
            let message = "an inventory script prints a mapping of groups";
            self.add(Problem::error(codes::INVENTORY_SCRIPT, span, message));
            return;
        };
        for (name, group) in groups {
            if name != "_meta" {
                self.script_group(name, group, span, builder);
            }
        }
        match groups.get("_meta").and_then(|meta| meta.get("hostvars")) {
            Some(Json::Object(hosts)) => {
                for (host, variables) in hosts {
                    let host = builder.add_host("all", host);
                    set_host_variables(builder, &host, variables, span);
                }
            }
            _ => self.script_hosts(path, span, builder),
        }
    }

    /// A script without `_meta` is asked for each host.
    fn script_hosts(&mut self, path: &Path, span: Span, builder: &mut Builder) {
        for host in builder.host_names() {
            if let Some(variables) = self.run_script(path, &["--host", &host], span) {
                set_host_variables(builder, &host, &variables, span);
            }
        }
    }

    fn script_group(&mut self, name: &str, group: &Json, span: Span, builder: &mut Builder) {
        builder.add_group(name);
        let texts = |value: Option<&Json>| -> Vec<String> {
            let items = value.and_then(Json::as_array);
            let texts = items.into_iter().flatten().filter_map(Json::as_str);
            texts.map(str::to_owned).collect()
        };
        // The oldest form is a bare list of hosts.
        let hosts = if group.is_array() {
            Some(group)
        } else {
            group.get("hosts")
        };
        for host in texts(hosts) {
            builder.add_host(name, &host);
        }
        for child in texts(group.get("children")) {
            self.add_child(builder, name, &child, span);
        }
        if let Some(Json::Object(variables)) = group.get("vars") {
            for (key, value) in variables {
                builder.set_group_variable(name, key, Arc::new(written(value, span)));
            }
        }
    }

    fn run_script(&mut self, path: &Path, arguments: &[&str], span: Span) -> Option<Json> {
        let Some(scripts) = self.loader.inventory_scripts.clone() else {
            let message = "inventory scripts are not run here";
            self.add(Problem::error(codes::INVENTORY_SCRIPT, span, message));
            return None;
        };
        let printed = match scripts.run(path, arguments) {
            Ok(printed) => printed,
            Err(error) => {
                self.add(Problem::error(
                    codes::INVENTORY_SCRIPT,
                    span,
                    error.to_string(),
                ));
                return None;
            }
        };
        match serde_json::from_str(&printed) {
            Ok(json) => Some(json),
            Err(error) => {
                let message = format!("the script did not print JSON: {error}");
                self.add(Problem::error(codes::INVENTORY_SCRIPT, span, message));
                None
            }
        }
    }
}

fn set_host_variables(builder: &mut Builder, host: &Name, variables: &Json, span: Span) {
    if let Json::Object(variables) = variables {
        for (key, value) in variables {
            builder.set_host_variable(host, key, Arc::new(written(value, span)));
        }
    }
}

/// Reads text in braces or brackets as JSON. None when it is something else.
pub(crate) fn from_json(text: &str, file: FileId) -> Option<Node> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let json = serde_json::from_str(text).ok()?;
    let span = Span {
        file,
        line: 1,
        column: 1,
    };
    Some(written(&json, span))
}

/// Makes written values of JSON: its texts may be templates.
pub(crate) fn written(json: &Json, span: Span) -> Node {
    let kind = match json {
        Json::String(text) => NodeKind::Text(Text::written(text.as_str())),
        Json::Array(items) => {
            NodeKind::List(items.iter().map(|item| written(item, span)).collect())
        }
        Json::Object(object) => NodeKind::Map(
            object
                .iter()
                .map(|(key, value)| sasrun_model::Entry {
                    key: Node {
                        span,
                        kind: NodeKind::Text(Text {
                            text: key.as_str().into(),
                            is_template: false,
                        }),
                    },
                    value: written(value, span),
                })
                .collect(),
        ),
        other => match Value::from(other.clone()) {
            Value::Bool(value) => NodeKind::Bool(value),
            Value::Int(value) => NodeKind::Int(value),
            Value::Float(value) => NodeKind::Float(value),
            _ => NodeKind::Null,
        },
    };
    Node { span, kind }
}
