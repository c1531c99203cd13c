//! Roles: their parts, dependencies and what they bring.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sasrun_model::{Block, Name, Node, Role, RoleContext, Span, Step, Variables};

use super::handlers::framed;
use super::keywords::{may_be_true, one_or_many};
use super::role_scope::{
    content_of_all, merged_defaults, merged_parameters, merged_variables, use_key,
};
use super::{Around, Reader};
use crate::codes;
use crate::problem::Problem;

/// Where a role is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// `roles:` of a play, or the dependencies of another role.
    List,
    /// `import_role`.
    Import,
    /// `include_role`.
    Include,
}

/// Files of a role that are used instead of `main`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RoleFiles {
    pub(super) tasks: Option<String>,
    pub(super) vars: Option<String>,
    pub(super) defaults: Option<String>,
    pub(super) handlers: Option<String>,
    /// Whether all of them are known, that is no templates.
    pub(super) is_known: bool,
}

impl RoleFiles {
    /// As arguments name them.
    pub(super) fn of(arguments: &Node) -> Self {
        let text = |name: &str| {
            arguments
                .get(name)
                .and_then(Node::as_str)
                .map(str::to_owned)
        };
        let names = ["tasks_from", "vars_from", "defaults_from", "handlers_from"];
        Self {
            tasks: text("tasks_from"),
            vars: text("vars_from"),
            defaults: text("defaults_from"),
            handlers: text("handlers_from"),
            is_known: names
                .iter()
                .all(|name| arguments.get(name).is_none_or(Node::is_static)),
        }
    }
}

/// One use of a role.
pub(super) struct RoleUse {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) origin: Origin,
    pub(super) files: RoleFiles,
    pub(super) parameters: Variables,
    pub(super) allow_duplicates: Option<bool>,
    /// Whether the whole play sees its variables, where that is said.
    pub(super) is_public: Option<bool>,
    /// Whether its arguments are held against its argument specs.
    pub(super) validates: bool,
    /// Keywords, conditions and tags of the entry that asks for it.
    pub(super) frame: Block,
}

impl RoleUse {
    pub(super) fn new(name: &str, span: Span, origin: Origin, files: RoleFiles) -> Self {
        Self {
            name: name.to_owned(),
            span,
            origin,
            files,
            parameters: Variables::new(),
            allow_duplicates: None,
            is_public: None,
            validates: true,
            frame: Block::default(),
        }
    }
}

/// A role that asks for others, as those see it.
#[derive(Clone)]
pub(super) struct Parent {
    pub(super) name: Name,
    pub(super) path: PathBuf,
    pub(super) defaults: Variables,
    pub(super) variables: Variables,
    pub(super) parameters: Variables,
    /// Conditions and tags of its use, to tell uses apart.
    pub(super) frame: String,
}

/// A role with all it brings.
pub(super) struct LoadedUse {
    pub(super) role: Arc<Role>,
    /// None when the same use was there before.
    pub(super) step: Option<Step>,
    pub(super) handlers: Vec<Step>,
}

/// Roles inside each other, at most.
const DEPTH: usize = 50;

impl Reader<'_, '_> {
    pub(super) fn is_open_role(&self, name: &str) -> bool {
        self.open_roles.iter().any(|open| **open == *name)
    }

    /// Loads a use of a role, dependencies first.
    pub(super) fn role(
        &mut self,
        usage: RoleUse,
        around: &Around,
        parents: &[Parent],
    ) -> Option<LoadedUse> {
        if self.is_circle_of_roles(&usage) {
            return None;
        }
        let beside = parents
            .last()
            .map(|parent| parent.path.as_path())
            .or(around.role.as_ref().map(|role| role.path.as_path()));
        let found = self.find_role(&usage.name, usage.span, beside, &around.collections);
        let Some(path) = found else {
            // What it would have brought is not known.
            self.gathered.has_includes = true;
            return None;
        };
        self.open_roles.push(usage.name.as_str().into());
        let loaded = self.role_at(path, usage, around, parents);
        self.open_roles.pop();
        Some(loaded)
    }

