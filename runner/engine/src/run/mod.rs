//! The front door: plays in order, batches of hosts, and how it all ends.

mod batch;
mod decisions;
mod departures;
mod handlers;
mod inventory;
mod notified;
mod play;
mod play_order;
mod prompts;
mod reaction;
mod roles;
mod state;
mod throttles;
mod variable_files;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sasrun_model::{
    Decision, EventKind, HostFigures, HostTask, Inventory, Name, Playbook, RunMode, Task,
};
use sasrun_plugin::{Effect, Object};
use sasrun_template::Templates;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::dispatcher::Dispatcher;
use crate::error::EngineError;
use crate::gates::Gates;
use crate::jobs::Jobs;
use crate::locks::Locks;
use crate::options::{Options, Stop};
use crate::pool::Pool;
use crate::registry::Registry;
use crate::replay::Past;
use crate::seams::{Console, Files, Journal, LocalLocks, Observer, Secrets};
use crate::task::HostRun;
use crate::variables::Shared;

pub(crate) use play::PlayRun;
pub(crate) use reaction::Reaction;
use state::State;

/// How long connections may take to close when the run is to end now.
const LONGEST_FAREWELL: Duration = Duration::from_secs(5);

/// What a run is made of.
pub struct Parts {
    /// Renders.
    pub templates: Templates,
    /// Modules.
    pub registry: Arc<Registry>,
    /// Files of the user's.
    pub files: Arc<dyn Files>,
    /// The durable record.
    pub journal: Arc<dyn Journal>,
    /// Reporters.
    pub observers: Vec<Box<dyn Observer>>,
    /// A person, if there is one.
    pub console: Arc<dyn Console>,
    /// Where secrets are registered.
    pub secrets: Arc<dyn Secrets>,
    /// The controller's locks; none for runs that take none.
    pub local_locks: Option<Arc<dyn LocalLocks>>,
    /// Hosts and groups.
    pub inventory: Inventory,
    /// Id of the run.
    pub run: Name,
    /// SHA-256 of each plugin by its path.
    pub plugins: BTreeMap<String, String>,
    /// Version of sasrun.
    pub version: String,
    /// What the run had done before, when it goes on.
    pub past: Option<Past>,
    /// What was answered while the user's files were loaded, questions and answers; recorded by a
    /// run that begins.
    pub answered: Vec<(String, serde_json::Value)>,
    /// What a person decided, and who, about steps whose end was not known.
    pub decided: Vec<(HostTask, Decision, String)>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Exit code.
    pub exit_code: u8,
    /// Why, in one sentence.
    pub reason: String,
    /// Figures of each host.
    pub hosts: Vec<HostFigures>,
}

/// A run in progress. Everything happens on one thread; connections have their own tasks.
pub(crate) struct Run {
    pub(crate) id: Name,
    pub(crate) options: Options,
    pub(crate) templates: Templates,
    pub(crate) registry: Arc<Registry>,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) console: Arc<dyn Console>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) pool: Pool,
    pub(crate) past: Past,
    pub(crate) jobs: Jobs,
    pub(crate) local_locks: Option<Arc<dyn LocalLocks>>,
    pub(crate) locks: Locks,
    forks: Semaphore,
    state: State,
    pub(crate) gates: Gates,
}

/// Carries playbooks out, in order.
///
/// # Errors
/// The files do not fit together, or the journal cannot be written. Trouble with hosts is in the
/// summary.
pub async fn run(
    playbooks: &[Playbook],
    parts: Parts,
    options: Options,
) -> Result<Summary, EngineError> {
    let goes_on = parts.past.as_ref().is_some_and(Past::has_begun);
    let began = first_event(playbooks, &parts, &options);
    let answered = parts.answered.clone();
    let decided = parts.decided.clone();
    let run = Run::new(parts, options);
    if !goes_on {
        run.dispatcher.emit(began);
        for (question, answer) in answered {
            let answered = EventKind::Answered { question, answer };
            run.dispatcher.emit(answered);
        }
    }
    run.dispatcher.durable().await?;
    for (id, decision, by) in decided {
        run.dispatcher.emit(EventKind::Decided { id, decision, by });
    }
    let unanswered = if goes_on || run.options.pause_at_gates {
        Vec::new()
    } else {
        run.unanswered_gates(playbooks)
    };
    if unanswered.is_empty() {
        run.locked_plays(playbooks).await;
    } else {
        run.refuse(&format!(
            "these gates need an answer before an unattended run begins: {}; write them under \
             `gates:` of the inventory, run on a terminal, or say `--pause-at-gates` and answer \
             each with `sasrun approve`",
            unanswered.join(", ")
        ));
    }
    run.close().await;
    let summary = run.state.summary(&run);
    run.dispatcher.emit(EventKind::RunFinished {
        hosts: summary.hosts.clone(),
        exit_code: summary.exit_code,
        reason: summary.reason.clone(),
    });
    run.dispatcher.durable().await?;
    Ok(summary)
}

