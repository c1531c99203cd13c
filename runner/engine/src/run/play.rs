//! A play while it runs: its hosts, its variables, its handlers.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::Arc;

use sasrun_model::{EventKind, Name, Node, Play, Role, Step, Strategy, Task, Value, Variables};
use sasrun_template::Scope;

use super::Run;
use crate::looking::Looking;
use crate::variables::{Level, LevelKind, PlayFacts, PlayVariables, ScopeParts, TaskScope};

/// A play in progress, for one batch of its hosts.
pub(crate) struct PlayRun {
    pub(crate) play: Arc<Play>,
    pub(crate) level: Arc<Level>,
    facts: RefCell<Arc<PlayFacts>>,
    variables: RefCell<Arc<PlayVariables>>,
    handlers: RefCell<Vec<Handler>>,
    batch: Vec<Name>,
    gone: RefCell<HashSet<Name>>,
    unreachable: RefCell<HashSet<Name>>,
    roles_done: RefCell<HashSet<(Name, String, Name)>>,
    flushing: Cell<u32>,
    fatal: Cell<bool>,
    most_failed_percent: Option<f64>,
}

struct Handler {
    task: Arc<Task>,
    level: Arc<Level>,
    owed: Vec<Name>,
}

/// Says that handlers run, until it is dropped.
pub(crate) struct Flushing<'a>(&'a Cell<u32>);

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl PlayRun {
    pub(super) fn new(
        run: &Run,
        play: &Arc<Play>,
        all: &[Name],
        batch: Vec<Name>,
        variables: PlayVariables,
        name: &str,
    ) -> Self {
        let level = Level::new(None, LevelKind::Play(Arc::clone(play)));
        let texts = |hosts: &[Name]| {
            Arc::new(
                hosts
                    .iter()
                    .map(|host| Value::Text(Arc::clone(host)))
                    .collect::<Vec<_>>(),
            )
        };
        let roles = variables
            .roles
            .iter()
            .map(|role| Value::Text(Arc::clone(&role.name)));
        let facts = PlayFacts {
            name: name.into(),
            hosts_all: texts(all),
            hosts: texts(all),
            batch: texts(&batch),
            groups: crate::variables::groups(&run.shared.inventory()),
            role_names: Arc::new(roles.collect()),
        };
        let this = Self {
            level: Arc::clone(&level),
            play: Arc::clone(play),
            facts: RefCell::new(Arc::new(facts)),
            variables: RefCell::new(Arc::new(variables)),
            handlers: RefCell::default(),
            batch,
            gone: RefCell::default(),
            unreachable: RefCell::default(),
            roles_done: RefCell::default(),
            flushing: Cell::new(0),
            fatal: Cell::new(false),
            most_failed_percent: None,
        };
        this.add_handlers(&play.handlers);
        this
    }

    pub(super) fn set_most_failed(&mut self, percent: Option<f64>) {
        self.most_failed_percent = percent;
    }

    pub(crate) fn facts(&self) -> Arc<PlayFacts> {
        Arc::clone(&self.facts.borrow())
    }

    pub(crate) fn variables(&self) -> Arc<PlayVariables> {
        Arc::clone(&self.variables.borrow())
    }

    /// Adds handlers, also those inside blocks, with the levels around them.
    pub(crate) fn add_handlers(&self, steps: &[Step]) {
        let mut found = Vec::new();
        collect_handlers(steps, &self.level, &mut found);
        let mut handlers = self.handlers.borrow_mut();
        for (task, level) in found {
            if !handlers
                .iter()
                .any(|handler| handler.task.path == task.path)
            {
                handlers.push(Handler {
                    task,
                    level,
                    owed: Vec::new(),
                });
            }
        }
    }

    /// Lets the tasks after it see a role's variables.
    pub(crate) fn publish_role(&self, role: &Arc<Role>) {
        let mut variables = self.variables.borrow_mut();
        if variables.roles.iter().any(|known| Arc::ptr_eq(known, role)) {
            return;
        }
        let old = Arc::clone(&variables);
        let mut roles = old.roles.clone();
        roles.push(Arc::clone(role));
        *variables = Arc::new(PlayVariables {
            variables: old.variables.clone(),
            prompted: old.prompted.clone(),
            files: old.files.clone(),
            roles,
        });
    }

    /// Notes that a host owes a handler a run.
    pub(crate) fn notify(&self, run: &Run, name: &str, host: &Name) -> Result<(), String> {
        let wanted: Vec<usize> = self.handlers_named(run, name, host);
        if wanted.is_empty() {
            return Err(format!(
                "there is no handler \"{name}\" in this play or its roles"
            ));
        }
        let mut handlers = self.handlers.borrow_mut();
        for index in wanted {
            if let Some(handler) = handlers.get_mut(index)
                && !handler.owed.contains(host)
            {
                handler.owed.push(Arc::clone(host));
            }
        }
        drop(handlers);
        run.dispatcher.emit(EventKind::HandlerNotified {
            handler: name.to_owned(),
            host: Arc::clone(host),
        });
        Ok(())
    }

    /// The last handler of that name, and all that listen to it.
    fn handlers_named(&self, run: &Run, name: &str, host: &Name) -> Vec<usize> {
        let handlers = self.handlers.borrow();
        let resolve = |node: &Node, level: &Arc<Level>| {
            if let Some(text) = node.to_static_value() {
                return Some(text);
            }
            let scope: Arc<dyn Scope> = Arc::new(TaskScope::new(ScopeParts {
                shared: Arc::clone(&run.shared),
                play: self.facts(),
                play_variables: self.variables(),
                level: Some(Arc::clone(level)),
                task: None,
                host: Arc::clone(host),
            }));
            run.templates.resolve(node, &scope).ok()
        };
        let mut wanted = Vec::new();
        let by_name = handlers.iter().rposition(|handler| {
            let own = handler
                .task
                .name
                .as_ref()
                .and_then(|node| resolve(node, &handler.level));
            own.as_ref().and_then(Value::as_str).is_some_and(|own| {
                let role = handler.level.roles().next();
                own == name || role.is_some_and(|role| format!("{} : {own}", role.name) == name)
            })
        });
        wanted.extend(by_name);
        for (index, handler) in handlers.iter().enumerate() {
            let listens =
                handler
                    .task
                    .listen
                    .iter()
                    .any(|node| match resolve(node, &handler.level) {
                        Some(Value::List(topics)) => {
                            topics.iter().any(|t| t.as_str() == Some(name))
                        }
                        Some(topic) => topic.as_str() == Some(name),
                        None => false,
                    });
            if listens && !wanted.contains(&index) {
                wanted.push(index);
            }
        }
        wanted.sort_unstable();
        wanted
    }

    /// The first handler that any of these hosts owes.
    pub(crate) fn first_owed(&self, hosts: &[Name]) -> Option<usize> {
        let handlers = self.handlers.borrow();
        handlers
            .iter()
            .position(|handler| handler.owed.iter().any(|host| hosts.contains(host)))
    }

    /// Hosts that owe a handler; they owe it no more.
    pub(crate) fn take_owed(&self, index: usize, hosts: &[Name]) -> Vec<Name> {
        let mut handlers = self.handlers.borrow_mut();
        let Some(handler) = handlers.get_mut(index) else {
            return Vec::new();
        };
        let (taken, left) = handler
            .owed
            .drain(..)
            .partition(|host| hosts.contains(host));
        handler.owed = left;
        let taken: Vec<Name> = taken;
        // In the order of the batch, not of the notifications.
        self.batch
            .iter()
            .filter(|host| taken.contains(host))
            .cloned()
            .collect()
    }

    pub(crate) fn handler(&self, index: usize) -> Option<(Arc<Task>, Arc<Level>)> {
        let handlers = self.handlers.borrow();
        handlers
            .get(index)
            .map(|h| (Arc::clone(&h.task), Arc::clone(&h.level)))
    }

    pub(crate) fn begin_flush(&self) -> Flushing<'_> {
        self.flushing.set(self.flushing.get() + 1);
        Flushing(&self.flushing)
    }

    pub(crate) fn is_flushing(&self) -> bool {
        self.flushing.get() > 0
    }

    /// Takes hosts out of the play without failing them.
    pub(crate) fn end(&self, hosts: &[Name]) {
        self.gone.borrow_mut().extend(hosts.iter().cloned());
    }

    pub(crate) fn end_role(&self, hosts: &[Name]) {
        self.end(hosts);
    }

    pub(crate) fn is_gone(&self, host: &Name) -> bool {
        self.gone.borrow().contains(host)
    }

    pub(crate) fn unreachable(&self, host: &Name) {
        self.unreachable.borrow_mut().insert(Arc::clone(host));
    }

    pub(crate) fn is_unreachable(&self, host: &Name) -> bool {
        self.unreachable.borrow().contains(host)
    }

    pub(crate) fn clear_errors(&self, run: &Run) {
        self.unreachable.borrow_mut().clear();
        for host in &self.batch {
            run.state.keep_host(host);
        }
    }

    pub(crate) fn rescue_begins(&self, _: &Run, _: &Name) {}

    pub(crate) fn rescued(&self, _: &Name) {
        self.fatal.set(false);
    }

    /// Notes that a failure of one host ends the play for all.
    pub(crate) fn any_error_was_fatal(&self, caught: bool) {
        if !caught {
            self.fatal.set(true);
        }
    }

    pub(crate) fn was_fatal(&self) -> bool {
        self.fatal.get()
    }

    /// Whether more hosts failed than `max_fail_percentage` allows.
    #[expect(clippy::cast_precision_loss, reason = "numbers of hosts are small")]
    pub(crate) fn too_many_failed(&self, failed: usize) -> bool {
        let Some(limit) = self.most_failed_percent else {
            return false;
        };
        failed as f64 * 100.0 / self.batch.len().max(1) as f64 > limit
    }

    pub(crate) fn has_done_role(&self, role: &Role, host: &Name) -> bool {
        self.roles_done.borrow().contains(&role_key(role, host))
    }

    pub(crate) fn did_role(&self, role: &Role, host: &Name) {
        self.roles_done.borrow_mut().insert(role_key(role, host));
    }

    /// Hosts left out of `ansible_play_hosts` from now on.
    pub(super) fn refresh_hosts(&self, alive: &[Name]) {
        let texts: Vec<Value> = alive
            .iter()
            .map(|host| Value::Text(Arc::clone(host)))
            .collect();
        let mut facts = PlayFacts::clone(&self.facts.borrow());
        facts.hosts = Arc::new(texts.clone());
        facts.batch = Arc::new(texts);
        *self.facts.borrow_mut() = Arc::new(facts);
    }

    pub(super) fn batch(&self) -> &[Name] {
        &self.batch
    }
}