    fn is_circle_of_roles(&mut self, usage: &RoleUse) -> bool {
        let is_circle = self.is_open_role(&usage.name) && usage.origin == Origin::List;
        let is_deep = self.open_roles.len() >= DEPTH;
        if is_circle || is_deep {
            let chain: Vec<&str> = self.open_roles.iter().map(|name| &**name).collect();
            let message = format!(
                "roles need each other: {} -> {}",
                chain.join(" -> "),
                usage.name
            );
            self.session
                .add(Problem::error(codes::CYCLE, usage.span, message));
        }
        is_circle || is_deep
    }

    fn role_at(
        &mut self,
        path: PathBuf,
        usage: RoleUse,
        around: &Around,
        parents: &[Parent],
    ) -> LoadedUse {
        let meta = self.role_data(&path, "meta", "main");
        let files = &usage.files;
        let defaults =
            self.role_variables(&path, "defaults", files.defaults.as_deref(), usage.span);
        let variables = self.role_variables(&path, "vars", files.vars.as_deref(), usage.span);
        let mut frame = usage.frame.clone();
        if frame.path.is_empty() {
            frame.path = around.path.as_str().into();
            frame.span = usage.span;
        }
        let me = Parent {
            name: usage.name.as_str().into(),
            path: path.clone(),
            defaults: defaults.clone(),
            variables: variables.clone(),
            parameters: usage.parameters.clone(),
            frame: content_of_all(&frame.when) + &content_of_all(&frame.tags),
        };
        let inside = self.inside_of(&frame, around);
        let chain: Vec<Parent> = parents.iter().cloned().chain([me]).collect();
        let dependencies = self.dependencies(meta.as_ref(), &inside, &chain);

        let allow_duplicates = may_run_again(&usage, meta.as_ref());
        let entry_point = usage.files.tasks.as_deref().unwrap_or("main");
        let specs = self.argument_specs(&path, meta.as_ref(), entry_point);
        let specs = specs.filter(|_| usage.validates);
        let is_public = match self.session.loader.settings.private_role_vars {
            Some(is_private) => !is_private,
            None => usage.origin != Origin::Include,
        };
        let role = Arc::new(Role {
            name: usage.name.as_str().into(),
            context: RoleContext {
                defaults: merged_defaults(&dependencies, parents, &defaults),
                variables: merged_variables(&dependencies, parents, &variables),
                argument_specs: specs,
            },
            parameters: merged_parameters(&chain),
            parents: parents
                .iter()
                .rev()
                .map(|one| Arc::clone(&one.name))
                .collect(),
            dependencies: dependencies
                .iter()
                .map(|one| Arc::clone(&one.role.name))
                .collect(),
            allow_duplicates,
            is_public: usage.is_public.unwrap_or(is_public),
            path,
        });
        // Which of several plain uses a host skips is decided when they are reached.
        let is_plain = parents.is_empty() && dependencies.is_empty();
        let is_repeated = !is_plain
            && !allow_duplicates
            && !self
                .gathered
                .used_roles
                .insert(use_key(&role, &usage.files, &chain));
        self.assemble(role, &usage.files, frame, dependencies, around, is_repeated)
    }

