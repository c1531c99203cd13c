//! `constructed`: variables and groups made by expressions over what earlier sources gave.
//!
//! Adds to hosts that are there; makes none.

use std::path::PathBuf;
use std::sync::Arc;

use sasrun_model::{Host, Inventory, Name, Node, NodeKind, Value, Variables};

use super::build::Builder;
use crate::codes;
use crate::problem::Problem;
use crate::seams::{Evaluate, EvaluationError};
use crate::session::Session;

/// What a document of this form asks for.
struct Wishes<'d> {
    document: &'d Node,
    is_strict: bool,
    has_leading_separator: bool,
}

/// What becomes of one host.
#[derive(Default)]
struct Found {
    variables: Vec<(Name, Value)>,
    /// Groups it joins, each with the group above, if one is wanted.
    groups: Vec<(String, Option<String>)>,
}

/// Why a host cannot be placed: the sentence, and the place of the entry.
type Refused = (String, sasrun_model::Span);

impl Session<'_> {
    /// Reads a document of the form; `directories` are those of the sources so far.
    pub(super) fn constructed(
        &mut self,
        document: &Node,
        directories: &[PathBuf],
        builder: &mut Builder,
    ) {
        let Some(evaluate) = self.loader.evaluate.clone() else {
            let message = "expressions of inventories are not evaluated here";
            self.add(Problem::error(codes::INVENTORY, document.span, message));
            return;
        };
        let flag = |name: &str| document.get(name).and_then(Node::to_static_value);
        let flag = |name: &str| flag(name).and_then(|value| value.to_boolean());
        let wishes = Wishes {
            document,
            is_strict: flag("strict").unwrap_or(false),
            has_leading_separator: flag("leading_separator").unwrap_or(true),
        };
        let mut inventory = builder.clone().finish();
        if flag("use_vars_plugins").unwrap_or(false) {
            for directory in directories {
                self.variables_beside_inventory(&mut inventory, directory);
            }
        }
        let extra = if flag("use_extra_vars").unwrap_or(false) {
            self.loader.state().extra.clone()
        } else {
            Variables::new()
        };
        for host in inventory.hosts.values() {
            let mut variables = variables_of(&inventory, host);
            variables.extend(extra.clone());
            match wishes.place(&*evaluate, host, variables) {
                Ok(found) => take_in(builder, &host.name, found),
                Err((message, span)) => {
                    self.add(Problem::error(codes::INVENTORY, span, message));
                    return;
                }
            }
        }
    }
}

fn take_in(builder: &mut Builder, host: &Name, found: Found) {
    for (name, value) in found.variables {
        builder.set_host_variable(host, &name, Arc::new(Node::data(value)));
    }
    for (group, parent) in found.groups {
        builder.add_host(&group, host);
        if let Some(parent) = parent {
            builder.add_child(&parent, &group);
        }
    }
}

impl Wishes<'_> {
    fn place(
        &self,
        evaluate: &dyn Evaluate,
        host: &Host,
        mut variables: Variables,
    ) -> Result<Found, Refused> {
        let mut found = Found::default();
        for entry in self.entries("compose") {
            let Some(name) = entry.key.as_str() else {
                continue;
            };
            let outcome = expression(evaluate, &entry.value, &variables);
            if let Some(value) = self.bearable(outcome, entry.value.span, || {
                format!("`{name}` cannot be set for {}", host.name)
            })? {
                variables.insert(name.into(), Arc::new(Node::data(value.clone())));
                found.variables.push((name.into(), value));
            }
        }
        for entry in self.entries("groups") {
            let Some(name) = entry.key.as_str() else {
                continue;
            };
            let outcome = evaluate.condition(&entry.value, &variables);
            let belongs = self.bearable(outcome, entry.value.span, || {
                format!("whether {} belongs to `{name}` cannot be said", host.name)
            })?;
            if belongs == Some(true) {
                found.groups.push((name.to_owned(), None));
            }
        }
        for keyed in self
            .document
            .get("keyed_groups")
            .map_or(&[][..], Node::items)
        {
            self.keyed(evaluate, host, &variables, keyed, &mut found)?;
        }
        Ok(found)
    }

    fn entries(&self, key: &str) -> &[sasrun_model::Entry] {
        self.document.get(key).map_or(&[], Node::entries)
    }

    /// A value, none where the expression failed and that is borne, or the refusal.
    fn bearable<T>(
        &self,
        outcome: Result<T, EvaluationError>,
        span: sasrun_model::Span,
        what: impl FnOnce() -> String,
    ) -> Result<Option<T>, Refused> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.is_strict => Err((format!("{}: {error}", what()), span)),
            Err(_) => Ok(None),
        }
    }

    /// Groups by the value of an expression.
    fn keyed(
        &self,
        evaluate: &dyn Evaluate,
        host: &Host,
        variables: &Variables,
        keyed: &Node,
        found: &mut Found,
    ) -> Result<(), Refused> {
        let Some(key) = keyed.get("key") else {
            return Err((
                "an entry of `keyed_groups` has no `key`".to_owned(),
                keyed.span,
            ));
        };
        let outcome = expression(evaluate, key, variables);
        let what = || format!("no group can be made for {}", host.name);
        let Some(value) = self.bearable(outcome, key.span, what)? else {
            return Ok(());
        };
        let default = keyed.get("default_value").and_then(text_of);
        let trailing = keyed
            .get("trailing_separator")
            .and_then(Node::to_static_value);
        if default.is_some() && trailing.is_some() {
            let message = "`default_value` and `trailing_separator` exclude each other";
            return Err((message.to_owned(), keyed.span));
        }
        let is_trailing = trailing.and_then(|value| value.to_boolean()) != Some(false);
        let separator = keyed.get("separator").and_then(text_of);
        let mut separator = separator.unwrap_or_else(|| "_".to_owned());
        let names = names_of(&value, default.as_deref(), &separator, is_trailing);
        let Some(names) = names else {
            let message = format!("a group's name cannot be made of {}", value.kind_name());
            return Err((message, key.span));
        };
        if names.is_empty() && self.is_strict && !matches!(value, Value::List(_) | Value::Map(_)) {
            let message = format!("the key is empty for {}", host.name);
            return Err((message, key.span));
        }
        let parent = match keyed.get("parent_group") {
            None => None,
            Some(node) => {
                let outcome = evaluate.template(node, variables);
                let what = || "the group above cannot be made".to_owned();
                match self.bearable(outcome, node.span, what)? {
                    Some(value) => shown(&value),
                    None => return Ok(()),
                }
            }
        };
        let prefix = keyed.get("prefix").and_then(text_of).unwrap_or_default();
        if prefix.is_empty() && !self.has_leading_separator {
            separator.clear();
        }
        let parent = parent.filter(|name| !name.is_empty());
        let groups = names.into_iter();
        found
            .groups
            .extend(groups.map(|name| (format!("{prefix}{separator}{name}"), parent.clone())));
        Ok(())
    }
}