fn role_key(role: &Role, host: &Name) -> (Name, String, Name) {
    let parameters = format!("{} {:?}", role.path.display(), role.parameters);
    (Arc::clone(&role.name), parameters, Arc::clone(host))
}

fn collect_handlers(steps: &[Step], level: &Arc<Level>, found: &mut Vec<(Arc<Task>, Arc<Level>)>) {
    for step in steps {
        match step {
            Step::Task(task) => found.push((Arc::clone(task), Arc::clone(level))),
            Step::Block(block) => {
                let inner = Level::new(Some(level), LevelKind::Block(Arc::clone(block)));
                collect_handlers(&block.block, &inner, found);
            }
            Step::Parallel(_) => {}
        }
    }
}

impl Run {
    /// Carries one play out, batch after batch.
    pub(super) async fn play(&self, play: &Arc<Play>) {
        let name = self.play_name(play);
        let hosts = match self.hosts_of(play) {
            Ok(hosts) => hosts,
            Err(message) => {
                self.warn(message);
                Vec::new()
            }
        };
        if hosts.is_empty() {
            let play = Arc::clone(&play.path);
            self.dispatcher.emit(EventKind::PlaySkipped { play, name });
            return;
        }
        let batches = match self.batches(play, &hosts) {
            Ok(batches) => batches,
            Err(message) => return self.refuse(&message),
        };
        let count = u32::try_from(batches.len()).unwrap_or(u32::MAX);
        for (index, batch) in (0_u32..).zip(batches) {
            let number = (count > 1).then_some((index, count));
            self.dispatcher.emit(EventKind::PlayStarted {
                play: Arc::clone(&play.path),
                name: name.clone(),
                hosts: batch.clone(),
                batch: number,
            });
            if !self.batch(play, &hosts, batch, &name).await || self.is_stopping() {
                return;
            }
        }
    }

