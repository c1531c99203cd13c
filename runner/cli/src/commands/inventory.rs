//! `sasrun inventory`: what an inventory holds, as JSON or as a tree.

use std::sync::Arc;

use sasrun_model::{Inventory, Name, Node, NodeKind};
use serde_json::{Map, Value, json};

use crate::args::InventoryArguments;
use crate::sources::{Refused, Sources};
use crate::{exit_code, output};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &InventoryArguments) -> anyhow::Result<u8> {
    let sources = Sources::open(&arguments.source, &[])?;
    let (inventory, _) = match sources.load(&[]) {
        Ok(loaded) => loaded,
        Err(Refused(code)) => return Ok(code),
    };
    if let Some(host) = &arguments.host {
        let Some(variables) = variables(&inventory, host) else {
            output::error_line(&format!(
                "sasrun: there is no host \"{host}\" in the inventory"
            ));
            return Ok(exit_code::INPUT);
        };
        print(&Value::Object(variables), &sources);
    } else if arguments.graph {
        graph(&inventory, "all", 0);
    } else {
        print(&list(&inventory), &sources);
    }
    Ok(0)
}

fn print(value: &Value, sources: &Sources) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    output::line(&sources.mask.apply(&text));
}

/// Variables of a host as written; templates are not rendered.
fn variables(inventory: &Inventory, host: &str) -> Option<Map<String, Value>> {
    let host = inventory.hosts.get(host)?;
    let mut all = Map::new();
    for (name, node) in sasrun_engine::inventory_variables(inventory, &host.name) {
        all.insert(name.to_string(), written(&node));
    }
    Some(all)
}

fn list(inventory: &Inventory) -> Value {
    let mut hostvars = Map::new();
    for name in inventory.hosts.keys() {
        let own = variables(inventory, name).unwrap_or_default();
        if !own.is_empty() {
            hostvars.insert(name.to_string(), Value::Object(own));
        }
    }
    let mut listed = Map::new();
    listed.insert("_meta".into(), json!({ "hostvars": hostvars }));
    for group in inventory.groups.values() {
        let mut entry = Map::new();
        let texts = |names: &[Name]| {
            names
                .iter()
                .map(|name| Arc::clone(name).to_string())
                .collect::<Vec<_>>()
        };
        if !group.children.is_empty() {
            entry.insert("children".into(), texts(&group.children).into());
        }
        if !group.hosts.is_empty() {
            entry.insert("hosts".into(), texts(&group.hosts).into());
        }
        if !entry.is_empty() {
            listed.insert(group.name.to_string(), Value::Object(entry));
        }
    }
    Value::Object(listed)
}

/// A value as written: templates stay text.
fn written(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Text(text) => Value::from(&*text.text),
        NodeKind::List(items) => items.iter().map(written).collect(),
        NodeKind::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|entry| {
                    let key = entry.key.to_static_value();
                    let text = key.and_then(|key| key.as_str().map(str::to_owned));
                    (
                        text.unwrap_or_else(|| written(&entry.key).to_string()),
                        written(&entry.value),
                    )
                })
                .collect(),
        ),
        _ => node
            .to_static_value()
            .map_or(Value::Null, |value| (&value).into()),
    }
}

fn graph(inventory: &Inventory, group: &str, depth: usize) {
    let indent = "  |".repeat(depth);
    let dashes = if depth == 0 { "" } else { "--" };
    output::line(&format!("{indent}{dashes}@{group}:"));
    let Some(group) = inventory.groups.get(group) else {
        return;
    };
    // A group below itself was refused by the loader; the depth is bounded all the same.
    for child in group.children.iter().filter(|_| depth < 100) {
        graph(inventory, child, depth + 1);
    }
    for host in &group.hosts {
        output::line(&format!("{}--{host}", "  |".repeat(depth + 1)));
    }
}
