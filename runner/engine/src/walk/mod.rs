//! Walks through task lists and blocks with the hosts of a lane.
//!
//! A lane is a set of hosts that finish each task together: all hosts of the batch under the
//! linear strategy, one host each under the free one, all of them once for each branch of a
//! `parallel`. What follows from a failure is decided here and nowhere else.

mod handlers;
mod include;
mod meta;
mod tags;
mod task;

pub use tags::selected_by_tags;

use std::sync::Arc;

use futures::future::{LocalBoxFuture, join_all};
use sasrun_model::{Block, Key, Name, Parallel, Step, Value};

use crate::run::{PlayRun, Run};
use crate::variables::{Level, LevelKind, Overlay};

/// Hosts that failed on the way and are not rescued.
pub(crate) type Failed = Vec<Name>;

/// What all steps of a batch share.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub run: &'a Run,
    pub play: &'a PlayRun,
}

impl<'a> Walk<'a> {
    /// Takes the hosts through a list of steps; gives those that failed.
    pub(crate) fn steps(
        self,
        steps: &'a [Step],
        level: Arc<Level>,
        hosts: Vec<Name>,
    ) -> LocalBoxFuture<'a, Failed> {
        Box::pin(async move {
            let mut active = hosts;
            let mut failed = Failed::new();
            for step in steps {
                active.retain(|host| self.is_going(host) && !self.has_left(&level, host));
                let stopped: Failed = active
                    .extract_if(.., |host| self.play.is_stopped_by_others(host))
                    .collect();
                failed.extend(stopped);
                if active.is_empty() || self.run.is_stopping() {
                    break;
                }
                let lost = match step {
                    Step::Task(task) => self.task(task, &level, &active).await,
                    Step::Block(block) => self.block(block, &level, active.clone()).await,
                    Step::Parallel(parallel) => {
                        self.parallel(parallel, &level, active.clone()).await
                    }
                };
                active.retain(|host| !lost.contains(host));
                if !level.is_caught() {
                    self.play.lose(&lost);
                }
                failed.extend(lost);
            }
            self.play.without_forgiven(&mut failed);
            failed
        })
    }

    /// A block with its rescue and always.
    pub(crate) async fn block(
        self,
        block: &'a Arc<Block>,
        around: &Arc<Level>,
        hosts: Vec<Name>,
    ) -> Failed {
        let hosts = self.without_role(block, hosts);
        if hosts.is_empty() {
            return Failed::new();
        }
        let inside = Level::catching(around, block);
        let mut failed = self.steps(&block.block, inside, hosts.clone()).await;
        let plain = Level::new(Some(around), LevelKind::Block(Arc::clone(block)));
        if !block.rescue.is_empty() && !failed.is_empty() {
            failed = self.rescue(block, &plain, failed).await;
        }
        if !block.always.is_empty() {
            let there = hosts
                .iter()
                .filter(|h| !self.play.is_unreachable(h))
                .cloned()
                .collect();
            for host in self.steps(&block.always, plain, there).await {
                if !failed.contains(&host) {
                    failed.push(host);
                }
            }
        }
        self.play.without_forgiven(&mut failed);
        self.role_done(block, &hosts, &failed);
        failed
    }

    async fn rescue(self, block: &'a Arc<Block>, level: &Arc<Level>, failed: Failed) -> Failed {
        let (lost, rescuable): (Failed, Failed) = failed
            .into_iter()
            .partition(|host| self.play.is_unreachable(host));
        let mut failed = self
            .steps(&block.rescue, Arc::clone(level), rescuable)
            .await;
        failed.extend(lost);
        failed
    }

    /// Branches side by side; what they set is merged in the order they are written.
    async fn parallel(
        self,
        parallel: &'a Arc<Parallel>,
        around: &Arc<Level>,
        hosts: Vec<Name>,
    ) -> Failed {
        let level = Level::new(Some(around), LevelKind::Parallel(Arc::clone(parallel)));
        let branches: Vec<_> = parallel
            .branches
            .iter()
            .map(|branch| {
                let overlay = Arc::new(Overlay::default());
                let kind = LevelKind::Branch {
                    name: Arc::clone(&branch.name),
                    overlay: Arc::clone(&overlay),
                };
                (branch, overlay, Level::new(Some(&level), kind))
            })
            .collect();
        let walking = branches
            .iter()
            .map(|(branch, _, level)| self.block(&branch.block, level, hosts.clone()));
        let results = join_all(walking).await;
        for (_, overlay, _) in &branches {
            for (host, name, value) in overlay.take() {
                self.run.shared.change_host(&host, |learnt| {
                    Arc::make_mut(&mut learnt.set).insert(name, value);
                });
            }
        }
        let mut failed: Failed = results.into_iter().flatten().collect();
        failed.sort();
        failed.dedup();
        failed
    }

    /// Whether a host still takes part in the play.
    pub(crate) fn is_going(self, host: &Name) -> bool {
        !self.play.is_gone(host) && !self.play.is_unreachable(host)
    }

    /// Hosts for which a role with the same parameters did not run before in this play.
    fn without_role(self, block: &Arc<Block>, mut hosts: Vec<Name>) -> Vec<Name> {
        if let Some(role) = block.role.as_ref().filter(|role| !role.allow_duplicates) {
            hosts.retain(|host| !self.play.has_done_role(block, role, host));
        }
        hosts
    }

    /// Whether a host left one of the roles around.
    fn has_left(self, level: &Arc<Level>, host: &Name) -> bool {
        level
            .roles()
            .any(|role| self.play.has_left_role(role, host))
    }

    fn role_done(self, block: &Arc<Block>, hosts: &[Name], failed: &Failed) {
        let Some(role) = &block.role else { return };
        for host in hosts.iter().filter(|host| !failed.contains(host)) {
            self.play.did_role(block, role, host);
        }
    }
}

/// Variables that a rescue sees of the failure it is there for.
pub(crate) fn failure_variables(task: &sasrun_model::Task, result: &Value) -> [(Name, Value); 2] {
    let name = task
        .name
        .as_ref()
        .and_then(|node| node.as_str())
        .unwrap_or_default();
    let action = match &task.action {
        // As most people write it.
        sasrun_model::Action::Module(name) => name
            .strip_prefix("ansible.builtin.")
            .unwrap_or(name)
            .to_owned(),
        _ => String::new(),
    };
    let map = [("name", Value::from(name)), ("action", action.into())]
        .into_iter()
        .map(|(key, value)| (Key::from(key), value))
        .collect();
    [
        ("ansible_failed_task".into(), Value::map(map)),
        ("ansible_failed_result".into(), result.clone()),
    ]
}
