//! The inventory of the run: what tasks add to it, and reading it anew.

use std::sync::Arc;

use sasrun_model::{EventKind, Group, Host, Inventory, LayeredVariables, Name, Node};
use sasrun_plugin::{Effect, Object};

use super::Run;
use crate::seams::{Owner, Reread};
use crate::variables::Shared;

impl Run {
    /// Adds to the inventory what a task adds, and remembers it for when the inventory is read anew.
    pub(super) fn add_to_inventory(&self, host: &Name, effect: &Effect) {
        self.lay_over_inventory(host, effect);
        let mut added = self.state.added.borrow_mut();
        let new = (Arc::clone(host), effect.clone());
        if !added.contains(&new) {
            added.push(new);
        }
    }

    fn lay_over_inventory(&self, host: &Name, effect: &Effect) {
        match effect {
            Effect::AddHost {
                name,
                groups,
                variables,
            } => {
                self.make_owners(groups.iter(), Some(name));
                add_host(&self.shared, name, groups, variables);
            }
            Effect::GroupBy { groups, parents } => {
                self.make_owners(groups.iter().chain(parents), None);
                group_by(&self.shared, host, groups, parents);
            }
            _ => {}
        }
    }

    /// Reads the inventory anew; what tasks added stays. An inventory that cannot be read changes nothing and is warned of.
    pub(crate) fn refresh_inventory(&self) {
        let Reread {
            inventory,
            answered,
            warnings,
        } = match self.files.read_inventory() {
            Ok(reread) => reread,
            Err(problems) => {
                for problem in problems {
                    self.warn(format!("the inventory stays as it was: {problem}"));
                }
                return;
            }
        };
        for warning in warnings {
            self.warn(warning.to_string());
        }
        for (question, answer) in answered {
            if self.past.answer(&question).is_none() {
                let answered = EventKind::Answered { question, answer };
                self.dispatcher.emit(answered);
            }
        }
        let mut before = Inventory::default();
        self.shared.change_inventory(|current| {
            before = std::mem::replace(current, inventory);
            true
        });
        let added = self.state.added.borrow().clone();
        for (host, effect) in &added {
            let is_there = self.shared.inventory().hosts.contains_key(host);
            if is_there || matches!(effect, Effect::AddHost { .. }) {
                self.lay_over_inventory(host, effect);
            }
        }
        self.shared.change_inventory(|current| {
            keep_vanished(before, current);
            true
        });
    }

    /// Makes groups, and a host, that the inventory does not have, with the variables that files
    /// hold for them.
    fn make_owners<'n>(&self, groups: impl Iterator<Item = &'n String>, host: Option<&String>) {
        let inventory = self.shared.inventory();
        let variables = |owner| {
            let folder = &self.shared.playbook_directory;
            match self.files.variables_of(owner, &inventory, folder) {
                Ok(variables) => variables,
                Err(problems) => {
                    for problem in problems {
                        self.warn(problem.to_string());
                    }
                    LayeredVariables::default()
                }
            }
        };
        for name in groups.filter(|name| !inventory.groups.contains_key(name.as_str())) {
            let group = Group {
                name: name.as_str().into(),
                depth: 1,
                variables: variables(Owner::Group(name)),
                ..Group::default()
            };
            self.shared.change_inventory(|inventory| {
                inventory.groups.insert(Arc::clone(&group.name), group);
                true
            });
        }
        if let Some(name) = host.filter(|name| !inventory.hosts.contains_key(name.as_str())) {
            let host = Host {
                name: name.as_str().into(),
                variables: variables(Owner::Host(name)),
                ..Host::default()
            };
            self.shared.change_inventory(|inventory| {
                inventory.hosts.insert(Arc::clone(&host.name), host);
                true
            });
        }
    }
}

