//! Handlers of a play, and which hosts owe them a run.

use std::cell::Cell;
use std::sync::Arc;

use sasrun_model::{EventKind, Name, Node, Step, Task, Value};
use sasrun_template::Scope;

use super::Run;
use super::play::PlayRun;
use crate::variables::{Level, LevelKind, ScopeParts, TaskScope};

/// A handler, where it stands, and the hosts that it is still to run for.
pub(super) struct Handler {
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
