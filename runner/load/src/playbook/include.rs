//! Imports, which are read at once, and includes, which are read when they are reached and only
//! looked through before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sasrun_model::{
    Action, Block, Entry, Include, Node, NodeKind, Span, Step, Task, Text, Value, Variables,
};

use super::action::{Call, Verb};
use super::keywords::key_text;
use super::role::{Origin, RoleFiles, RoleUse};
use super::{Around, Reader};
use crate::files::{Holds, directory_of, first_file, join};
use crate::key_values::{self, Word};
use crate::problem::Problem;
use crate::{closest, codes};

const OF_TASKS: &[&str] = &["file", "apply"];
const OF_ROLE: &[&str] = &[
    "name",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "apply",
    "public",
    "allow_duplicates",
    "rolespec_validate",
];

impl Reader<'_, '_> {
    /// A task that loads steps when it is reached. What it names is looked through now if that is
    /// known now.
    pub(super) fn dynamic_include(
        &mut self,
        mut task: Task,
        call: &Call,
        around: &Around,
    ) -> Option<Step> {
        self.gathered.has_includes = true;
        task.arguments = self.include_arguments(call)?;
        let is_role = call.verb == Verb::IncludeRole;
        task.action = Action::Include(if is_role {
            Include::Role
        } else {
            Include::Tasks
        });
        if let Some(apply) = task.arguments.get("apply").cloned() {
            self.apply_frame(&apply, &around.path);
        }
        let what = task.arguments.get(if is_role { "name" } else { "file" })?;
        if what.is_static() {
            let mark = self.session.problems.mark();
            let handlers = self.gathered.imported_handlers.len();
            let roles = self.gathered.used_roles.clone();
            let inside = around.inside("include");
            match is_role {
                true => self.look_through_role(&task, what, &inside),
                false => self.look_through_tasks(what, &inside),
            }
            self.gathered.imported_handlers.truncate(handlers);
            self.gathered.used_roles = roles;
            // What may never be reached, or is caught where it is, is no mistake of the whole.
            if around.is_conditional || around.catches {
                self.session.problems.soften_since(mark);
            }
        }
        Some(Step::Task(Arc::new(task)))
    }

    fn look_through_tasks(&mut self, what: &Node, around: &Around) {
        let Some(path) = self.task_file(what, around) else {
            return;
        };
        if self.looked_through.insert(path.clone()) && !self.open_files.contains(&path) {
            self.tasks_of(&path, what.span, around);
        }
    }

    fn look_through_role(&mut self, task: &Task, what: &Node, around: &Around) {
        let files = RoleFiles::of(&task.arguments);
        let name = what.as_str().unwrap_or_default();
        let key = PathBuf::from(format!("role {name} {files:?}"));
        if !files.is_known || !self.looked_through.insert(key) || self.is_open_role(name) {
            return;
        }
        let usage = RoleUse {
            parameters: task.variables.clone(),
            ..RoleUse::new(name, what.span, Origin::Include, files)
        };
        self.role(usage, around, &[]);
    }

    /// The block that an import stands for.
    pub(super) fn static_import(
        &mut self,
        task: Task,
        call: &Call,
        around: &Around,
    ) -> Option<Step> {
        if let Some(each) = &task.each {
            self.session.add(
                Problem::error(
                    codes::INCLUDE,
                    each.items.span,
                    "an import cannot have a loop",
                )
                .hint("use an include, which is done for each item when it is reached"),
            );
        }
        let arguments = self.include_arguments(call)?;
        let is_role = call.verb == Verb::ImportRole;
        let arguments = self.known_arguments(&arguments, &task.variables, around);
        let what = arguments
            .get(if is_role { "name" } else { "file" })?
            .clone();
        if !what.is_static() {
            self.session.add(
                Problem::error(
                    codes::INCLUDE,
                    what.span,
                    "what an import names must be known when files are loaded",
                )
                .hint("use an include, which is done when it is reached"),
            );
            return None;
        }
        let mut block = Block {
            path: task.path,
            span: task.span,
            name: task.name,
            keywords: task.keywords,
            when: task.when,
            tags: task.tags,
            notify: task.notify,
            ..Block::default()
        };
        if !is_role {
            block.variables = task.variables;
            let inside = self.inside_of(&block, around);
            let path = self.task_file(&what, around)?;
            let imported = self.gathered.imported_handlers.len();
            block.block = self.tasks_of(&path, what.span, &inside);
            self.frame_imported(imported, &block);
            return Some(Step::Block(Arc::new(block)));
        }
        self.imported_role(task.variables, block, &arguments, &what, around)
    }