    fn play_name(&self, play: &Arc<Play>) -> String {
        let written = play.name.as_ref().unwrap_or(&play.hosts);
        let scope = self.play_scope(play, &"localhost".into());
        match self.templates.resolve(written, &scope) {
            Ok(value) => self.templates.display(&value),
            Err(_) => written.as_str().unwrap_or_default().to_owned(),
        }
    }

    /// A scope for what belongs to the play as a whole.
    pub(crate) fn play_scope(&self, play: &Arc<Play>, host: &Name) -> Arc<dyn Scope> {
        let variables = PlayVariables {
            variables: play.variables.clone(),
            ..PlayVariables::default()
        };
        let facts = PlayFacts {
            groups: crate::variables::groups(&self.shared.inventory()),
            ..PlayFacts::default()
        };
        Arc::new(TaskScope::new(ScopeParts {
            shared: Arc::clone(&self.shared),
            play: Arc::new(facts),
            play_variables: Arc::new(variables),
            level: Some(Level::new(None, LevelKind::Play(Arc::clone(play)))),
            task: None,
            host: Arc::clone(host),
        }))
    }

    /// Hosts of a play that the limit leaves and that did not drop out before.
    pub(crate) fn hosts_of(&self, play: &Arc<Play>) -> Result<Vec<Name>, String> {
        let scope = self.play_scope(play, &"localhost".into());
        let pattern = self
            .templates
            .resolve(&play.hosts, &scope)
            .map_err(|e| e.to_string())?;
        let pattern = match &pattern {
            Value::List(parts) => parts
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(","),
            one => self.templates.display(one),
        };
        let mut hosts = self.files.select(&pattern, &self.shared.inventory())?;
        if let Some(limit) = &self.options.limit {
            hosts.retain(|host| limit.contains(host));
        }
        hosts.retain(|host| !self.state.is_dropped(host));
        self.ordered(play, hosts, &scope)
    }

