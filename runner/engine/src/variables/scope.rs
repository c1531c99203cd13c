//! What one task on one host sees: every source of variables, looked up in order of precedence.

use std::sync::Arc;

use sasrun_model::{Key, Keyword, Name, Node, Role, Task, Value, Variables};
use sasrun_template::{Binding, LazyMap, Scope};

use super::magic::{self, Magic};
use super::merged;
use super::{HostVariables, Included, Layers, Level, LevelKind, PlayFacts, Shared};

/// Variables of a play.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlayVariables {
    /// `vars`.
    pub variables: Variables,
    /// `vars_prompt`.
    pub prompted: Variables,
    /// `vars_files`, the later ones winning; of a host, where a name is a template.
    pub files: Variables,
    /// Roles of the play whose variables all its tasks see, in order.
    pub roles: Vec<Arc<Role>>,
}

/// What a scope is made of.
#[derive(Clone)]
pub(crate) struct ScopeParts {
    pub shared: Arc<Shared>,
    pub play: Arc<PlayFacts>,
    pub play_variables: Arc<PlayVariables>,
    pub level: Option<Arc<Level>>,
    pub task: Option<Arc<Task>>,
    pub host: Name,
}

/// The scope of a task on a host.
pub(crate) struct TaskScope {
    parts: ScopeParts,
    learnt: HostVariables,
    layers: Arc<Layers>,
    /// Whether `hostvars` and `vars` are left out: inside of themselves they have no end.
    is_inner: bool,
    /// Loop variables, the result being judged, and the like: before everything else.
    locals: Vec<(Name, Value)>,
    /// The host that the task is delegated to.
    delegate: Option<Name>,
}

impl TaskScope {
    pub(crate) fn new(parts: ScopeParts) -> Self {
        let learnt = parts.shared.host(&parts.host);
        let layers = parts.shared.layers(&parts.host);
        Self {
            parts,
            learnt,
            layers,
            is_inner: false,
            locals: Vec::new(),
            delegate: None,
        }
    }

    /// The same scope, as it is seen inside `hostvars` or `vars`.
    fn inner(mut self) -> Self {
        self.is_inner = true;
        self
    }

    /// The same scope with more variables in front.
    pub(crate) fn with(&self, locals: impl IntoIterator<Item = (Name, Value)>) -> Self {
        let mut all: Vec<_> = locals.into_iter().collect();
        all.extend(self.locals.iter().cloned());
        Self {
            parts: self.parts.clone(),
            learnt: self.parts.shared.host(&self.parts.host),
            layers: Arc::clone(&self.layers),
            is_inner: self.is_inner,
            locals: all,
            delegate: self.delegate.clone(),
        }
    }

    /// The same scope, of a task that another host does.
    pub(crate) fn delegated_to(&self, host: &Name) -> Self {
        Self {
            delegate: Some(Arc::clone(host)),
            ..self.with([])
        }
    }

    fn levels(&self) -> impl Iterator<Item = &Arc<Level>> {
        self.parts.level.iter().flat_map(Level::outward)
    }

    fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.parts.level.iter().flat_map(Level::roles)
    }

    /// Include and role parameters: levels 20 and 21.
    fn parameter(&self, name: &str) -> Option<Binding> {
        self.levels().find_map(|level| match &level.kind {
            LevelKind::Include(inclusion) => of_include(inclusion, name),
            LevelKind::Block(block) => block
                .role
                .as_ref()
                .and_then(|role| written(&role.parameters, name)),
            _ => None,
        })
    }

    /// What the run made: levels 18 and 19, the branch's own first.
    fn made(&self, name: &str) -> Option<Binding> {
        let of_branch = || {
            self.levels().find_map(|level| match &level.kind {
                LevelKind::Branch { overlay, .. } => overlay.get(&self.parts.host, name),
                _ => None,
            })
        };
        of_branch()
            .or_else(|| self.learnt.set.get(name).cloned())
            .map(Binding::Data)
            .or_else(|| self.learnt.included.get(name).map(binding))
    }

    /// Variables of the task, its blocks and roles: levels 15 to 17.
    fn of_blocks(&self, name: &str) -> Option<Binding> {
        let of_task = self
            .parts
            .task
            .as_ref()
            .and_then(|task| written(&task.variables, name));
        of_task
            .or_else(|| {
                self.levels().find_map(|level| match &level.kind {
                    LevelKind::Block(block) => written(&block.variables, name),
                    LevelKind::Parallel(parallel) => written(&parallel.variables, name),
                    _ => None,
                })
            })
            .or_else(|| {
                self.roles()
                    .find_map(|role| written(&role.context.variables, name))
            })
    }

    /// Variables of the play and its roles: levels 12 to 15.
    fn of_play(&self, name: &str) -> Option<Binding> {
        let play = &self.parts.play_variables;
        let of_roles = play.roles.iter().rev().filter(|role| role.is_public);
        of_roles
            .map(|role| &role.context.variables)
            .chain([&play.files, &play.prompted, &play.variables])
            .find_map(|variables| written(variables, name))
    }

    /// Defaults of roles: level 2.
    fn default(&self, name: &str) -> Option<Binding> {
        let of_play = self
            .parts
            .play_variables
            .roles
            .iter()
            .rev()
            .filter(|role| role.is_public);
        self.roles()
            .chain(of_play)
            .find_map(|role| written(&role.context.defaults, name))
    }

    /// What somebody gave: all sources but those of the runner itself.
    fn written(&self, name: &str) -> Option<Binding> {
        written(&self.parts.shared.extra, name)
            .or_else(|| self.parameter(name))
            .or_else(|| self.made(name))
            .or_else(|| self.of_blocks(name))
            .or_else(|| self.of_play(name))
            .or_else(|| self.learnt.injected.get(name).cloned().map(Binding::Data))
            .or_else(|| self.layers.get(name).map(binding))
            .or_else(|| self.default(name))
    }

    /// Where a host is reached that says nothing of it: the one that the task is delegated to, if it is.
    fn own_name(&self) -> Option<Binding> {
        let Some(delegate) = &self.delegate else {
            return Some(Binding::Data(Value::Text(Arc::clone(&self.parts.host))));
        };
        let layers = self.parts.shared.layers(delegate);
        let written = layers.get("ansible_host").map(binding);
        written.or_else(|| Some(Binding::Data(Value::Text(Arc::clone(delegate)))))
    }

    /// What tasks see when nothing else says so: a host is reached at its own name, as the user of the command line.
    fn fallback(&self, name: &str) -> Option<Binding> {
        if self.is_inner || self.parts.task.is_none() {
            return None;
        }
        let value = match name {
            // Each of two names says what the other was given.
            "ansible_host" => return self.written("ansible_ssh_host").or_else(|| self.own_name()),
            "ansible_ssh_host" => return self.written("ansible_host").or_else(|| self.own_name()),
            "ansible_user" => {
                return self
                    .written("ansible_ssh_user")
                    .or_else(|| self.user().map(Binding::Data));
            }
            "ansible_ssh_user" => {
                return self
                    .written("ansible_user")
                    .or_else(|| self.user().map(Binding::Data));
            }
            "ansible_managed" => "Ansible managed".into(),
            // For playbooks on the controller that start Python themselves.
            "ansible_python_interpreter" if self.is_implicit() => {
                return self.magic("ansible_playbook_python");
            }
            _ => return None,
        };
        Some(Binding::Data(value))
    }

    /// Whether the host is the controller, and no inventory names it.
    fn is_implicit(&self) -> bool {
        let host = &self.parts.host;
        let inventory = self.parts.shared.inventory();
        matches!(&**host, "localhost" | "127.0.0.1" | "::1")
            && inventory
                .hosts
                .get(host)
                .is_none_or(|host| host.is_implicit)
    }

    /// The user of the keyword, else that of the command line: level 1. A keyword that is a template may itself ask for
    /// the variable.
    fn user(&self) -> Option<Value> {
        let task = self.parts.task.as_ref();
        let own = task.and_then(|task| task.keywords.get(Keyword::RemoteUser));
        let level = self.parts.level.as_ref();
        match own.or_else(|| level.and_then(|level| level.keyword(Keyword::RemoteUser))) {
            Some(keyword) => keyword.to_static_value(),
            None => self.parts.shared.user.as_deref().map(Value::from),
        }
    }

    fn magic(&self, name: &str) -> Option<Binding> {
        match name {
            "hostvars" | "vars" if self.is_inner => None,
            "hostvars" => {
                let hosts = HostScopes {
                    parts: self.outside_tasks(),
                    only: None,
                };
                Some(Binding::Lazy(Arc::new(hosts)))
            }
            "ansible_delegated_vars" => {
                let hosts = HostScopes {
                    parts: self.outside_tasks(),
                    only: Some(self.delegate.clone()?),
                };
                Some(Binding::Lazy(Arc::new(hosts)))
            }
            "vars" => Some(Binding::Scope(Arc::new(self.with([]).inner()))),
            "ansible_search_path" => Some(Binding::Data(self.search_path())),
            _ => Magic {
                shared: &self.parts.shared,
                play: &self.parts.play,
                host: &self.parts.host,
                level: self.parts.level.as_ref(),
                layers: &self.layers,
                facts: &self.learnt.facts,
            }
            .get(name)
            .map(Binding::Data),
        }
    }

    /// Folders in which lookups look for files: the roles around, the task's, the play's.
    fn search_path(&self) -> Value {
        let folder = |path: &std::path::Path| magic::absolute(path).display().to_string().into();
        let mut folders: Vec<Value> = self.roles().map(|role| folder(&role.path)).collect();
        folders.extend(self.parts.task.iter().map(|task| folder(&task.directory)));
        folders.push(folder(&self.parts.shared.playbook_directory));
        folders.dedup();
        Value::list(folders)
    }

    /// Parts of a scope that belongs to no task.
    fn outside_tasks(&self) -> ScopeParts {
        ScopeParts {
            level: None,
            task: None,
            ..self.parts.clone()
        }
    }
}

