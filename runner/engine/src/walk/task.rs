//! One task for the hosts of a lane.

use std::sync::Arc;

use futures::future::join_all;
use sasrun_model::{Action, EventKind, Include, Keyword, Name, Status, Task};
use sasrun_template::Scope;

use super::{Failed, Walk, failure_variables};
use crate::looking::Looking;
use crate::run::Reaction;
use crate::task::{HostOutcome, HostRun, registered};
use crate::variables::Level;

impl<'a> Walk<'a> {
    /// Carries a task out on all hosts; gives those that failed.
    pub(super) async fn task(
        self,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        hosts: &[Name],
    ) -> Failed {
        let Some(first) = hosts.first() else {
            return Failed::new();
        };
        let scope = self.host_run(task, level, first).scope();
        if !self.is_selected(task, level, &(Arc::clone(&scope) as _)) {
            return Failed::new();
        }
        if !self
            .run
            .starts_here(task, &self.name(task, level, &(Arc::clone(&scope) as _)))
        {
            return Failed::new();
        }
        self.announce(task, level, &(Arc::clone(&scope) as _));
        match &task.action {
            Action::Meta(meta) => self.meta(meta, task, level, hosts).await,
            Action::Include(kind) => self.include(*kind, task, level, hosts).await,
            Action::Module(_) | Action::Chosen(_) => self.on_hosts(task, level, hosts).await,
        }
    }

