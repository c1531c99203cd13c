//! Ansible's YAML form: groups with `hosts`, `children` and `vars`.

use std::sync::Arc;

use sasrun_model::{Name, Node, NodeKind};

use super::build::Builder;
use crate::problem::Problem;
use crate::session::Session;
use crate::{closest, codes};

const KEYS: [&str; 3] = ["hosts", "children", "vars"];

impl Session<'_> {
    pub(super) fn yaml_groups(&mut self, document: &Node, builder: &mut Builder) {
        for entry in document.entries() {
            let Some(name) = self.inventory_name(&entry.key, "group") else {
                continue;
            };
            // A document that begins with these is a group without its name.
            if KEYS.contains(&&*name) {
                let message = format!("`{name}` stands where the name of a group is expected");
                self.add(
                    Problem::error(codes::INVENTORY_KEY, entry.key.span, message)
                        .hint("put it below a group such as `all:`"),
                );
                continue;
            }
            self.yaml_group(&name, &entry.value, builder);
        }
    }

    fn yaml_group(&mut self, name: &str, node: &Node, builder: &mut Builder) {
        builder.add_group(name);
        let entries = match &node.kind {
            NodeKind::Null => return,
            NodeKind::Map(entries) => entries,
            _ => {
                let of = format!("the group `{name}`");
                self.wrong_kind(node, &of, "a mapping with `hosts`, `children` or `vars`");
                return;
            }
        };
        for entry in entries {
            match entry.key.as_str() {
                Some("hosts") => self.yaml_hosts(name, &entry.value, builder),
                Some("children") => self.yaml_children(name, &entry.value, builder),
                Some("vars") => self.yaml_vars(name, &entry.value, builder),
                other => {
                    let key = other.unwrap_or_else(|| entry.key.kind_name());
                    let message = format!("the group `{name}` has an unknown key `{key}`");
                    let near = closest(key, KEYS);
                    let problem =
                        Problem::error(codes::INVENTORY_KEY, entry.key.span, message).meant(near);
                    self.add(match problem.hint {
                        None => problem.hint("a group has `hosts`, `children` and `vars`"),
                        Some(_) => problem,
                    });
                }
            }
        }
    }

    fn yaml_vars(&mut self, group: &str, node: &Node, builder: &mut Builder) {
        if !matches!(node.kind, NodeKind::Map(_) | NodeKind::Null) {
            self.wrong_kind(node, "`vars`", "a mapping of names to values");
        }
        for entry in node.entries() {
            if let Some(name) = self.inventory_name(&entry.key, "variable") {
                builder.set_group_variable(group, &name, Arc::new(entry.value.clone()));
            }
        }
    }

    fn yaml_children(&mut self, group: &str, node: &Node, builder: &mut Builder) {
        match &node.kind {
            NodeKind::Null => {}
            NodeKind::Text(text) => {
                let child = text.text.to_string();
                self.add_child(builder, group, &child, node.span);
            }
            NodeKind::Map(entries) => {
                for entry in entries {
                    if let Some(child) = self.inventory_name(&entry.key, "group") {
                        self.add_child(builder, group, &child, entry.key.span);
                        self.yaml_group(&child, &entry.value, builder);
                    }
                }
            }
            _ => self.wrong_kind(node, "`children`", "a mapping of groups, each with a colon"),
        }
    }

    fn yaml_hosts(&mut self, group: &str, node: &Node, builder: &mut Builder) {
        match &node.kind {
            NodeKind::Null => {}
            NodeKind::Text(text) => {
                let pattern = text.text.to_string();
                self.add_hosts(builder, group, &pattern, node.span);
            }
            NodeKind::Map(entries) => {
                for entry in entries {
                    if let Some(pattern) = self.inventory_name(&entry.key, "host") {
                        let names = self.add_hosts(builder, group, &pattern, entry.key.span);
                        self.host_vars(&names, &entry.value, builder);
                    }
                }
            }
            _ => self.wrong_kind(node, "`hosts`", "a mapping of hosts, each with a colon"),
        }
    }

    fn host_vars(&mut self, hosts: &[Name], node: &Node, builder: &mut Builder) {
        if !matches!(node.kind, NodeKind::Map(_) | NodeKind::Null) {
            self.wrong_kind(node, "a host", "a mapping of its variables");
        }
        for entry in node.entries() {
            let Some(name) = self.inventory_name(&entry.key, "variable") else {
                continue;
            };
            let value = Arc::new(entry.value.clone());
            for host in hosts {
                builder.set_host_variable(host, &name, Arc::clone(&value));
            }
        }
    }

    /// A key as a name. None, with a problem, when it cannot be one.
    fn inventory_name(&mut self, key: &Node, of: &str) -> Option<Name> {
        match &key.kind {
            NodeKind::Text(text) if !text.text.trim().is_empty() => Some(Arc::clone(&text.text)),
            NodeKind::Int(number) => Some(number.to_string().into()),
            _ => {
                let message = format!("{} cannot be the name of a {of}", key.kind_name());
                self.add(
                    Problem::error(codes::INVENTORY, key.span, message)
                        .hint("words such as `yes` and `on` are booleans: write them in quotes"),
                );
                None
            }
        }
    }
}
