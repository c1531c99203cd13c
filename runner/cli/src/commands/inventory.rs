//! `sasrun inventory`: what an inventory holds, as JSON, as YAML or as a tree.

use std::sync::Arc;

use sasrun_model::{Group, Inventory, LayeredVariables, Name, Node, NodeKind};
use sasrun_report::indented_json;
use sasrun_template::{Binding, Scope, VariableScope};
use serde_json::{Map, Value, json};

use crate::args::InventoryArguments;
use crate::config::Config;
use crate::sources::{Refused, Sources};
use crate::{exit_code, output, settings};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &InventoryArguments) -> anyhow::Result<u8> {
    output::tell_settings(arguments.verbose, &Config::load());
    let sources = Sources::open(&arguments.source, &[])?;
    // `constructed` sources may look at them.
    let extra = sources
        .loader
        .load_extra_variables(&arguments.source.extra_vars);
    if let Err(problems) = extra {
        return Ok(sources.refuse(&problems).0);
    }
    let (inventory, _) = match sources.load(&[]) {
        Ok(loaded) => loaded,
        Err(Refused(code)) => return Ok(code),
    };
    let shown = Shown {
        arguments,
        inventory: Arc::new(inventory),
        merges: settings::merges_dictionaries(&Config::load()),
    };
    if let Some(host) = &arguments.host {
        let Some(variables) = shown.variables_of(host) else {
            output::error_line(&format!(
                "sasrun: there is no host \"{host}\" in the inventory"
            ));
            return Ok(exit_code::INPUT);
        };
        print(&Value::Object(variables), &sources, arguments)?;
    } else if arguments.graph {
        let mut lines = Vec::new();
        shown.graph("all", 0, &mut lines);
        put(&lines.join("\n"), &sources, arguments)?;
    } else if arguments.yaml {
        print(&shown.nested(), &sources, arguments)?;
    } else {
        print(&shown.listed(), &sources, arguments)?;
    }
    Ok(0)
}

/// Writes a value as JSON, or as YAML where that is wanted.
fn print(value: &Value, sources: &Sources, arguments: &InventoryArguments) -> anyhow::Result<()> {
    if !arguments.yaml {
        return put(&indented_json(value), sources, arguments);
    }
    let mut variables = VariableScope::new();
    variables.insert("inventory", Binding::Data(value.clone().into()));
    let scope: Arc<dyn Scope> = Arc::new(variables);
    let yaml = sources
        .templates
        .expression("inventory | to_nice_yaml(indent=2)", &scope)?;
    put(yaml.as_str().unwrap_or_default(), sources, arguments)
}

fn put(text: &str, sources: &Sources, arguments: &InventoryArguments) -> anyhow::Result<()> {
    let text = sources.mask.apply(text.trim_end());
    match &arguments.output {
        Some(file) => std::fs::write(file, format!("{text}\n"))?,
        None => output::line(&text),
    }
    Ok(())
}

/// Variables that the loader adds to each host.
const OF_SOURCES: [&str; 2] = ["inventory_dir", "inventory_file"];

/// Variables of the controller as a host that no inventory names.
fn implicit(host: &str) -> Option<Map<String, Value>> {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
        .then(|| Map::from_iter([("ansible_connection".to_owned(), "local".into())]))
}

struct Shown<'a> {
    arguments: &'a InventoryArguments,
    inventory: Arc<Inventory>,
    /// Whether dictionaries are laid over those of lower precedence.
    merges: bool,
}

