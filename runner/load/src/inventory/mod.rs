//! Inventories of every form to hosts, groups and their variables.

mod beside;
mod build;
mod constructed;
mod generator;
mod group_names;
mod ini;
mod json;
mod literal;
mod plugin;
mod range;
mod toml_form;
mod unparsed;
mod yaml_form;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sasrun_model::{Host, Inventory, Name, Node, NodeKind, Span, Value};

pub(crate) use beside::variable_files_in;
use build::Builder;
pub use group_names::InvalidGroupNames;
pub(crate) use json::from_json;

use crate::codes;
use crate::files::{Holds, ReadText, directory_of, names_in};
use crate::problem::Problem;
use crate::session::Session;

/// Endings of files in a folder of inventories that are not inventories.
const IGNORED: [&str; 12] = [
    "~", ".orig", ".bak", ".cfg", ".retry", ".pyc", ".pyo", ".swp", ".md", ".txt", ".rst", ".rpm",
];

/// The controller as a host, for plays on `localhost` that the inventory does not have.
pub fn implicit_localhost(name: &str) -> Host {
    let variables = [("ansible_connection", "local")];
    let mut host = Host {
        name: name.into(),
        is_implicit: true,
        ..Host::default()
    };
    for (name, value) in variables {
        let node = Node::data(Value::from(value));
        host.variables.source.insert(name.into(), Arc::new(node));
    }
    host
}

