//! Hosts and groups while sources are read.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use sasrun_model::{Group, Host, Inventory, Name, Node, NodeKind, Value, Variables};

use super::group_names::{InvalidGroupNames, is_invalid};
use crate::Settings;
use crate::files::directory_of;

/// An inventory in the making. Names and values that many hosts have are kept once.
#[derive(Clone)]
pub(crate) struct Builder {
    inventory: Inventory,
    names: HashSet<Name>,
    /// Variables that tell a host which file it came from.
    origin: Variables,
    /// Whether a dictionary of a later source is laid over that of an earlier one.
    merges: bool,
    invalid_group_names: InvalidGroupNames,
    has_invalid_group_names: bool,
}

impl Builder {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut builder = Self {
            inventory: Inventory::default(),
            names: HashSet::new(),
            origin: Variables::new(),
            merges: settings.merges_dictionaries,
            invalid_group_names: settings.invalid_group_names,
            has_invalid_group_names: false,
        };
        builder.add_group("all");
        builder.add_group("ungrouped");
        builder
    }

    pub(crate) fn add_source_path(&mut self, path: &Path) {
        self.inventory.sources.push(path.to_owned());
    }

    /// Hosts that are added from now on come from this file.
    pub(crate) fn begin_file(&mut self, path: &Path) {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let directory = directory_of(&absolute);
        let text = |path: &Path| {
            let text = path.to_string_lossy();
            Arc::new(Node::data(Value::text(text.as_ref())))
        };
        self.origin = [
            (Name::from("inventory_file"), text(&absolute)),
            (Name::from("inventory_dir"), text(&directory)),
        ]
        .into_iter()
        .collect();
    }

    /// One copy of a name.
    pub(crate) fn name(&mut self, text: &str) -> Name {
        match self.names.get(text) {
            Some(name) => Arc::clone(name),
            None => {
                let name = Name::from(text);
                self.names.insert(Arc::clone(&name));
                name
            }
        }
    }

    pub(crate) fn has_group(&self, name: &str) -> bool {
        self.inventory
            .groups
            .contains_key(&*self.invalid_group_names.name(name))
    }

    /// Whether a name of a group could not be one of a variable.
    pub(crate) fn has_invalid_group_names(&self) -> bool {
        self.has_invalid_group_names
    }

    pub(crate) fn group_names(&self) -> impl Iterator<Item = &str> {
        self.inventory.groups.keys().map(|name| &**name)
    }

    pub(crate) fn host_names(&self) -> Vec<Name> {
        self.inventory.hosts.keys().cloned().collect()
    }

    pub(crate) fn add_group(&mut self, name: &str) -> Name {
        self.has_invalid_group_names |= is_invalid(name);
        let valid = self.invalid_group_names.name(name);
        let name = self.name(&valid);
        if !self.inventory.groups.contains_key(&name) {
            let group = Group {
                name: Arc::clone(&name),
                ..Group::default()
            };
            self.inventory.groups.insert(Arc::clone(&name), group);
        }
        name
    }

    /// Adds a host to a group, both made if need be.
    pub(crate) fn add_host(&mut self, group: &str, host: &str) -> Name {
        let group = self.add_group(group);
        let name = self.name(host);
        let origin = &self.origin;
        let host = self
            .inventory
            .hosts
            .entry(Arc::clone(&name))
            .or_insert_with(|| {
                let mut host = Host {
                    name: Arc::clone(&name),
                    ..Host::default()
                };
                host.variables.source = origin.clone();
                host
            });
        // Every host is in `all`; that need not be said.
        if *group != *"all" && !host.groups.contains(&group) {
            host.groups.push(Arc::clone(&group));
            if let Some(group) = self.inventory.groups.get_mut(&group) {
                group.hosts.push(Arc::clone(&name));
            }
        }
        name
    }

    /// Puts a group below another. False when that would close a circle.
    pub(crate) fn add_child(&mut self, parent: &str, child: &str) -> bool {
        let parent = self.add_group(parent);
        let child = self.add_group(child);
        if self.is_below(&child, &parent) {
            return false;
        }
        if let Some(group) = self.inventory.groups.get_mut(&parent)
            && !group.children.contains(&child)
        {
            group.children.push(child);
        }
        true
    }

    /// Whether `wanted` is `group` or below it.
    fn is_below(&self, group: &Name, wanted: &Name) -> bool {
        let mut pending = vec![group];
        let mut seen = HashSet::new();
        while let Some(name) = pending.pop() {
            if name == wanted {
                return true;
            }
            if seen.insert(name)
                && let Some(group) = self.inventory.groups.get(name)
            {
                pending.extend(&group.children);
            }
        }
        false
    }

    pub(crate) fn set_host_variable(&mut self, host: &Name, name: &str, value: Arc<Node>) {
        let name = self.name(name);
        if let Some(host) = self.inventory.hosts.get_mut(host) {
            set(&mut host.variables.source, name, value, self.merges);
        }
    }

    pub(crate) fn set_group_variable(&mut self, group: &str, name: &str, value: Arc<Node>) {
        let name = self.name(name);
        let group = self.invalid_group_names.name(group);
        if let Some(group) = self.inventory.groups.get_mut(&*group) {
            if &*name == "ansible_group_priority"
                && let Some(priority) = priority(&value)
            {
                group.priority = priority;
            }
            set(&mut group.variables.source, name, value, self.merges);
        }
    }

    /// Notes that a source lists all groups and hosts there are.
    pub(crate) fn set_complete(&mut self) {
        self.inventory.is_complete = true;
    }

    /// The inventory, with what follows from it: the groups `all` and `ungrouped`, and depths.
    pub(crate) fn finish(self) -> Inventory {
        let mut inventory = self.inventory;
        let ungrouped = Name::from("ungrouped");
        for host in inventory.hosts.values_mut() {
            if host.groups.is_empty() {
                host.groups.push(Arc::clone(&ungrouped));
            } else if host.groups.len() > 1 {
                host.groups.retain(|group| *group != ungrouped);
            }
        }
        let alone: Vec<Name> = inventory
            .hosts
            .values()
            .filter(|host| host.groups.contains(&ungrouped))
            .map(|host| Arc::clone(&host.name))
            .collect();
        if let Some(group) = inventory.groups.get_mut("ungrouped") {
            group.hosts = alone;
        }
        let children: HashSet<Name> = inventory
            .groups
            .values()
            .flat_map(|group| group.children.iter().cloned())
            .collect();
        let orphans: Vec<Name> = inventory
            .groups
            .keys()
            .filter(|name| &***name != "all" && !children.contains(*name))
            .cloned()
            .collect();
        if let Some(all) = inventory.groups.get_mut("all") {
            all.children.extend(orphans);
        }
        set_depths(&mut inventory);
        inventory
    }
}