    fn ordered(
        &self,
        play: &Arc<Play>,
        mut hosts: Vec<Name>,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Name>, String> {
        let Some(order) = &play.order else {
            return Ok(hosts);
        };
        let order = self
            .templates
            .resolve(order, scope)
            .map_err(|error| error.to_string())?;
        match order.as_str() {
            Some("sorted") => hosts.sort(),
            Some("reverse_sorted") => {
                hosts.sort();
                hosts.reverse();
            }
            Some("reverse_inventory") => hosts.reverse(),
            _ => {}
        }
        Ok(hosts)
    }

    /// Variables of a play: its own, its files', its roles'.
    pub(super) fn play_variables(
        &self,
        play: &Arc<Play>,
        host: &Name,
    ) -> Result<PlayVariables, String> {
        let scope = self.play_scope(play, host);
        let mut files = Variables::new();
        for node in &play.vars_files {
            let value = self
                .templates
                .resolve(node, &scope)
                .map_err(|error| error.to_string())?;
            let candidates: Vec<Value> = match value {
                Value::List(candidates) => candidates.to_vec(),
                one => vec![one],
            };
            files.extend(self.first_variables_file(play, &candidates)?);
        }
        let mut roles = Vec::new();
        collect_roles(&play.roles, &mut roles);
        Ok(PlayVariables {
            variables: play.variables.clone(),
            prompted: Variables::new(),
            files,
            roles,
        })
    }

    fn first_variables_file(&self, play: &Play, candidates: &[Value]) -> Result<Variables, String> {
        for candidate in candidates.iter().filter_map(Value::as_str) {
            let path = play.directory.join(candidate);
            if path.exists() {
                return self.files.load_variables(&path).map_err(|problems| {
                    problems
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("\n")
                });
            }
        }
        let names: Vec<&str> = candidates.iter().filter_map(Value::as_str).collect();
        Err(format!(
            "none of these variable files is there: {}",
            names.join(", ")
        ))
    }
}

/// Roles of a play, those that others depend on first.
fn collect_roles(steps: &[Step], roles: &mut Vec<Arc<Role>>) {
    for step in steps {
        if let Step::Block(block) = step {
            collect_roles(&block.block, roles);
            if let Some(role) = &block.role {
                roles.push(Arc::clone(role));
            }
        }
    }
}

/// Whether each host of a lane walks alone.
pub(super) fn walks_alone(strategy: Strategy) -> bool {
    matches!(strategy, Strategy::Free | Strategy::HostPinned)
}