/// Gives back the locks that a run holds on hosts and will not give back itself. Tells of each host
/// whether that run had it.
pub async fn unlock(
    parts: Parts,
    options: Options,
    run: &str,
) -> Vec<(Name, Result<bool, String>)> {
    Run::new(parts, options).unlock(run).await
}

/// The event that a run begins with.
fn first_event(playbooks: &[Playbook], parts: &Parts, options: &Options) -> EventKind {
    EventKind::RunStarted {
        run: Arc::clone(&parts.run),
        mode: if options.check {
            RunMode::Check
        } else {
            RunMode::Apply
        },
        playbooks: playbooks
            .iter()
            .map(|book| book.path.display().to_string())
            .collect(),
        inventories: parts
            .inventory
            .sources
            .iter()
            .map(|p| p.display().to_string())
            .collect(),
        limit: options.limit.as_ref().map(|hosts| hosts.join(",")),
        plugins: parts.plugins.clone(),
        version: parts.version.clone(),
    }
}

impl Run {
    fn new(parts: Parts, options: Options) -> Self {
        let mut past = parts.past.unwrap_or_default();
        for (id, decision, _) in &parts.decided {
            past.decide(id, *decision);
        }
        let recorded = past.take_recorded();
        let last = past.last_sequence();
        Self {
            shared: Arc::new(Shared::new(parts.inventory, &options)),
            dispatcher: Dispatcher::new(parts.journal, parts.observers, recorded, last),
            past,
            jobs: Jobs::new(Arc::clone(&parts.run)),
            pool: Pool::default(),
            forks: Semaphore::new(options.forks.max(1)),
            state: State::default(),
            gates: Gates::default(),
            locks: Locks::default(),
            local_locks: parts.local_locks,
            id: parts.run,
            templates: parts.templates,
            registry: parts.registry,
            files: parts.files,
            console: parts.console,
            secrets: parts.secrets,
            options,
        }
    }

    /// Closes the connections; a run that is to end now does not wait for hosts that do not answer.
    async fn close(&self) {
        let is_late = async {
            self.stopped_now().await;
            tokio::time::sleep(LONGEST_FAREWELL).await;
        };
        let closing = async {
            if self.dispatcher.durable().await.is_ok() {
                futures::future::join_all(self.jobs.sweep()).await;
            }
            self.pool.close().await;
        };
        tokio::select! {
            () = closing => {}
            () = is_late => {}
        }
        self.tell_left();
    }

    /// Carries plays out while the lock is held.
    async fn locked_plays(&self, playbooks: &[Playbook]) {
        if !self.take_locks().await {
            return;
        }
        if self.dispatcher.durable().await.is_ok() {
            tokio::select! {
                () = self.plays(playbooks) => {}
                () = self.keep_locks() => {}
            }
        }
        self.release_locks().await;
    }

    async fn plays(&self, playbooks: &[Playbook]) {
        for play in playbooks.iter().flat_map(|playbook| &playbook.plays) {
            if self.is_stopping() {
                return;
            }
            self.play(play).await;
            if self.state.is_over() {
                return;
            }
        }
    }