fn priority(value: &Node) -> Option<i64> {
    match &value.kind {
        NodeKind::Int(priority) => Some(*priority),
        NodeKind::Text(text) => text.text.trim().parse().ok(),
        NodeKind::Data(Value::Int(priority)) => Some(*priority),
        _ => None,
    }
}

/// Sets the length of the longest way from `all` to each group.
fn set_depths(inventory: &mut Inventory) {
    let mut waiting: HashMap<Name, usize> = HashMap::new();
    for group in inventory.groups.values() {
        for child in &group.children {
            *waiting.entry(Arc::clone(child)).or_default() += 1;
        }
    }
    // Groups whose parents are all done; there are no circles.
    let mut ready: Vec<(Name, u32)> = vec![("all".into(), 0)];
    let mut depths: HashMap<Name, u32> = HashMap::new();
    while let Some((name, depth)) = ready.pop() {
        let Some(group) = inventory.groups.get_mut(&name) else {
            continue;
        };
        group.depth = depth;
        for child in &group.children {
            let deepest = depths.entry(Arc::clone(child)).or_default();
            *deepest = (*deepest).max(depth + 1);
            if let Some(left) = waiting.get_mut(child) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ready.push((Arc::clone(child), *deepest));
                }
            }
        }
    }
}

/// Sets a variable, over a dictionary of that name where dictionaries are merged.
fn set(variables: &mut Variables, name: Name, value: Arc<Node>, merges: bool) {
    let value = match variables.get(&name) {
        Some(known) if merges => Arc::new(value.laid_over(known)),
        _ => value,
    };
    variables.insert(name, value);
}
