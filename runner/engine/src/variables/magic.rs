//! Variables that the runner itself gives: `inventory_hostname`, `groups`, `ansible_play_hosts`, …

use std::sync::Arc;

use sasrun_model::{Inventory, Key, Map, Name, Role, Value};

use super::{Layers, Level, Shared};

/// What every task of a play's batch has in common. Made anew when the set of hosts changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlayFacts {
    /// Name of the play.
    pub name: Name,
    /// Hosts of the play, also those that failed.
    pub hosts_all: Arc<Vec<Value>>,
    /// Hosts of the play that are still there.
    pub hosts: Arc<Vec<Value>>,
    /// Hosts of the batch that are still there.
    pub batch: Arc<Vec<Value>>,
    /// Roles of the play.
    pub role_names: Arc<Vec<Value>>,
    /// Roles that they depend on.
    pub dependent_roles: Arc<Vec<Value>>,
}

/// Groups with the names of their members, as the variable `groups` has them.
pub(super) fn groups(inventory: &Inventory) -> Value {
    let member_names = |group: &str| {
        let members = inventory.members(group);
        Value::list(
            members
                .iter()
                .map(|host| Value::Text(Arc::clone(&host.name)))
                .collect(),
        )
    };
    let map: Map = inventory
        .groups
        .keys()
        .map(|name| (Key::Text(Arc::clone(name)), member_names(name)))
        .collect();
    Value::map(map)
}

/// What a magic variable is computed from.
pub(super) struct Magic<'a> {
    pub shared: &'a Shared,
    pub play: &'a PlayFacts,
    pub host: &'a Name,
    pub level: Option<&'a Arc<Level>>,
    pub layers: &'a Layers,
    pub facts: &'a Arc<Map>,
}

/// Names of all magic variables that the engine answers.
pub const NAMES: &[&str] = &[
    "ansible_check_mode",
    "ansible_dependent_role_names",
    "ansible_config_file",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_playbook_python",
    "ansible_role_name",
    "ansible_role_names",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
];

impl Magic<'_> {
    /// The value of a magic variable.
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        Some(match name {
            "omit" => Value::Omit,
            "inventory_hostname" => Value::Text(Arc::clone(self.host)),
            "inventory_hostname_short" => self.host.split('.').next().unwrap_or_default().into(),
            "group_names" => texts(self.layers.group_names()),
            "groups" => self.shared.groups(),
            "ansible_facts" => Value::Map(Arc::clone(self.facts)),
            "ansible_play_hosts" | "play_hosts" => Value::List(Arc::clone(&self.play.hosts)),
            "ansible_play_hosts_all" => Value::List(Arc::clone(&self.play.hosts_all)),
            "ansible_play_batch" => Value::List(Arc::clone(&self.play.batch)),
            "ansible_play_name" => Value::Text(Arc::clone(&self.play.name)),
            "ansible_play_role_names" | "role_names" => {
                Value::List(Arc::clone(&self.play.role_names))
            }
            "ansible_dependent_role_names" => Value::List(Arc::clone(&self.play.dependent_roles)),
            "ansible_role_names" => {
                let mut all = Vec::new();
                for name in self
                    .play
                    .role_names
                    .iter()
                    .chain(&*self.play.dependent_roles)
                {
                    if !all.contains(name) {
                        all.push(name.clone());
                    }
                }
                Value::list(all)
            }
            "ansible_check_mode" => self.shared.check.into(),
            "ansible_diff_mode" => self.shared.diff.into(),
            "ansible_forks" => i64::try_from(self.shared.forks).unwrap_or(i64::MAX).into(),
            "ansible_verbosity" => i64::from(self.shared.verbosity).into(),
            "ansible_run_tags" if self.shared.tags.is_empty() => texts(vec!["all".into()]),
            "ansible_run_tags" => texts(names(&self.shared.tags)),
            "ansible_skip_tags" => texts(names(&self.shared.skip_tags)),
            "ansible_limit" => Value::from(self.shared.limit.as_deref()?),
            "playbook_dir" => path(&self.shared.playbook_directory),
            "inventory_dir" => path(self.inventory_source()?.parent()?),
            "inventory_file" => path(&self.inventory_source()?),
            "ansible_inventory_sources" => Value::list(
                self.shared
                    .inventory()
                    .sources
                    .iter()
                    .map(|p| path(p))
                    .collect(),
            ),
            "ansible_version" => version(self.shared.version),
            "role_name" | "ansible_role_name" => {
                Value::Text(Arc::clone(&self.level?.roles().next()?.name))
            }
            "ansible_parent_role_names" => Value::list(
                self.parents()?
                    .map(|role| Value::Text(Arc::clone(&role.name)))
                    .collect(),
            ),
            "ansible_parent_role_paths" => Value::list(
                self.parents()?
                    .map(|role| path(&absolute(&role.path)))
                    .collect(),
            ),
            // Nothing here needs one; inventories name it for hosts that are the controller.
            "ansible_playbook_python" => "/usr/bin/python3".into(),
            "role_path" => path(&absolute(&self.level?.roles().next()?.path)),
            _ => return None,
        })
    }

    /// The roles that the task's own role was included by, the nearest first; none where there is no such role.
    fn parents(&self) -> Option<impl Iterator<Item = &Arc<Role>>> {
        let mut roles = self.level?.roles();
        let own = roles.next()?;
        let mut parents = roles.filter(move |role| !Arc::ptr_eq(role, own)).peekable();
        parents.peek()?;
        Some(parents)
    }

    fn inventory_source(&self) -> Option<std::path::PathBuf> {
        let source = self.shared.inventory().sources.first()?.clone();
        Some(std::path::absolute(&source).unwrap_or(source))
    }
}

/// The path from the root on, as far as it can be told without looking at the disk.
pub(crate) fn absolute(path: &std::path::Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn names(texts: &[String]) -> Vec<Name> {
    texts.iter().map(|text| Name::from(text.as_str())).collect()
}

fn texts(names: Vec<Name>) -> Value {
    Value::list(names.into_iter().map(Value::Text).collect())
}

fn path(path: &std::path::Path) -> Value {
    path.display().to_string().into()
}

/// The version of Ansible's language that playbooks may ask for, not sasrun's own.
fn version(own: &str) -> Value {
    let map: Map = [
        ("full", Value::from("2.19.0")),
        ("major", 2.into()),
        ("minor", 19.into()),
        ("revision", 0.into()),
        ("string", Value::from("2.19.0")),
        ("sasrun", Value::from(own)),
    ]
    .into_iter()
    .map(|(key, value)| (Key::from(key), value))
    .collect();
    Value::map(map)
}