/// Keeps hosts that are gone for the play that goes on with them: how they are reached may stand in their groups. No pattern
/// of a group finds them any more.
fn keep_vanished(before: Inventory, current: &mut Inventory) {
    for (name, host) in before.hosts {
        if current.hosts.contains_key(&name) {
            continue;
        }
        for group in &host.groups {
            if let Some(group) = before.groups.get(group) {
                let entry = current.groups.entry(Arc::clone(&group.name));
                entry.or_insert_with(|| Group {
                    hosts: Vec::new(),
                    children: Vec::new(),
                    ..group.clone()
                });
            }
        }
        let host = Host {
            is_implicit: true,
            ..host
        };
        current.hosts.insert(name, host);
    }
}

/// The group of hosts that are in no other.
const UNGROUPED: &str = "ungrouped";

/// Adds a host to the inventory of the run.
fn add_host(shared: &Shared, name: &str, groups: &[String], variables: &Object) {
    let name = Name::from(name);
    shared.change_inventory(|inventory| {
        let host = inventory
            .hosts
            .entry(Arc::clone(&name))
            .or_insert_with(|| Host {
                name: Arc::clone(&name),
                ..Host::default()
            });
        let mut is_different = false;
        for (key, value) in variables {
            let node = Arc::new(Node::data(value.clone().into()));
            let old = host
                .variables
                .source
                .insert(key.as_str().into(), Arc::clone(&node));
            is_different |= old.is_none_or(|old| old != node);
        }
        let groups = groups.iter().map(|group| Name::from(group.as_str()));
        let mut groups: Vec<Name> = groups.collect();
        if groups.is_empty() && host.groups.is_empty() {
            groups.push(UNGROUPED.into());
        }
        join(inventory, &name, &groups, &[]) || is_different
    });
}

/// Puts a host into groups, and those below parents.
fn group_by(shared: &Shared, host: &Name, groups: &[String], parents: &[String]) {
    let own = |names: &[String]| {
        names
            .iter()
            .map(|n| Name::from(n.as_str()))
            .collect::<Vec<_>>()
    };
    shared.change_inventory(|inventory| {
        // The controller need not be in the inventory.
        inventory
            .hosts
            .entry(Arc::clone(host))
            .or_insert_with(|| Host {
                name: Arc::clone(host),
                is_implicit: true,
                ..Host::default()
            });
        join(inventory, host, &own(groups), &own(parents))
    });
}

/// Puts a host into groups, and those below parents; whether that made a difference.
fn join(inventory: &mut Inventory, host: &Name, groups: &[Name], parents: &[Name]) -> bool {
    let mut is_different = false;
    for group in groups.iter().chain(parents) {
        inventory
            .groups
            .entry(Arc::clone(group))
            .or_insert_with(|| Group {
                name: Arc::clone(group),
                depth: 1,
                ..Group::default()
            });
        if let Some(all) = inventory.groups.get_mut("all")
            && !all.children.contains(group)
        {
            all.children.push(Arc::clone(group));
        }
    }
    for group in groups {
        if let Some(group) = inventory.groups.get_mut(group)
            && !group.hosts.contains(host)
        {
            group.hosts.push(Arc::clone(host));
            is_different = true;
        }
        if let Some(host) = inventory.hosts.get_mut(host)
            && !host.groups.contains(group)
        {
            host.groups.push(Arc::clone(group));
        }
    }
    if let Some(of_host) = inventory.hosts.get_mut(host)
        && of_host.groups.iter().any(|group| **group != *UNGROUPED)
    {
        of_host.groups.retain(|group| **group != *UNGROUPED);
        if let Some(ungrouped) = inventory.groups.get_mut(UNGROUPED) {
            ungrouped.hosts.retain(|other| other != host);
        }
    }
    for parent in parents {
        if let Some(parent) = inventory.groups.get_mut(parent) {
            for group in groups.iter().filter(|group| **group != parent.name) {
                if !parent.children.contains(group) {
                    parent.children.push(Arc::clone(group));
                    is_different = true;
                }
            }
        }
    }
    is_different
}
