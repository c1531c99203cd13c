//! Hosts and groups.

use indexmap::IndexMap;

use crate::{Name, Variables};

/// Hosts, groups and their variables. Always holds the groups `all` and `ungrouped`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inventory {
    /// Every host, in the order of the sources.
    pub hosts: IndexMap<Name, Host>,
    /// Every group; `all` first.
    pub groups: IndexMap<Name, Group>,
    /// Paths of the sources, as given.
    pub sources: Vec<std::path::PathBuf>,
    /// Whether a source says that these are all groups and hosts a playbook may name.
    pub is_complete: bool,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Host {
    /// Its name in the inventory.
    pub name: Name,
    /// Its variables.
    pub variables: LayeredVariables,
    /// Groups it is a direct member of.
    pub groups: Vec<Name>,
    /// Whether it is the controller, which no source names: patterns that mean all leave it out.
    pub is_implicit: bool,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Its name.
    pub name: Name,
    /// Hosts that are direct members, in order.
    pub hosts: Vec<Name>,
    /// Groups below.
    pub children: Vec<Name>,
    /// Its variables.
    pub variables: LayeredVariables,
    /// Distance from `all`, the longest way; deeper groups win.
    pub depth: u32,
    /// `ansible_group_priority`; among groups of one depth the higher wins, then the later name.
    pub priority: i64,
}

/// Variables of a host or group by where they came from, lowest precedence first. Ansible sets the
/// levels of all groups before those of all hosts, so they are kept apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayeredVariables {
    /// From the inventory source itself.
    pub source: Variables,
    /// From `group_vars/` or `host_vars/` beside the inventory.
    pub beside_inventory: Variables,
    /// From `group_vars/` or `host_vars/` beside the playbook.
    pub beside_playbook: Variables,
}

impl Inventory {
    /// Hosts of a group and all groups below, in inventory order, each once.
    pub fn members(&self, group: &str) -> Vec<&Host> {
        let mut pending = vec![group];
        let mut seen = std::collections::HashSet::new();
        let mut members = std::collections::HashSet::new();
        while let Some(name) = pending.pop() {
            if !seen.insert(name.to_owned()) {
                continue;
            }
            if let Some(group) = self.groups.get(name) {
                members.extend(group.hosts.iter().cloned());
                pending.extend(group.children.iter().map(|child| &**child));
            }
        }
        self.hosts
            .values()
            .filter(|host| members.contains(&host.name))
            .collect()
    }

    /// Groups of a host with their ancestors, in the order in which their variables are laid:
    /// by depth, then priority, then name.
    pub fn groups_of(&self, host: &Host) -> Vec<&Group> {
        let mut names: Vec<&Name> = host.groups.iter().collect();
        let mut found: IndexMap<&Name, &Group> = IndexMap::new();
        while let Some(name) = names.pop() {
            let Some(group) = self.groups.get(name) else {
                continue;
            };
            if found.insert(&group.name, group).is_none() {
                let parents = self
                    .groups
                    .values()
                    .filter(|parent| parent.children.contains(name));
                names.extend(parents.map(|parent| &parent.name));
            }
        }
        let mut groups: Vec<&Group> = found.into_values().collect();
        if let Some(all) = self.groups.get("all")
            && !groups.iter().any(|group| &*group.name == "all")
        {
            groups.push(all);
        }
        groups.sort_by(|a, b| (a.depth, a.priority, &a.name).cmp(&(b.depth, b.priority, &b.name)));
        groups
    }
}