/// What all levels say of a variable, for dictionaries that are laid over each other.
impl TaskScope {
    fn merged(&self, name: &str) -> Option<Binding> {
        let play = &self.parts.play_variables;
        let mut found: Vec<Binding> = self.magic(name).into_iter().collect();
        let mut take = |more: Option<Binding>| found.extend(more);
        take(written(&self.parts.shared.extra, name));
        for level in self.levels() {
            match &level.kind {
                LevelKind::Include(inclusion) => take(of_include(inclusion, name)),
                LevelKind::Block(block) => take(
                    block
                        .role
                        .as_ref()
                        .and_then(|role| written(&role.parameters, name)),
                ),
                _ => {}
            }
        }
        take(self.made(name));
        take(self.learnt.included.get(name).map(binding));
        take(
            self.parts
                .task
                .as_ref()
                .and_then(|task| written(&task.variables, name)),
        );
        for level in self.levels() {
            match &level.kind {
                LevelKind::Block(block) => take(written(&block.variables, name)),
                LevelKind::Parallel(parallel) => take(written(&parallel.variables, name)),
                _ => {}
            }
        }
        let of_play = || play.roles.iter().rev().filter(|role| role.is_public);
        let mut seen: Vec<&Arc<Role>> = self.roles().collect();
        let more: Vec<&Arc<Role>> = of_play()
            .filter(|role| !seen.iter().any(|known| Arc::ptr_eq(known, role)))
            .collect();
        seen.extend(more);
        for role in &seen {
            take(written(&role.context.variables, name));
        }
        for variables in [&play.files, &play.prompted, &play.variables] {
            take(written(variables, name));
        }
        take(self.learnt.injected.get(name).cloned().map(Binding::Data));
        for node in self.layers.all(name) {
            take(Some(binding(node)));
        }
        for role in &seen {
            take(written(&role.context.defaults, name));
        }
        take(self.fallback(name));
        merged::of_bindings(found)
    }
}