    /// Waits for a place among the hosts that work at the same time.
    pub(crate) async fn fork(&self) -> Option<SemaphorePermit<'_>> {
        self.forks.acquire().await.ok()
    }

    /// Whether nothing new may begin.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.options.stop.borrow() != Stop::No
            || self.state.is_paused()
            || self.has_lost_lock()
            || self.dispatcher.failure().is_some()
    }

    /// Begins nothing new; the run can go on later.
    pub(crate) fn pause_run(&self, reason: &str) {
        if self.state.pause(reason) {
            self.dispatcher.emit(EventKind::Stopping {
                reason: reason.to_owned(),
            });
        }
    }

    /// Waits until what runs is to be left.
    pub(crate) async fn stopped_now(&self) {
        let mut stop = self.options.stop.clone();
        let is_now = |stop: &Stop| matches!(stop, Stop::Now { .. });
        // A sender that is gone sends nothing any more.
        if stop.wait_for(is_now).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits; false when the run is to stop.
    pub(crate) async fn pause(&self, duration: Duration) -> bool {
        let mut stop = self.options.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(duration) => !self.is_stopping(),
            _ = stop.wait_for(|stop| *stop != Stop::No) => false,
        }
    }

    /// Tells the operator something.
    pub(crate) fn warn(&self, sentence: String) {
        self.dispatcher.emit(EventKind::Warning { sentence });
    }

    /// Ends the run before any change.
    pub(crate) fn refuse(&self, reason: &str) {
        self.state.refuse(reason);
        self.dispatcher.emit(EventKind::Stopping {
            reason: reason.to_owned(),
        });
    }

    /// Ends the run because another has the lock.
    pub(crate) fn refuse_locked(&self, reason: &str) {
        self.state.lock_out(reason);
        self.dispatcher.emit(EventKind::Stopping {
            reason: reason.to_owned(),
        });
    }

    /// How many times this host came to this task before.
    pub(crate) fn occurrence(&self, host: &Name, task: &Task) -> u32 {
        self.state.occurrence(host, task)
    }

    /// The hash of what a task says.
    pub(crate) fn content_of(&self, task: &Task) -> Name {
        self.state.content_of(task)
    }

    /// Counts that a host begins a task.
    pub(crate) fn comes_to(&self, host: &Name, task: &Task) {
        self.state.comes_to(host, task);
    }

    /// Merges facts into what a host knows.
    pub(crate) fn learn_facts(&self, host: &Name, facts: &Object) {
        self.shared.change_host(host, |learnt| {
            for (name, value) in facts {
                let value = sasrun_model::Value::from(value.clone());
                let plain = name.strip_prefix("ansible_").unwrap_or(name);
                Arc::make_mut(&mut learnt.facts).insert(plain.into(), value.clone());
                Arc::make_mut(&mut learnt.injected).insert(name.as_str().into(), value);
            }
        });
    }

    /// Forgets a host's facts.
    pub(crate) fn clear_facts(&self, host: &Name) {
        self.shared.change_host(host, |learnt| {
            learnt.facts = Arc::default();
            learnt.injected = Arc::default();
        });
    }

    /// Gives the variables that a `set_fact` made on one host to others, for `run_once`; what it had before is its own.
    pub(crate) fn share_facts(&self, first: &Name, hosts: &[Name], names: &[Arc<str>]) {
        let made = self.shared.host(first).set;
        for host in hosts.iter().filter(|host| *host != first) {
            self.shared.change_host(host, |learnt| {
                let set = Arc::make_mut(&mut learnt.set);
                set.extend(
                    made.iter()
                        .filter(|(name, _)| names.iter().any(|made| **made == ***name))
                        .map(|(name, value)| (Arc::clone(name), value.clone())),
                );
            });
        }
    }

    /// Closes the connection of a task's host, so that the next task logs in anew.
    pub(crate) async fn reset_connection(&self, host_run: &HostRun<'_>) {
        let scope = host_run.scope();
        match crate::talk::reach(host_run, &scope, None) {
            Ok(reach) => self.pool.reset(&reach.target).await,
            Err(error) => self.warn(format!(
                "{}: the connection is kept: {error}",
                host_run.host
            )),
        }
    }

    /// Lets an effect of a module happen.
    pub(crate) async fn effect(&self, host: &Name, effect: &Effect) -> Result<(), String> {
        match effect {
            Effect::IncludeVariables { variables } => self.shared.change_host(host, |learnt| {
                let loaded = std::mem::take(&mut learnt.loaded);
                let included = Arc::make_mut(&mut learnt.included);
                let nodes = variables.iter().map(|(name, value)| {
                    (
                        name.as_str().into(),
                        state::as_written(name, value, &loaded),
                    )
                });
                included.extend(nodes);
            }),
            Effect::AddHost { .. } | Effect::GroupBy { .. } => self.add_to_inventory(host, effect),
            Effect::Finding { id, sentence } => self.dispatcher.emit(EventKind::Finding {
                id: id.clone(),
                host: Some(Arc::clone(host)),
                sentence: sentence.clone(),
            }),
            Effect::Owe { id, sentence } => self.dispatcher.emit(EventKind::Owed {
                id: id.clone(),
                host: Arc::clone(host),
                sentence: sentence.clone(),
            }),
            Effect::Settle { id } => self.dispatcher.emit(EventKind::Settled {
                id: id.clone(),
                host: Arc::clone(host),
            }),
            _ => {}
        }
        Ok(())
    }
}