impl Shown<'_> {
    /// Variables of a host as written; templates are not rendered.
    fn variables_of(&self, host: &str) -> Option<Map<String, Value>> {
        let Some(host) = self.inventory.hosts.get(host) else {
            return implicit(host);
        };
        if self.arguments.export {
            return Some(own(&host.variables));
        }
        let all = sasrun_engine::inventory_variables(&self.inventory, &host.name, self.merges);
        Some(
            all.iter()
                .filter(|(name, _)| !OF_SOURCES.contains(&&***name))
                .map(|(name, node)| (name.to_string(), written(node)))
                .collect(),
        )
    }

    /// Groups by name, in the form of inventory scripts.
    fn listed(&self) -> Value {
        let mut hostvars = Map::new();
        let hosts = self.inventory.hosts.values();
        for host in hosts.filter(|host| !host.is_implicit) {
            let name = &host.name;
            let own = self.variables_of(name).unwrap_or_default();
            if !own.is_empty() {
                hostvars.insert(name.to_string(), Value::Object(own));
            }
        }
        let mut listed = Map::new();
        let meta = json!({ "hostvars": hostvars, "profile": "inventory_legacy" });
        listed.insert("_meta".into(), meta);
        for group in self.inventory.groups.values() {
            let mut entry = Map::new();
            if !group.children.is_empty() {
                entry.insert("children".into(), texts(&children(group)));
            }
            if !group.hosts.is_empty() {
                entry.insert("hosts".into(), texts(&group.hosts));
            }
            let variables = own(&group.variables);
            if self.arguments.export && !variables.is_empty() {
                entry.insert("vars".into(), Value::Object(variables));
            }
            if !entry.is_empty() {
                listed.insert(group.name.to_string(), Value::Object(entry));
            }
        }
        Value::Object(listed)
    }

    /// Groups inside of groups, in the form of YAML inventories. Variables stand where a host is
    /// met first.
    fn nested(&self) -> Value {
        let mut seen = Vec::new();
        let all = self.nested_group("all", &mut seen, 0);
        match all {
            Value::Object(entries) if entries.is_empty() => json!({}),
            all => json!({ "all": all }),
        }
    }

    fn nested_group(&self, name: &str, seen: &mut Vec<Name>, depth: usize) -> Value {
        let mut entry = Map::new();
        // A group below itself was refused by the loader; the depth is bounded all the same.
        let Some(group) = self.inventory.groups.get(name).filter(|_| depth < 100) else {
            return Value::Object(entry);
        };
        let mut children = Map::new();
        for child in sorted(&group.children) {
            let nested = self.nested_group(&child, seen, depth + 1);
            if nested.as_object().is_some_and(|nested| !nested.is_empty()) {
                children.insert(child.to_string(), nested);
            }
        }
        if !children.is_empty() {
            entry.insert("children".into(), Value::Object(children));
        }
        let hosts = self.nested_hosts(group, seen);
        if !hosts.is_empty() {
            entry.insert("hosts".into(), Value::Object(hosts));
        }
        let variables = own(&group.variables);
        if self.arguments.export && !variables.is_empty() {
            entry.insert("vars".into(), Value::Object(variables));
        }
        Value::Object(entry)
    }

    fn nested_hosts(&self, group: &Group, seen: &mut Vec<Name>) -> Map<String, Value> {
        let mut hosts = Map::new();
        for host in sorted(&group.hosts) {
            let mut variables = Map::new();
            if !seen.contains(&host) {
                variables = self.variables_of(&host).unwrap_or_default();
                seen.push(Arc::clone(&host));
            }
            hosts.insert(host.to_string(), Value::Object(variables));
        }
        hosts
    }

    fn graph(&self, name: &str, depth: usize, lines: &mut Vec<String>) {
        let dashes = if depth == 0 { "" } else { "--" };
        lines.push(format!("{}{dashes}@{name}:", "  |".repeat(depth)));
        let Some(group) = self.inventory.groups.get(name) else {
            return;
        };
        for child in children(group).iter().filter(|_| depth < 100) {
            self.graph(child, depth + 1, lines);
        }
        for host in &group.hosts {
            lines.push(format!("{}--{host}", "  |".repeat(depth + 1)));
            let variables = self.variables_of(host).unwrap_or_default();
            self.graph_variables(&variables, depth + 2, lines);
        }
        self.graph_variables(&own(&group.variables), depth + 1, lines);
    }

    fn graph_variables(
        &self,
        variables: &Map<String, Value>,
        depth: usize,
        lines: &mut Vec<String>,
    ) {
        if !self.arguments.vars {
            return;
        }
        let mut names: Vec<_> = variables.iter().collect();
        names.sort_by_key(|(name, _)| *name);
        for (name, value) in names {
            let text = value.as_str().map_or(value.to_string(), str::to_owned);
            lines.push(format!("{}--{{{name} = {text}}}", "  |".repeat(depth)));
        }
    }
}

/// Groups below, those without a group first.
fn children(group: &Group) -> Vec<Name> {
    let mut names = group.children.clone();
    names.sort_by_key(|name| &**name != "ungrouped");
    names
}

fn texts(names: &[Name]) -> Value {
    names.iter().map(|name| Value::from(&**name)).collect()
}

fn sorted(names: &[Name]) -> Vec<Name> {
    let mut names = names.to_vec();
    names.sort();
    names
}

/// Variables that a host or group brings itself, the later layers winning.
fn own(variables: &LayeredVariables) -> Map<String, Value> {
    let layers = [
        &variables.source,
        &variables.beside_inventory,
        &variables.beside_playbook,
    ];
    layers
        .into_iter()
        .flatten()
        .filter(|(name, _)| !OF_SOURCES.contains(&&***name))
        .map(|(name, node)| (name.to_string(), written(node)))
        .collect()
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