    /// Arguments of an import with the templates rendered that extra variables, the play's and the
    /// import's own decide. What cannot be known yet stays as written.
    fn known_arguments(&self, arguments: &Node, own: &Variables, around: &Around) -> Node {
        let mut own = own.clone();
        own.extend(self.places(around));
        let entries = arguments.entries().iter().map(|entry| Entry {
            key: entry.key.clone(),
            value: self.known(&entry.value, &own),
        });
        Node {
            span: arguments.span,
            kind: NodeKind::Map(entries.collect()),
        }
    }

    /// Variables that name where the files lie.
    fn places(&self, around: &Around) -> Variables {
        let path = |path: &std::path::Path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            Arc::new(Node::data(path.display().to_string().into()))
        };
        let mut places = Variables::new();
        places.insert("playbook_dir".into(), path(&self.playbook_directory));
        if let Some(role) = &around.role {
            places.insert("role_path".into(), path(&role.path));
            let name = Arc::new(Node::data(role.name.to_string().into()));
            places.insert("role_name".into(), name);
        }
        places
    }

    /// A text that names what is imported, rendered if it can be now.
    pub(super) fn known(&self, node: &Node, own: &Variables) -> Node {
        let Some(evaluate) = self
            .session
            .loader
            .evaluate
            .as_ref()
            .filter(|_| !node.is_static())
        else {
            return node.clone();
        };
        let mut variables = self.play_variables.clone();
        variables.extend(own.clone());
        variables.extend(self.session.loader.state().extra.clone());
        let kind = match evaluate.template(node, &variables) {
            Ok(Value::Text(text)) => NodeKind::Text(Text {
                text,
                is_template: false,
            }),
            Ok(Value::Bool(value)) => NodeKind::Bool(value),
            _ => node.kind.clone(),
        };
        Node {
            span: node.span,
            kind,
        }
    }

    fn imported_role(
        &mut self,
        parameters: Variables,
        frame: Block,
        arguments: &Node,
        what: &Node,
        around: &Around,
    ) -> Option<Step> {
        let files = RoleFiles::of(arguments);
        let usage = RoleUse {
            parameters,
            allow_duplicates: flag(arguments, "allow_duplicates"),
            is_public: flag(arguments, "public"),
            validates: flag(arguments, "rolespec_validate").unwrap_or(true),
            frame,
            ..RoleUse::new(
                what.as_str().unwrap_or_default(),
                what.span,
                Origin::Import,
                files,
            )
        };
        let loaded = self.role(usage, around, &[])?;
        self.gathered.imported_handlers.extend(loaded.handlers);
        loaded.step
    }

    /// Arguments of an include or import as a mapping with `file` or `name`.
    fn include_arguments(&mut self, call: &Call) -> Option<Node> {
        let is_role = matches!(call.verb, Verb::ImportRole | Verb::IncludeRole);
        let main = if is_role { "name" } else { "file" };
        let mut entries: Vec<Entry> = Vec::new();
        for node in call.args.iter().chain(std::iter::once(&call.value)) {
            match &node.kind {
                NodeKind::Map(written) => entries.extend(written.iter().cloned()),
                NodeKind::Text(text) => entries.extend(split(&text.text, node.span, main)),
                _ => {}
            }
        }
        let allowed = if is_role { OF_ROLE } else { OF_TASKS };
        for entry in &mut entries {
            let key = key_text(&entry.key);
            let canonical = match key.as_str() {
                "role" if is_role => Some(main),
                "_raw_params" if !is_role => Some(main),
                _ => None,
            };
            if let Some(name) = canonical {
                entry.key = Node::text(entry.key.span, name);
            } else if !allowed.contains(&key.as_str()) {
                let message = format!("`{}` has no argument `{key}`", call.name);
                let near = closest(&key, allowed.iter().copied());
                self.session
                    .add(Problem::error(codes::INCLUDE, entry.key.span, message).meant(near));
            }
        }
        let arguments = Node {
            span: call.value.span,
            kind: NodeKind::Map(entries),
        };
        let is_named = arguments
            .get(main)
            .and_then(Node::as_str)
            .is_some_and(|name| !name.trim().is_empty());
        if !is_named {
            let what = if is_role { "role" } else { "file" };
            let message = format!("`{}` names no {what}", call.name);
            self.session
                .add(Problem::error(codes::INCLUDE, call.name_span, message));
            return None;
        }
        Some(arguments)
    }

    /// Finds a file of tasks. The problem is noted when there is none.
    pub(super) fn task_file(&mut self, what: &Node, around: &Around) -> Option<PathBuf> {
        let file = what.as_str().unwrap_or_default().trim();
        let mut directories = vec![around.directory.clone()];
        if let Some(role) = &around.role {
            if around.is_handler {
                directories.push(role.path.join("handlers"));
            }
            directories.extend([role.path.join("tasks"), role.path.clone()]);
        }
        directories.push(self.playbook_directory.clone());
        directories.push(self.playbook_directory.join("tasks"));
        let found = first_file(directories.iter().map(|directory| join(directory, file)));
        if found.is_none() {
            let message = format!("there is no file `{file}`");
            let hint = self.near_file(file, &directories);
            self.session
                .add(Problem::error(codes::FILE, what.span, message).hint(hint));
        }
        found
    }

    fn near_file(&self, file: &str, directories: &[PathBuf]) -> String {
        let name = Path::new(file)
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or(file);
        for directory in directories {
            let directory = directory_of(&join(directory, file));
            let names = crate::files::names_in(&directory);
            if let Some(near) = closest(name, names.iter().map(String::as_str)) {
                return format!("did you mean `{}`?", directory.join(near).display());
            }
        }
        let mut seen: Vec<String> = Vec::new();
        for directory in directories {
            let shown = directory.display().to_string();
            if !seen.contains(&shown) {
                seen.push(shown);
            }
        }
        format!("looked in {}", seen.join(", "))
    }

    /// Steps of a file of tasks. A circle is refused.
    pub(super) fn tasks_of(&mut self, path: &Path, asked_at: Span, around: &Around) -> Vec<Step> {
        if self.is_circle(path, asked_at) {
            return Vec::new();
        }
        let Some(read) = self.session.documents(path, asked_at, Holds::Templates) else {
            return Vec::new();
        };
        let around = Around {
            directory: directory_of(path),
            ..around.clone()
        };
        self.open_files.push(path.to_owned());
        let steps = read
            .documents
            .first()
            .map(|document| self.steps(document, "tasks", &around))
            .unwrap_or_default();
        self.open_files.pop();
        steps
    }

    /// Whether a file is being read already, with the problem noted.
    pub(super) fn is_circle(&mut self, path: &Path, asked_at: Span) -> bool {
        let Some(first) = self.open_files.iter().position(|open| open == path) else {
            return false;
        };
        let mut chain: Vec<String> = self
            .open_files
            .iter()
            .skip(first)
            .map(|path| path.display().to_string())
            .collect();
        chain.push(path.display().to_string());
        let message = format!("files import each other: {}", chain.join(" -> "));
        self.session
            .add(Problem::error(codes::CYCLE, asked_at, message));
        true
    }
}

/// Text after an include's name: pairs, and a file or role without a key.
fn split(text: &str, span: Span, main: &str) -> Vec<Entry> {
    let entry = |key: &str, value: &str| Entry {
        key: Node::text(span, key),
        value: Node::text(span, value),
    };
    match key_values::split(text) {
        Some(words) if words.iter().any(|word| matches!(word, Word::Pair(..))) => words
            .into_iter()
            .map(|word| match word {
                Word::Pair(key, value) => entry(&key, &value),
                Word::Other(value) => entry(main, &value),
            })
            .collect(),
        _ => vec![entry(main, text.trim())],
    }
}

/// A yes or no among arguments, as far as it is known.
fn flag(arguments: &Node, name: &str) -> Option<bool> {
    arguments.get(name)?.to_static_value()?.to_boolean()
}