impl Session<'_> {
    pub(crate) fn inventory<S: AsRef<str>>(&mut self, sources: &[S]) -> Inventory {
        let mut builder = Builder::new(&self.loader.settings);
        let mut directories: Vec<PathBuf> = Vec::new();
        let mut unparsed: Vec<(&str, std::ops::Range<usize>)> = Vec::new();
        for source in sources {
            let source = source.as_ref();
            builder.add_source_path(Path::new(source));
            let mark = self.problems.mark();
            let is_parsed = if source.contains(',') && !Path::new(source).exists() {
                self.host_list(source, &mut builder)
            } else {
                let path = Path::new(source);
                let directory = if path.is_dir() {
                    path.to_owned()
                } else {
                    directory_of(path)
                };
                if !directories.contains(&directory) {
                    directories.push(directory);
                }
                self.inventory_path(path, &directories, &mut builder)
            };
            if !is_parsed {
                unparsed.push((source, mark..self.problems.mark()));
            }
        }
        self.unparsed_sources(&unparsed, sources.len());
        let settings = &self.loader.settings;
        if builder.has_invalid_group_names()
            && let Some(message) = settings.invalid_group_names.warning()
        {
            let nowhere = Span::default();
            self.add(Problem::warning(codes::INVENTORY, nowhere, message));
        }
        let mut inventory = builder.finish();
        for directory in &directories {
            self.variables_beside_inventory(&mut inventory, directory);
        }
        inventory
    }

    /// Hosts separated by commas. False when they cannot be read.
    fn host_list(&mut self, text: &str, builder: &mut Builder) -> bool {
        let file = self
            .loader
            .add_source(Path::new("--inventory"), text.into());
        let span = Span {
            file,
            line: 1,
            column: 1,
        };
        let mark = self.problems.mark();
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            // As in Ansible: what only looks like a range is a name.
            if range::has_no_end(name) {
                builder.add_host("ungrouped", name);
            } else {
                self.add_hosts(builder, "ungrouped", name, span);
            }
        }
        !self.problems.has_errors_since(mark)
    }

    /// A file, or a folder of sources. False when nothing of it could be read.
    fn inventory_path(
        &mut self,
        path: &Path,
        directories: &[PathBuf],
        builder: &mut Builder,
    ) -> bool {
        if path.is_dir() {
            let mut is_any = false;
            for name in names_in(path) {
                let is_other = name.starts_with('.')
                    || matches!(name.as_str(), "group_vars" | "host_vars")
                    || IGNORED.iter().any(|ending| name.ends_with(ending));
                if !is_other {
                    is_any |= self.inventory_path(&path.join(name), directories, builder);
                }
            }
            return is_any;
        }
        let mark = self.problems.mark();
        let Some(read) = self.text(path, Span::default()) else {
            return false;
        };
        builder.begin_file(path);
        if is_script(path, &read.text) {
            self.script(path, builder);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            let kept = if read.is_secret { "" } else { &read.text };
            let file = self.loader.add_source(path, kept.into());
            self.toml_inventory(file, &read.text, builder);
        } else if is_yaml(path, &read.text) {
            self.yaml_inventory(path, &read, directories, builder);
        } else {
            self.ini_inventory(path, &read.text, builder);
        }
        !self.problems.has_errors_since(mark)
    }

    fn yaml_inventory(
        &mut self,
        path: &Path,
        read: &ReadText,
        directories: &[PathBuf],
        builder: &mut Builder,
    ) {
        let composed = self.compose(path, read, Holds::Templates);
        for problem in composed.problems {
            self.add(problem);
        }
        let file = composed.file;
        let Some(document) = composed.documents.into_iter().next() else {
            return;
        };
        let document = Arc::new(document);
        match &document.kind {
            NodeKind::Null => {}
            NodeKind::Map(_) => match document.get("plugin").and_then(Node::as_str) {
                Some(plugin) => match short_name(plugin) {
                    "constructed" => self.constructed(&document, directories, builder),
                    "generator" => self.generated(&document, builder),
                    _ => self.plugin_inventory(plugin, path, &document, file, builder),
                },
                None => self.yaml_groups(&document, builder),
            },
            _ => {
                let message = format!(
                    "an inventory is a mapping of groups, not {}",
                    document.kind_name()
                );
                self.add(Problem::error(codes::INVENTORY, document.span, message));
            }
        }
    }

    /// Adds hosts by a name that may hold ranges and a port, and gives their names.
    pub(crate) fn add_hosts(
        &mut self,
        builder: &mut Builder,
        group: &str,
        pattern: &str,
        span: Span,
    ) -> Vec<Name> {
        let (pattern, port) = range::split_port(pattern);
        let names = match range::expand(pattern) {
            Ok(names) => names,
            Err(error) => {
                self.add(Problem::error(codes::HOST_RANGE, span, error.to_string()));
                return Vec::new();
            }
        };
        let mut added = Vec::with_capacity(names.len());
        for name in names {
            let name = builder.add_host(group, &name);
            if let Some(port) = port {
                let node = Node {
                    span,
                    kind: NodeKind::Int(i64::from(port)),
                };
                builder.set_host_variable(&name, "ansible_port", Arc::new(node));
            }
            added.push(name);
        }
        added
    }

    /// Puts a group below another. A circle is refused.
    pub(crate) fn add_child(
        &mut self,
        builder: &mut Builder,
        parent: &str,
        child: &str,
        span: Span,
    ) {
        if !builder.add_child(parent, child) {
            let message =
                format!("the group `{child}` would be below itself, by way of `{parent}`");
            self.add(Problem::error(codes::GROUP_CYCLE, span, message));
        }
    }
}

/// The name of a built-in source without its namespace.
fn short_name(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name)
}

/// Whether a file is to be run rather than read.
fn is_script(path: &Path, text: &str) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let is_executable =
        std::fs::metadata(path).is_ok_and(|known| known.permissions().mode() & 0o111 != 0);
    is_executable && text.starts_with("#!")
}

/// Whether a file is of the YAML form: by its ending, else by its look.
fn is_yaml(path: &Path, text: &str) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending {
        Some("yml" | "yaml" | "json") => return true,
        Some("ini") => return false,
        _ => {}
    }
    let mut lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with(['#', ';']));
    let Some(first) = lines.next() else {
        return false;
    };
    let is_section = |line: &str| line.trim_start().starts_with('[');
    if is_section(first) || lines.any(is_section) {
        return false;
    }
    first.trim_start().starts_with(['{', '-'])
        || first.trim_end().ends_with(':')
        || first.contains(": ")
}