    /// Puts the role's tasks and handlers behind those of its dependencies.
    fn assemble(
        &mut self,
        role: Arc<Role>,
        files: &RoleFiles,
        mut frame: Block,
        dependencies: Vec<LoadedUse>,
        around: &Around,
        is_repeated: bool,
    ) -> LoadedUse {
        let inside = self.inside_of(&frame, around);
        let mut handlers: Vec<Step> = Vec::new();
        let mut before: Vec<Step> = Vec::new();
        for dependency in dependencies {
            handlers.extend(dependency.handlers);
            before.extend(dependency.step);
        }
        if is_repeated {
            return LoadedUse {
                role,
                step: None,
                handlers: framed(&frame, handlers),
            };
        }
        handlers.extend(self.role_handlers(&role, files, &inside));
        let handlers = framed(&frame, handlers);
        let before_tasks = self.gathered.imported_handlers.len();
        let tasks = self.role_tasks(&role, files, &inside, frame.span);
        let around_imported = Block {
            role: Some(Arc::clone(&role)),
            ..frame.clone()
        };
        self.frame_imported(before_tasks, &around_imported);
        let step = if before.is_empty() {
            frame.role = Some(Arc::clone(&role));
            frame.block = tasks;
            frame
        } else {
            let own = Block {
                path: format!("{}/{}", frame.path, role.name).into(),
                span: frame.span,
                role: Some(Arc::clone(&role)),
                block: tasks,
                ..Block::default()
            };
            frame.block = before;
            frame.block.push(Step::Block(Arc::new(own)));
            frame
        };
        LoadedUse {
            role,
            step: Some(Step::Block(Arc::new(step))),
            handlers,
        }
    }

    fn role_tasks(
        &mut self,
        role: &Arc<Role>,
        files: &RoleFiles,
        inside: &Around,
        span: Span,
    ) -> Vec<Step> {
        let around = Around {
            role: Some(Arc::clone(role)),
            is_handler: false,
            ..inside.inside(&format!("{}:tasks", role.name))
        };
        let entry_point = files.tasks.as_deref().unwrap_or("main");
        let check = self.argument_check(role, entry_point, span, &around);
        let mut steps: Vec<Step> = check.into_iter().collect();
        if let Some(file) = self.role_file(&role.path, "tasks", files.tasks.as_deref(), span) {
            steps.extend(self.tasks_of(&file, span, &around));
        }
        steps
    }

    fn role_handlers(
        &mut self,
        role: &Arc<Role>,
        files: &RoleFiles,
        inside: &Around,
    ) -> Option<Step> {
        let from = files.handlers.as_deref();
        let file = self.role_file(&role.path, "handlers", from, Span::default())?;
        let around = Around {
            role: Some(Arc::clone(role)),
            is_handler: true,
            ..inside.inside(&format!("{}:handlers", role.name))
        };
        let block = Block {
            path: around.path.as_str().into(),
            role: Some(Arc::clone(role)),
            block: self.tasks_of(&file, Span::default(), &around),
            ..Block::default()
        };
        Some(Step::Block(Arc::new(block)))
    }

    fn argument_specs(&mut self, path: &Path, meta: Option<&Node>, entry: &str) -> Option<Node> {
        let own = self.role_data(path, "meta", "argument_specs");
        let specs = own
            .as_ref()
            .and_then(|document| document.get("argument_specs"))
            .or_else(|| meta.and_then(|meta| meta.get("argument_specs")))?;
        let stem = entry.strip_suffix(".yml").unwrap_or(entry);
        specs.get(stem).cloned()
    }

    fn dependencies(
        &mut self,
        meta: Option<&Node>,
        inside: &Around,
        chain: &[Parent],
    ) -> Vec<LoadedUse> {
        let Some(written) = meta.and_then(|meta| meta.get("dependencies")) else {
            return Vec::new();
        };
        let entries = one_or_many(written);
        let mut loaded = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let around = inside.inside(&format!("dependencies/{index}"));
            if let Some(usage) = self.role_entry(entry, &around) {
                loaded.extend(self.role(usage, &around, chain));
            }
        }
        loaded
    }
}

/// Whether a role may run again on a host. What asks for it by name has the last word.
fn may_run_again(usage: &RoleUse, meta: Option<&Node>) -> bool {
    let said = meta.and_then(|meta| meta.get("allow_duplicates"));
    usage
        .allow_duplicates
        .unwrap_or(usage.origin != Origin::List || said.is_some_and(may_be_true))
}
