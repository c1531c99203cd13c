//! Whether notified handlers exist, as far as files can tell.

use std::collections::HashSet;

use sasrun_model::{Block, Node, Play, Step, Task};

use super::Reader;
use crate::problem::Problem;
use crate::{closest, codes};

/// Names under which handlers can be notified.
#[derive(Default)]
struct Known {
    names: HashSet<String>,
    /// Whether a handler's name or topic is only known at run time.
    has_templates: bool,
}

impl Reader<'_, '_> {
    /// Checks the names that were notified in a play against its handlers. Says nothing where
    /// something may bring handlers at run time.
    pub(super) fn check_notified(&mut self, play: &Play) {
        let mut known = Known::default();
        for step in &play.handlers {
            known.collect(step, None);
        }
        if known.has_templates || self.gathered.has_includes {
            return;
        }
        for notified in std::mem::take(&mut self.gathered.notified) {
            let Some(name) = notified.as_str().filter(|_| notified.is_static()) else {
                continue;
            };
            if known.names.contains(name) {
                continue;
            }
            let near = closest(name, known.names.iter().map(String::as_str));
            let message = format!("no handler is named `{name}` or listens to it");
            self.session
                .add(Problem::error(codes::HANDLER, notified.span, message).meant(near));
        }
    }
}

impl Known {
    fn collect(&mut self, step: &Step, role: Option<&str>) {
        match step {
            Step::Task(task) => self.handler(task, role),
            Step::Block(block) => {
                let role = block.role.as_ref().map(|role| &*role.name).or(role);
                self.block(block, role);
            }
            Step::Parallel(parallel) => {
                for branch in &parallel.branches {
                    self.block(&branch.block, role);
                }
            }
        }
    }

    fn block(&mut self, block: &Block, role: Option<&str>) {
        // A block of handlers can be notified as a whole.
        self.name(block.name.as_ref(), role);
        for step in block.block.iter().chain(&block.rescue).chain(&block.always) {
            self.collect(step, role);
        }
    }

    fn handler(&mut self, task: &Task, role: Option<&str>) {
        self.name(task.name.as_ref(), role);
        for topic in &task.listen {
            self.name(Some(topic), None);
        }
        if matches!(task.action, sasrun_model::Action::Include(_)) {
            self.has_templates = true;
        }
    }

    fn name(&mut self, name: Option<&Node>, role: Option<&str>) {
        let Some(name) = name else { return };
        match name.as_str().filter(|_| name.is_static()) {
            Some(name) => {
                if let Some(role) = role {
                    self.names.insert(format!("{role} : {name}"));
                }
                self.names.insert(name.to_owned());
            }
            None => self.has_templates = true,
        }
    }
}