/// A variable that an include gives.
fn of_include(inclusion: &Included, name: &str) -> Option<Binding> {
    let made = inclusion.parameters.get(name).cloned();
    made.map(Binding::Data)
        .or_else(|| written(&inclusion.written, name))
}

impl Scope for TaskScope {
    fn get(&self, name: &str) -> Option<Binding> {
        if let Some((_, value)) = self.locals.iter().find(|(known, _)| **known == *name) {
            return Some(Binding::Data(value.clone()));
        }
        if self.parts.shared.merges {
            return self.merged(name);
        }
        self.magic(name)
            .or_else(|| self.written(name))
            .or_else(|| self.fallback(name))
    }

    fn names(&self) -> Vec<Name> {
        let play = &self.parts.play_variables;
        let mut names: Vec<Name> = self
            .locals
            .iter()
            .map(|(name, _)| Arc::clone(name))
            .collect();
        names.extend(magic::NAMES.iter().map(|name| Name::from(*name)));
        names.push("ansible_search_path".into());
        if !self.is_inner {
            names.extend(["hostvars", "vars"].map(Name::from));
        }
        names.extend(self.parts.shared.extra.keys().cloned());
        names.extend(self.learnt.set.keys().cloned());
        names.extend(self.learnt.included.keys().cloned());
        names.extend(self.learnt.injected.keys().cloned());
        for level in self.levels() {
            match &level.kind {
                LevelKind::Block(block) => names.extend(block.variables.keys().cloned()),
                LevelKind::Include(inclusion) => {
                    let made = inclusion.parameters.keys();
                    names.extend(made.chain(inclusion.written.keys()).cloned());
                }
                _ => {}
            }
        }
        for role in self.roles().chain(&play.roles) {
            let context = &role.context;
            names.extend(
                context
                    .variables
                    .keys()
                    .chain(context.defaults.keys())
                    .cloned(),
            );
            names.extend(role.parameters.keys().cloned());
        }
        names.extend(
            self.parts
                .task
                .iter()
                .flat_map(|task| task.variables.keys().cloned()),
        );
        names.extend(play.variables.keys().chain(play.files.keys()).cloned());
        names.extend(play.prompted.keys().cloned());
        names.extend(self.layers.names().cloned());
        names.sort();
        names.dedup();
        names
    }
}

fn binding(node: &Arc<Node>) -> Binding {
    Binding::Written(Arc::clone(node))
}

fn written(variables: &Variables, name: &str) -> Option<Binding> {
    variables.get(name).map(binding)
}

/// `hostvars`: each host's variables, made when looked at; or those of one host alone.
struct HostScopes {
    parts: ScopeParts,
    only: Option<Name>,
}

impl LazyMap for HostScopes {
    fn get(&self, key: &Key) -> Option<Binding> {
        let Key::Text(name) = key else { return None };
        if self.only.as_ref().is_some_and(|only| only != name) {
            return None;
        }
        let inventory = self.parts.shared.inventory();
        if !inventory.hosts.contains_key(name) && !matches!(&**name, "localhost" | "127.0.0.1") {
            return None;
        }
        let parts = ScopeParts {
            host: Arc::clone(name),
            ..self.parts.clone()
        };
        Some(Binding::Scope(Arc::new(TaskScope::new(parts).inner())))
    }

    fn keys(&self) -> Vec<Key> {
        if let Some(only) = &self.only {
            return vec![Key::Text(Arc::clone(only))];
        }
        let inventory = self.parts.shared.inventory();
        inventory
            .hosts
            .values()
            .filter(|host| !host.is_implicit)
            .map(|host| Key::Text(Arc::clone(&host.name)))
            .collect()
    }
}