    /// Carries a module's task out on hosts side by side.
    async fn on_hosts(self, task: &'a Arc<Task>, level: &Arc<Level>, hosts: &[Name]) -> Failed {
        let Some(first) = hosts.first() else {
            return Failed::new();
        };
        let host_run = self.host_run(task, level, first);
        let scope: Arc<dyn Scope> = host_run.scope();
        let once =
            host_run.flag(Keyword::RunOnce, &scope).unwrap_or(false) || self.is_once_for_all(task);
        let throttle = host_run.keyword(Keyword::Throttle, &scope).ok().flatten();
        let throttle = throttle
            .as_ref()
            .and_then(crate::task::number)
            .filter(|n| *n >= 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1"
        )]
        let throttle = throttle.map(|limit| self.play.turns(task, limit as usize));
        let doing: &[Name] = if once { &hosts[..1] } else { hosts };
        let outcomes = join_all(doing.iter().map(|host| {
            let throttle = throttle.as_ref();
            async move {
                let _turn = match throttle {
                    Some(turns) => turns.acquire().await.ok(),
                    None => None,
                };
                let _fork = self.run.fork().await;
                // Hosts that waited for their turn do not begin when the run stops meanwhile.
                let own = self.for_host(task, level, host);
                let host_run = self.host_run(&own, level, host);
                if self.run.is_stopping() && !host_run.is_done_before() {
                    return None;
                }
                Some((host, host_run.carry_out().await?))
            }
        }))
        .await;
        let outcomes: Vec<(&Name, HostOutcome)> = outcomes.into_iter().flatten().collect();
        let mut failed = Failed::new();
        for (host, outcome) in &outcomes {
            self.take_up(task, level, host, outcome, &mut failed);
            self.react(task, level, host, outcome).await;
        }
        if once && let Some((first, outcome)) = outcomes.first() {
            self.share(task, first, outcome, hosts, &mut failed);
        }
        self.spread_errors(task, level, hosts, &mut failed);
        failed
    }

    fn is_once_for_all(self, task: &Task) -> bool {
        let Action::Module(name) = &task.action else {
            return false;
        };
        let module = self.run.registry.find(name);
        module.is_some_and(|module| module.spec().once_for_all)
    }

    /// The task as one host does it: with the module that a template names for it. What depends on
    /// the items of a loop is left to these.
    fn for_host(self, task: &'a Arc<Task>, level: &Arc<Level>, host: &Name) -> Arc<Task> {
        if !matches!(task.action, Action::Chosen(_)) {
            return Arc::clone(task);
        }
        let host_run = self.host_run(task, level, host);
        let named = host_run.module_name(&(host_run.scope() as _));
        let module = match &named {
            Ok(Some(name)) => self.run.registry.find(name),
            _ => None,
        };
        module.map_or_else(
            || Arc::clone(task),
            |module| {
                Arc::new(Task {
                    action: Action::Module(module.spec().name.as_str().into()),
                    ..Task::clone(task)
                })
            },
        )
    }

    /// Notes what an outcome means for its host.
    fn take_up(
        self,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        host: &Name,
        outcome: &HostOutcome,
        failed: &mut Failed,
    ) {
        let status = outcome.outcome.status;
        let is_rescued = level.is_caught()
            && (status == Status::Failed || self.host_run(task, level, host).is_rescued(status));
        self.run.count(host, outcome, is_rescued);
        if !matches!(status, Status::Skipped | Status::Unreachable)
            && let Some(role) = level.roles().next()
        {
            self.play.ran_in_role(role, host);
        }
        if !outcome.stops_host() {
            return;
        }
        if outcome.outcome.status == Status::Unreachable {
            self.play.unreachable(host);
        }
        if outcome.outcome.status == Status::Unknown {
            self.run.found_unknown(&self.name_on(task, level, host));
        }
        let variables = failure_variables(task, &outcome.outcome.result);
        self.run.shared.change_host(host, |learnt| {
            Arc::make_mut(&mut learnt.set).extend(variables);
        });
        self.play.fails(host);
        failed.push(Arc::clone(host));
    }

    /// What the failure of a host means for the whole run.
    async fn react(
        self,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        host: &Name,
        outcome: &HostOutcome,
    ) {
        let status = outcome.outcome.status;
        let host_run = self.host_run(task, level, host);
        if !outcome.stops_host() || host_run.is_rescued(status) || self.run.is_stopping() {
            return;
        }
        let mut reaction = host_run.reaction(status);
        let name = self.name_on(task, level, host);
        if reaction == Reaction::Ask {
            // The host has come to the task already: this time is the one before the next.
            let mut id = host_run.id(None, 0);
            id.occurrence = id.occurrence.saturating_sub(1);
            reaction = self.run.ask_reaction(&id, &name).await;
        }
        if reaction == Reaction::Stop {
            self.run.pause_run(&format!(
                "\"{name}\" ended badly on {host}; `sasrun resume {}` goes on",
                self.run.id
            ));
        }
    }

    /// What one host did for all: the others get its registered result and share its failure.
    fn share(
        self,
        task: &Task,
        first: &Name,
        outcome: &HostOutcome,
        hosts: &[Name],
        failed: &mut Failed,
    ) {
        // All hosts of the batch learn of it, also those that do not walk here.
        let others = self.play.together(hosts);
        for host in others.iter().filter(|host| *host != first) {
            if let Some(name) = &task.register {
                let result = registered(&outcome.outcome.result);
                self.run.shared.change_host(host, |learnt| {
                    Arc::make_mut(&mut learnt.set).insert(Arc::clone(name), result);
                });
            }
        }
        for host in hosts.iter().filter(|host| *host != first) {
            if outcome.stops_host() {
                self.play.fails(host);
                failed.push(Arc::clone(host));
            }
        }
        if let sasrun_model::Action::Module(name) = &task.action
            && name.ends_with("set_fact")
        {
            let made = facts_made(&outcome.outcome.result);
            self.run.share_facts(first, &others, &made);
        }
    }

    /// One failure may end the play for all hosts.
    pub(super) fn spread_errors(
        self,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        hosts: &[Name],
        failed: &mut Failed,
    ) {
        if failed.is_empty() {
            return;
        }
        let Some(first) = hosts.first() else { return };
        let host_run = self.host_run(task, level, first);
        let fatal = host_run.flag(Keyword::AnyErrorsFatal, &(host_run.scope() as _));
        let too_many = !level.is_caught() && self.play.too_many_failed(failed);
        if fatal.unwrap_or(false) || too_many {
            for host in hosts
                .iter()
                .filter(|host| !failed.contains(host))
                .cloned()
                .collect::<Vec<_>>()
            {
                self.play.fails(&host);
                failed.push(host);
            }
            self.play.any_error_was_fatal(level.is_caught());
        }
    }

    pub(super) fn host_run<'b>(
        self,
        task: &'b Arc<Task>,
        level: &'b Arc<Level>,
        host: &'b Name,
    ) -> HostRun<'b>
    where
        'a: 'b,
    {
        let occurrence = self.run.occurrence(host, task);
        HostRun {
            run: self.run,
            play: self.play,
            task,
            level,
            host,
            occurrence,
            effects: std::cell::RefCell::default(),
            is_left: std::cell::Cell::default(),
            intent: std::cell::RefCell::default(),
        }
    }

    /// Name of a task as shown: with its role in front, rendered as far as it can be.
    pub(super) fn name(self, task: &Task, level: &Arc<Level>, scope: &Arc<dyn Scope>) -> String {
        let own = match &task.name {
            Some(node) => match self.run.templates.resolve(node, scope) {
                Ok(value) => self.run.templates.display(&value),
                Err(_) => node.as_str().unwrap_or_default().to_owned(),
            },
            None if matches!(task.action, Action::Include(Include::Role)) => {
                return include_role_name(task);
            }
            None => self.name_plain(task),
        };
        match level.roles().next() {
            Some(role) => format!("{} : {own}", role.name),
            None => own,
        }
    }

    /// Name of a task as one host shows it.
    fn name_on(self, task: &'a Arc<Task>, level: &Arc<Level>, host: &Name) -> String {
        let scope: Arc<dyn Scope> = self.host_run(task, level, host).scope() as _;
        self.name(task, level, &scope)
    }

    fn name_plain(self, task: &Task) -> String {
        if let Some(name) = task.name.as_ref().and_then(|node| node.as_str()) {
            return name.to_owned();
        }
        match &task.action {
            Action::Module(name) => name
                .strip_prefix("ansible.builtin.")
                .unwrap_or(name)
                .to_owned(),
            Action::Chosen(name) => name.as_str().unwrap_or_default().to_owned(),
            Action::Meta(name) => format!("meta: {name}"),
            Action::Include(Include::Tasks) => "include_tasks".to_owned(),
            Action::Include(Include::Role) => include_role_name(task),
        }
    }

    fn announce(self, task: &Task, level: &Arc<Level>, scope: &Arc<dyn Scope>) {
        let place = self.run.files.place(task.span);
        self.run.dispatcher.emit(EventKind::TaskStarted {
            task: Arc::clone(&task.path),
            name: self.name(task, level, scope),
            place: place
                .map(|p| format!("{}:{}", p.path, p.line))
                .unwrap_or_default(),
            handler: task.is_handler,
            branch: level.branch().map(|(name, _)| Arc::clone(name)),
            action: match &task.action {
                Action::Module(name) | Action::Meta(name) => Arc::clone(name),
                Action::Chosen(name) => name.as_str().unwrap_or_default().into(),
                Action::Include(_) => "include".into(),
            },
        });
    }
}

/// An `include_role` without a name says which role, as it is written.
fn include_role_name(task: &Task) -> String {
    let role = task.arguments.get("name").and_then(|node| node.as_str());
    format!("include_role : {}", role.unwrap_or_default())
}

/// Names of the variables that a result says were made, by it or by the items of its loop.
fn facts_made(result: &sasrun_model::Value) -> Vec<Arc<str>> {
    let names = |result: &sasrun_model::Value| {
        let facts = result
            .get("ansible_facts")
            .and_then(|facts| facts.as_map().cloned());
        facts
            .into_iter()
            .flatten()
            .map(|(name, _)| Arc::from(name.to_string()))
            .collect::<Vec<Arc<str>>>()
    };
    let mut made = names(result);
    if let Some(items) = result
        .get("results")
        .and_then(|results| results.as_list().map(<[_]>::to_vec))
    {
        made.extend(items.iter().flat_map(names));
    }
    made
}
