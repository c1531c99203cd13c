//! Handlers of a play, and which hosts owe them a run.

use std::cell::Cell;
use std::sync::Arc;

use sasrun_model::{Name, Node, Step, Task};

use super::play::PlayRun;
use super::play_order::Place;
use crate::variables::{Level, LevelKind};

/// A handler, where it stands, and the hosts that it is still to run for.
pub(super) struct Handler {
    task: Arc<Task>,
    level: Arc<Level>,
    /// None if it is the play's from the beginning.
    brought: Option<Brought>,
    owed: Vec<Name>,
}

/// How an include brought a handler.
struct Brought {
    place: Place,
    /// Hosts that came to the include.
    to: Vec<Name>,
}

/// Says that handlers run, until it is dropped.
pub(crate) struct Flushing<'a>(&'a Cell<u32>);

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Handler {
    pub(super) fn name(&self) -> Option<&Node> {
        self.task.name.as_ref()
    }

    pub(super) fn topics(&self) -> &[Node] {
        &self.task.listen
    }

    pub(super) fn level(&self) -> &Arc<Level> {
        &self.level
    }

    /// The list of handlers that it was written in, and who brought that.
    pub(super) fn section(&self) -> (Option<&Place>, &str) {
        let path = self.task.path.rsplit_once('/');
        (self.place(), path.map_or("", |(section, _)| section))
    }

    /// Where it stands among those that includes brought; none before them.
    pub(super) fn place(&self) -> Option<&Place> {
        self.brought.as_ref().map(|brought| &brought.place)
    }

    /// Whether it is the play's, or this host came to the include that brought it.
    pub(super) fn is_of(&self, host: &Name) -> bool {
        self.brought
            .as_ref()
            .is_none_or(|brought| brought.to.contains(host))
    }

    pub(super) fn is_owed_by(&mut self, host: &Name) {
        if !self.owed.contains(host) {
            self.owed.push(Arc::clone(host));
        }
    }
}

impl Brought {
    fn add(&mut self, hosts: &[Name]) {
        for host in hosts {
            if !self.to.contains(host) {
                self.to.push(Arc::clone(host));
            }
        }
    }
}

impl PlayRun {
    /// Adds the play's own handlers, also those inside blocks.
    pub(super) fn add_own_handlers(&self, steps: &[Step]) {
        let mut found = Vec::new();
        collect_handlers(steps, &self.level, &mut found);
        let own = found.into_iter().map(|(task, level)| Handler {
            task,
            level,
            brought: None,
            owed: Vec::new(),
        });
        self.handlers.borrow_mut().extend(own);
    }

    /// Adds handlers that an include brought these hosts, with the levels around it. Hosts that come to the same include
    /// one by one share them.
    pub(crate) fn add_handlers(&self, steps: &[Step], around: &Arc<Level>, hosts: &[Name]) {
        if steps.is_empty() {
            return;
        }
        let around = around.of_handlers();
        let mut found = Vec::new();
        collect_handlers(steps, &around, &mut found);
        let mut handlers = self.handlers.borrow_mut();
        for (task, level) in found {
            let task = in_its_turn(task, &level);
            let known = handlers
                .iter_mut()
                .filter(|known| known.task.path == task.path)
                .find(|known| known.level.turns() == level.turns())
                .and_then(|known| known.brought.as_mut());
            match known {
                Some(brought) => brought.add(hosts),
                None => handlers.push(Handler {
                    brought: Some(Brought {
                        place: Place::of(&task.path),
                        to: hosts.to_vec(),
                    }),
                    task,
                    level,
                    owed: Vec::new(),
                }),
            }
        }
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
}

/// The handler of an include with a loop: each turn brings its own.
fn in_its_turn(handler: Arc<Task>, level: &Arc<Level>) -> Arc<Task> {
    let mut path = handler.path.to_string();
    for turn in level.turns() {
        path.push_str(&format!("[{}]", turn.index));
    }
    match path == *handler.path {
        true => handler,
        false => Arc::new(Task {
            path: path.into(),
            ..Task::clone(&handler)
        }),
    }
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
