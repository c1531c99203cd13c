//! `group_vars/` and `host_vars/`, beside inventories and playbooks.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sasrun_model::{Host, Inventory, LayeredVariables, NodeKind, Span, Variables};

use crate::files::{directory_of, names_in};
use crate::session::Session;

/// Endings of files of variables, in the order in which they are looked for.
const ENDINGS: [&str; 4] = ["", ".yml", ".yaml", ".json"];

/// Which layer of variables is filled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Inventory,
    Playbook,
}

impl Layer {
    fn of(self, variables: &mut LayeredVariables) -> &mut Variables {
        match self {
            Layer::Inventory => &mut variables.beside_inventory,
            Layer::Playbook => &mut variables.beside_playbook,
        }
    }
}

impl Session<'_> {
    pub(super) fn variables_beside_inventory(&mut self, inventory: &mut Inventory, at: &Path) {
        self.variables_beside(inventory, at, Layer::Inventory);
    }

    pub(crate) fn variables_beside_playbook(&mut self, inventory: &mut Inventory, at: &Path) {
        self.variables_beside(inventory, at, Layer::Playbook);
        self.controller(inventory, at);
    }

    /// Adds the controller, where no inventory names it and files hold variables for it.
    fn controller(&mut self, inventory: &mut Inventory, at: &Path) {
        const NAME: &str = "localhost";
        if inventory.hosts.contains_key(NAME) {
            return;
        }
        let variables = self.variables_named("host_vars", NAME, inventory, at);
        if variables != LayeredVariables::default() {
            let host = Host {
                name: NAME.into(),
                is_implicit: true,
                variables,
                ..Host::default()
            };
            inventory.hosts.insert(NAME.into(), host);
        }
    }

    fn variables_beside(&mut self, inventory: &mut Inventory, at: &Path, layer: Layer) {
        let groups = self.folder(&at.join("group_vars"));
        for (name, files) in &groups {
            let Some(group) = inventory.groups.get_mut(name.as_str()) else {
                continue;
            };
            let variables = self.variables_of_files(files);
            if let Some(priority) = variables.get("ansible_group_priority")
                && let NodeKind::Int(priority) = priority.kind
            {
                group.priority = priority;
            }
            layer.of(&mut group.variables).extend(variables);
        }
        let hosts = self.folder(&at.join("host_vars"));
        for (name, files) in &hosts {
            if let Some(host) = inventory.hosts.get_mut(name.as_str()) {
                let variables = self.variables_of_files(files);
                layer.of(&mut host.variables).extend(variables);
            }
        }
    }

    /// Variables of one name in a folder beside the inventory's sources and beside the playbook.
    pub(crate) fn variables_named(
        &mut self,
        folder: &str,
        name: &str,
        inventory: &Inventory,
        playbook: &Path,
    ) -> LayeredVariables {
        let mut found = LayeredVariables::default();
        let mut directories: Vec<PathBuf> = Vec::new();
        for source in inventory.sources.iter().filter(|source| source.exists()) {
            let directory = if source.is_dir() {
                source.clone()
            } else {
                directory_of(source)
            };
            if !directories.contains(&directory) {
                directories.push(directory);
            }
        }
        for directory in &directories {
            let variables = self.variables_in(&directory.join(folder), name);
            found.beside_inventory.extend(variables);
        }
        found.beside_playbook = self.variables_in(&playbook.join(folder), name);
        found
    }

    fn variables_in(&mut self, folder: &Path, name: &str) -> Variables {
        let files = self.folder(folder);
        let files = files.into_iter().find(|(stem, _)| stem == name);
        self.variables_of_files(&files.map(|(_, files)| files).unwrap_or_default())
    }

    fn variables_of_files(&mut self, files: &[PathBuf]) -> Variables {
        let mut variables = Variables::new();
        for file in files {
            variables.extend(
                self.variables_file(file, Span::default())
                    .unwrap_or_default(),
            );
        }
        variables
    }

    /// Files of each name in a folder, listed once rather than looked for host by host.
    fn folder(&self, folder: &Path) -> Vec<(String, Vec<PathBuf>)> {
        let names = names_in(folder);
        let mut best: HashMap<String, (usize, &str)> = HashMap::new();
        for name in &names {
            for (rank, ending) in ENDINGS.iter().enumerate() {
                let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) else {
                    continue;
                };
                let known = best.get(stem).map_or(usize::MAX, |(rank, _)| *rank);
                if rank < known {
                    best.insert(stem.to_owned(), (rank, name));
                }
            }
        }
        let mut found: Vec<(String, Vec<PathBuf>)> = best
            .into_iter()
            .map(|(stem, (_, name))| {
                let path = folder.join(name);
                let files = if path.is_dir() {
                    variable_files_in(&path)
                } else {
                    vec![path]
                };
                (stem, files)
            })
            .collect();
        found.sort();
        found
    }
}

/// Files of variables in a folder and the folders below it, in the order of their names.
pub(crate) fn variable_files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for name in names_in(folder) {
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let path = folder.join(&name);
        if path.is_dir() {
            files.extend(variable_files_in(&path));
            continue;
        }
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        if matches!(ending, None | Some("yml" | "yaml" | "json")) {
            files.push(path);
        }
    }
    files
}