/// What a host's expressions see: its groups' variables, its own, and its names.
fn variables_of(inventory: &Inventory, host: &Host) -> Variables {
    let mut all = Variables::new();
    let groups = inventory.groups_of(host);
    let layered = groups
        .iter()
        .map(|group| &group.variables)
        .chain([&host.variables]);
    for layered in layered {
        for layer in [&layered.source, &layered.beside_inventory] {
            all.extend(
                layer
                    .iter()
                    .map(|(name, value)| (Arc::clone(name), Arc::clone(value))),
            );
        }
    }
    let short = host.name.split('.').next().unwrap_or_default();
    let mut names: Vec<&Name> = groups
        .iter()
        .map(|group| &group.name)
        .filter(|name| &***name != "all")
        .collect();
    names.sort();
    let names = names.iter().map(|name| Value::Text(Arc::clone(name)));
    let own = [
        ("inventory_hostname", Value::Text(Arc::clone(&host.name))),
        ("inventory_hostname_short", Value::from(short)),
        ("group_names", Value::list(names.collect())),
    ];
    all.extend(
        own.into_iter()
            .map(|(name, value)| (name.into(), Arc::new(Node::data(value)))),
    );
    all
}

/// An expression of a document; what is no text is its own value.
fn expression(
    evaluate: &dyn Evaluate,
    node: &Node,
    variables: &Variables,
) -> Result<Value, EvaluationError> {
    match &node.kind {
        NodeKind::Text(text) => evaluate.expression(&text.text, variables),
        _ => Ok(node.to_static_value().unwrap_or_default()),
    }
}

/// Names of groups that a key's value stands for; none when it cannot stand for any.
fn names_of(
    value: &Value,
    default: Option<&str>,
    separator: &str,
    is_trailing: bool,
) -> Option<Vec<String>> {
    let is_empty =
        |value: &Value| matches!(value, Value::Null) || value.as_str().is_some_and(str::is_empty);
    let named = |value: &Value| match default {
        Some(default) if is_empty(value) => Some(default.to_owned()),
        _ => shown(value),
    };
    if is_empty(value) {
        return Some(default.map(str::to_owned).into_iter().collect());
    }
    match value {
        Value::Text(text) => Some(vec![text.to_string()]),
        Value::List(items) => Some(items.iter().filter_map(named).collect()),
        Value::Map(map) => {
            let name = |(key, value): (&sasrun_model::Key, &Value)| {
                if is_empty(value) && default.is_none() && !is_trailing {
                    return key.to_string();
                }
                let value = named(value).unwrap_or_default();
                format!("{key}{separator}{value}")
            };
            Some(map.iter().map(name).collect())
        }
        _ if !value.is_true() => Some(Vec::new()),
        _ => None,
    }
}

fn text_of(node: &Node) -> Option<String> {
    shown(&node.to_static_value()?)
}

/// A value as part of a name, as Python writes it. None for what is no plain value.
pub(super) fn shown(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => text.to_string(),
        _ => return None,
    })
}
