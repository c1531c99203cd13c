//! Where roles and their files are.

use std::path::{Path, PathBuf};

use sasrun_model::{Name, Node, Span, Variables};

use super::Reader;
use crate::files::{Holds, first_file, join, names_in};
use crate::problem::Problem;
use crate::{closest, codes};

/// Endings of files that are looked for, in order.
const ENDINGS: [&str; 4] = ["", ".yml", ".yaml", ".json"];

impl Reader<'_, '_> {
    /// Finds a role's folder. The problem is noted when there is none.
    pub(super) fn find_role(
        &mut self,
        name: &str,
        span: Span,
        beside: Option<&Path>,
        collections: &[Name],
    ) -> Option<PathBuf> {
        if let Some(found) = self.role_of_collection(name) {
            return Some(found);
        }
        let in_collections = collections
            .iter()
            .find_map(|collection| self.role_of_collection(&format!("{collection}.{name}")));
        if in_collections.is_some() {
            return in_collections;
        }
        let directories = self.role_directories(beside);
        let found = directories
            .iter()
            .map(|directory| join(directory, name))
            .find(|path| path.is_dir());
        if found.is_none() {
            let names: Vec<String> = directories
                .iter()
                .filter(|directory| directory.ends_with("roles"))
                .flat_map(|directory| names_in(directory))
                .collect();
            let near = closest(name, names.iter().map(String::as_str));
            let message = format!("there is no role `{name}`");
            let problem = Problem::error(codes::ROLE, span, message).meant(near);
            let looked: Vec<String> = directories
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            self.session.add(match problem.hint {
                None => problem.hint(format!("looked in {}", looked.join(", "))),
                Some(_) => problem,
            });
        }
        found
    }

    fn role_directories(&self, beside: Option<&Path>) -> Vec<PathBuf> {
        let mut directories = vec![
            join(&self.playbook_directory, "roles"),
            join(&self.root_directory, "roles"),
        ];
        directories.extend(self.session.loader.settings.roles_paths.iter().cloned());
        // A dependency may stand beside the role that asks for it.
        directories.extend(beside.and_then(Path::parent).map(Path::to_owned));
        directories.push(self.playbook_directory.clone());
        directories.push(self.root_directory.clone());
        let mut unique: Vec<PathBuf> = Vec::new();
        for directory in directories {
            if !unique.contains(&directory) {
                unique.push(directory);
            }
        }
        unique
    }

    fn role_of_collection(&self, name: &str) -> Option<PathBuf> {
        let mut parts = name.split('.');
        let (namespace, collection, role) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || namespace.contains('/') {
            return None;
        }
        let beside = join(&self.root_directory, "collections");
        let roots = std::iter::once(&beside).chain(&self.session.loader.settings.collections_paths);
        roots
            .map(|root| {
                root.join("ansible_collections")
                    .join(namespace)
                    .join(collection)
                    .join("roles")
                    .join(role)
            })
            .find(|path| path.is_dir())
    }

    /// The file of a role's part that a `…_from` names, or its `main`. A named one must exist.
    pub(super) fn role_file(
        &mut self,
        role: &Path,
        part: &str,
        from: Option<&str>,
        span: Span,
    ) -> Option<PathBuf> {
        let directory = role.join(part);
        let stem = from.unwrap_or("main");
        // `main` needs an ending first, for a folder may have the bare name.
        let found = first_file(
            ENDINGS
                .iter()
                .map(|ending| directory.join(format!("{stem}{ending}"))),
        );
        if found.is_none() && from.is_some() {
            let names = names_in(&directory);
            let stems = names
                .iter()
                .map(|name| name.split('.').next().unwrap_or(name));
            let message = format!("the role has no file `{part}/{stem}`");
            let near = closest(stem, stems);
            self.session
                .add(Problem::error(codes::FILE, span, message).meant(near));
        }
        found
    }

    /// Variables of a role's `defaults` or `vars`: a file, or a folder `main` of files.
    pub(super) fn role_variables(
        &mut self,
        role: &Path,
        part: &str,
        from: Option<&str>,
        span: Span,
    ) -> Variables {
        let mut variables = Variables::new();
        let folder = role.join(part).join(from.unwrap_or("main"));
        let files: Vec<PathBuf> = if folder.is_dir() {
            crate::inventory::variable_files_in(&folder)
        } else {
            let file = self.role_file(role, part, from, span);
            file.into_iter().collect()
        };
        for file in files {
            if let Some(more) = self.session.variables_file(&file, span) {
                variables.extend(more);
            }
        }
        variables
    }

    /// The first document of a role's file that is only looked at.
    pub(super) fn role_data(&mut self, role: &Path, part: &str, stem: &str) -> Option<Node> {
        let directory = role.join(part);
        let file = first_file(
            ENDINGS
                .iter()
                .skip(1)
                .map(|ending| directory.join(format!("{stem}{ending}"))),
        )?;
        let read = self
            .session
            .documents(&file, Span::default(), Holds::Data)?;
        read.documents.first().cloned()
    }
}
