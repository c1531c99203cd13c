//! A play while it runs: its hosts, its variables, its handlers.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use sasrun_model::{EventKind, Name, Play, Role, Step, Strategy, Task, Value, Variables};
use sasrun_template::Scope;
use tokio::sync::Semaphore;

use super::Run;
use super::departures::Departures;
use super::handlers::Handler;
use super::notified::Notified;
use super::roles::RolesDone;
use super::throttles::Throttles;
use super::variable_files::FilesOfHosts;
use crate::looking::Looking;
use crate::seams::Selected;
use crate::variables::{Level, LevelKind, PlayFacts, PlayVariables, ScopeParts, TaskScope};

/// What a play begins with.
pub(super) struct PlayStart {
    /// All that its pattern means.
    pub(super) all: Vec<Name>,
    /// Those that did not drop out in a play before.
    pub(super) going: Vec<Name>,
    /// What a person was asked for.
    pub(super) prompted: Variables,
}

/// A play in progress, for one batch of its hosts.
pub(crate) struct PlayRun {
    pub(crate) play: Arc<Play>,
    pub(crate) level: Arc<Level>,
    pub(super) facts: RefCell<Arc<PlayFacts>>,
    variables: RefCell<Arc<PlayVariables>>,
    pub(super) handlers: RefCell<Vec<Handler>>,
    /// Names that were notified, until handlers run.
    pub(super) notified: RefCell<Vec<Notified>>,
    pub(super) batch: Vec<Name>,
    /// Hosts that the play began with.
    pub(super) began: Arc<Vec<Value>>,
    pub(super) left: Departures,
    pub(super) roles: RolesDone,
    pub(super) flushing: Cell<u32>,
    pub(super) files_of_hosts: FilesOfHosts,
    throttles: Throttles,
    pub(super) most_failed_percent: Option<f64>,
}

impl PlayRun {
    pub(super) fn new(
        play: &Arc<Play>,
        hosts: &PlayStart,
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
        let named = |role: &Arc<Role>| Value::Text(Arc::clone(&role.name));
        let (dependent, own): (Vec<_>, Vec<_>) = variables
            .roles
            .iter()
            .partition(|role| !role.parents.is_empty());
        let facts = PlayFacts {
            name: name.into(),
            hosts_all: texts(&hosts.all),
            hosts: texts(&hosts.going),
            batch: texts(&batch),
            role_names: Arc::new(own.into_iter().map(named).collect()),
            dependent_roles: Arc::new(dependent.into_iter().map(named).collect()),
        };
        let this = Self {
            level: Arc::clone(&level),
            play: Arc::clone(play),
            facts: RefCell::new(Arc::new(facts)),
            variables: RefCell::new(Arc::new(variables)),
            handlers: RefCell::default(),
            notified: RefCell::default(),
            batch,
            began: texts(&hosts.going),
            left: Departures::default(),
            roles: RolesDone::default(),
            flushing: Cell::new(0),
            files_of_hosts: FilesOfHosts::default(),
            throttles: Throttles::default(),
            most_failed_percent: None,
        };
        this.add_own_handlers(&play.handlers);
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

    /// The turns of a task of which so many hosts may hold one at once.
    pub(crate) fn turns(&self, task: &Task, limit: usize) -> Arc<Semaphore> {
        self.throttles.of(task, limit)
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

    pub(super) fn batch(&self) -> &[Name] {
        &self.batch
    }
}

impl Run {
    /// Carries one play out, batch after batch.
    pub(super) async fn play(&self, play: &Arc<Play>) {
        let name = self.play_name(play);
        let all = match self.decided_hosts(play) {
            Ok(hosts) => hosts,
            Err(message) => {
                self.warn(message);
                Vec::new()
            }
        };
        let mut going = all.clone();
        going.retain(|host| !self.state.is_dropped(host));
        let prompted = match self.prompted(play).await {
            Ok(prompted) => prompted,
            Err(message) => return self.refuse(&message),
        };
        let hosts = PlayStart {
            all,
            going,
            prompted,
        };
        if hosts.going.is_empty() {
            let play = Arc::clone(&play.path);
            self.dispatcher.emit(EventKind::PlaySkipped { play, name });
            return;
        }
        let batches = match self.batches(play, &hosts.going) {
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
        let facts = PlayFacts::default();
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
        let mut hosts = self.hosts_of_pattern(play, &pattern, &scope)?;
        hosts.retain(|host| !self.state.is_dropped(host));
        Ok(hosts)
    }

    /// The hosts of a play that begins; the same again when the run goes on.
    fn decided_hosts(&self, play: &Arc<Play>) -> Result<Vec<Name>, String> {
        let scope = self.play_scope(play, &"localhost".into());
        let question = || format!("hosts of {}", play.path);
        let pattern = self
            .decided(question, || self.templates.resolve(&play.hosts, &scope))
            .map_err(|e| e.to_string())?;
        for part in self.selected(&pattern)?.unmatched {
            self.warn(format!(
                "Could not match supplied host pattern, ignoring: {part}"
            ));
        }
        self.hosts_of_pattern(play, &pattern, &scope)
    }

    /// What a pattern comes to in the inventory as it is now.
    fn selected(&self, pattern: &Value) -> Result<Selected, String> {
        let pattern = match pattern {
            Value::List(parts) => parts
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(","),
            one => self.templates.display(one),
        };
        self.files.select(&pattern, &self.shared.inventory())
    }

    fn hosts_of_pattern(
        &self,
        play: &Arc<Play>,
        pattern: &Value,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Name>, String> {
        let mut hosts = self.selected(pattern)?.hosts;
        if let Some(limit) = &self.options.limit {
            hosts.retain(|host| limit.contains(host));
        }
        self.ordered(play, hosts, scope)
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
        prompted: &Variables,
    ) -> Result<PlayVariables, String> {
        let mut roles = Vec::new();
        for section in [&play.roles, &play.pre_tasks, &play.tasks, &play.post_tasks] {
            collect_roles(section, &mut roles);
        }
        Ok(PlayVariables {
            variables: play.variables.clone(),
            prompted: prompted.clone(),
            files: self.common_files(play)?,
            roles,
        })
    }
}

/// Roles of a play, also those that tasks import, those that others depend on first.
fn collect_roles(steps: &[Step], roles: &mut Vec<Arc<Role>>) {
    for step in steps {
        if let Step::Block(block) = step {
            for section in [&block.block, &block.rescue, &block.always] {
                collect_roles(section, roles);
            }
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
