//! What the engine asks of the user's files while it runs, answered by the loader and the disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sasrun_engine::seams::{Files, Owner, Reread, Selected, Within};
use sasrun_load::{HostPattern, Loader, VaultDecrypt};
use sasrun_model::{
    Diagnostic, IncludeContext, InputKind, Inventory, LayeredVariables, LoadedRole, LoadedSteps,
    Place, RoleRequest, Span, Variables,
};
use sasrun_plugin::{ControllerFile, SearchIn};
use sasrun_report::Mask;

use crate::described::{Describing, Links};
use crate::digests::Digests;
use crate::inputs::Inputs;
use crate::scripts::Scripts;
use crate::world::{closed, unsealed};

/// The loader and the disk.
pub(crate) struct UserFiles {
    pub loader: Arc<Loader>,
    /// Opens templates that are encrypted as a whole.
    pub vault: Arc<dyn VaultDecrypt>,
    /// Takes note of every file that is used.
    pub inputs: Arc<Inputs>,
    /// What is known of large files that go to many hosts.
    pub digests: Digests,
    /// What the inventory is read from.
    pub inventory: InventoryFiles,
    /// Learns of what was encrypted, before anything can show it.
    pub mask: Mask,
}

/// What the inventory of a run is read from.
pub(crate) struct InventoryFiles {
    pub sources: Vec<String>,
    /// Playbooks with variables of groups and hosts beside them.
    pub playbooks: Vec<PathBuf>,
    pub scripts: Scripts,
}

impl UserFiles {
    /// Takes note of what the loader has just read: files, and what was encrypted in them.
    fn has_read(&self) {
        self.inputs.loaded(&self.loader);
        for secret in self.loader.take_secrets() {
            self.mask.register(&secret);
        }
    }

    fn described(
        &self,
        path: &Path,
        checksum: Option<&str>,
        links: Links,
    ) -> Result<ControllerFile, String> {
        self.inputs.used(InputKind::File, path);
        let describing = Describing {
            checksum,
            links,
            digests: &self.digests,
        };
        describing
            .file(path)
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Files for UserFiles {
    fn select(&self, pattern: &str, inventory: &Inventory) -> Result<Selected, String> {
        let pattern = HostPattern::parse(pattern).map_err(|error| error.to_string())?;
        Ok(Selected {
            hosts: pattern.select(inventory).hosts,
            unmatched: pattern.without_match(inventory),
        })
    }

    fn load_tasks(&self, file: &str, at: &IncludeContext) -> Result<LoadedSteps, Vec<Diagnostic>> {
        let loaded = self.loader.load_tasks(file, at);
        self.has_read();
        loaded
    }

    fn load_role(
        &self,
        request: &RoleRequest,
        at: &IncludeContext,
    ) -> Result<LoadedRole, Vec<Diagnostic>> {
        let loaded = self.loader.load_role(request, at);
        self.has_read();
        loaded
    }

    fn load_variables(&self, path: &Path) -> Result<Variables, Vec<Diagnostic>> {
        let loaded = self.loader.load_variables(path);
        self.has_read();
        loaded
    }

    fn variables_of(
        &self,
        owner: Owner<'_>,
        inventory: &Inventory,
        playbook: &Path,
    ) -> Result<LayeredVariables, Vec<Diagnostic>> {
        let loaded = match owner {
            Owner::Group(name) => self.loader.variables_of_group(name, inventory, playbook),
            Owner::Host(name) => self.loader.variables_of_host(name, inventory, playbook),
        };
        self.has_read();
        loaded
    }

    fn read_inventory(&self) -> Result<Reread, Vec<Diagnostic>> {
        let from = &self.inventory;
        from.scripts.begin_round();
        let mut inventory = self.loader.load_inventory(&from.sources)?;
        for path in &from.playbooks {
            self.loader
                .add_variables_beside_playbook(&mut inventory, path)?;
        }
        self.has_read();
        Ok(Reread {
            inventory,
            answered: from.scripts.answered(),
            warnings: self.loader.take_warnings(),
        })
    }

    fn find(&self, name: &str, search: SearchIn, within: &Within) -> Result<PathBuf, String> {
        let tried = candidates(name, search, within);
        tried
            .iter()
            .find(|path| path.exists())
            .cloned()
            .ok_or_else(|| {
                let list: Vec<String> = tried
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                format!(
                    "could not find \"{name}\" on the controller; looked at {}",
                    list.join(", ")
                )
            })
    }

    fn describe(&self, path: &Path, checksum: Option<&str>) -> Result<ControllerFile, String> {
        self.described(path, checksum, Links::Kept)
    }

    fn describe_through_links(
        &self,
        path: &Path,
        checksum: Option<&str>,
    ) -> Result<ControllerFile, String> {
        self.described(path, checksum, Links::Followed)
    }

    fn owner_of(&self, path: &Path) -> Option<String> {
        let number = fs::metadata(path).ok()?.uid().to_string();
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1) == Some(number.as_str())).then(|| name.to_owned())
        });
        Some(name.unwrap_or(number))
    }

    fn read_opened(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.inputs.used(InputKind::File, path);
        let content = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        unsealed(content, &*self.vault).map_err(|error| closed(path, &error))
    }

    fn read_text(&self, path: &Path) -> Result<String, String> {
        self.inputs.used(InputKind::Template, path);
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let content = fs::read(path).map_err(|error| told(&error))?;
        let content = unsealed(content, &*self.vault).map_err(|error| told(&error))?;
        String::from_utf8(content).map_err(|error| told(&error))
    }

    fn write(&self, path: &Path, content: &[u8]) -> Result<(), String> {
        let written = match path.parent() {
            Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(path, content)),
            None => fs::write(path, content),
        };
        self.inputs.written(path);
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    fn place(&self, span: Span) -> Option<Place> {
        self.loader.place(span)
    }
}

/// Ansible's order: the roles around, the task's folder, the play's; in each first the folder
/// for the kind of file.
fn candidates(name: &str, search: SearchIn, within: &Within) -> Vec<PathBuf> {
    let expanded = match name.strip_prefix("~/") {
        Some(rest) => {
            std::env::home_dir().map_or_else(|| PathBuf::from(name), |home| home.join(rest))
        }
        None => PathBuf::from(name),
    };
    if expanded.is_absolute() {
        return vec![expanded];
    }
    let folder = match search {
        SearchIn::Files => "files",
        SearchIn::Templates => "templates",
        SearchIn::Vars => "vars",
        SearchIn::Tasks => "tasks",
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    let places = within
        .roles
        .iter()
        .chain([&within.task_directory, &within.play_directory]);
    for place in places {
        for path in [place.join(folder).join(&expanded), place.join(&expanded)] {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_looked_in_before_the_play() {
        let within = Within {
            roles: vec!["/p/roles/r".into()],
            task_directory: "/p/roles/r/tasks".into(),
            play_directory: "/p".into(),
        };
        let paths = candidates("a/b", SearchIn::Files, &within);
        let expected = [
            "/p/roles/r/files/a/b",
            "/p/roles/r/a/b",
            "/p/roles/r/tasks/files/a/b",
            "/p/roles/r/tasks/a/b",
            "/p/files/a/b",
            "/p/a/b",
        ];
        assert_eq!(paths, expected.map(PathBuf::from));
        assert_eq!(
            candidates("/x", SearchIn::Vars, &within),
            [PathBuf::from("/x")]
        );
    }
}
