//! Handlers: what stands around those that roles bring, and whether notified ones exist, as far as files can tell.

use std::collections::HashSet;
use std::sync::Arc;

use sasrun_model::{Block, Keywords, Node, Play, Role, Step, Task};

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
    /// Puts handlers that steps inside a block imported under what the block says of all inside.
    pub(super) fn frame_imported(&mut self, since: usize, block: &Block) {
        let inside = self.gathered.imported_handlers.split_off(since);
        let framed = framed(block, inside);
        self.gathered.imported_handlers.extend(framed);
    }

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

/// Puts handlers under the keywords and variables that stand where their role is used. Its condition does not go along:
/// it decided whether the tasks that notify them were come to.
pub(super) fn framed(frame: &Block, handlers: Vec<Step>) -> Vec<Step> {
    let says_nothing =
        frame.keywords == Keywords::default() && frame.variables.is_empty() && frame.role.is_none();
    if handlers.is_empty() || says_nothing {
        return handlers;
    }
    let around = Block {
        path: format!("{}:handlers", frame.path).into(),
        span: frame.span,
        keywords: frame.keywords.clone(),
        variables: frame.variables.clone(),
        role: frame.role.clone(),
        block: handlers,
        ..Block::default()
    };
    vec![Step::Block(Arc::new(around))]
}

impl Known {
    fn collect(&mut self, step: &Step, role: Option<&Role>) {
        match step {
            Step::Task(task) => self.handler(task, role),
            Step::Block(block) => {
                let role = block.role.as_deref().or(role);
                self.block(block, role);
            }
            Step::Parallel(parallel) => {
                for branch in &parallel.branches {
                    self.block(&branch.block, role);
                }
            }
        }
    }

    fn block(&mut self, block: &Block, role: Option<&Role>) {
        // A block of handlers can be notified as a whole.
        self.name(block.name.as_ref(), role);
        for step in block.block.iter().chain(&block.rescue).chain(&block.always) {
            self.collect(step, role);
        }
    }

    fn handler(&mut self, task: &Task, role: Option<&Role>) {
        self.name(task.name.as_ref(), role);
        for topic in &task.listen {
            self.name(Some(topic), role);
        }
        if matches!(task.action, sasrun_model::Action::Include(_)) {
            self.has_templates = true;
        }
    }

    fn name(&mut self, name: Option<&Node>, role: Option<&Role>) {
        let Some(name) = name else { return };
        match name.as_str().filter(|_| name.is_static()) {
            Some(name) => {
                for role in role.iter().flat_map(|role| role.names()) {
                    self.names.insert(format!("{role} : {name}"));
                }
                self.names.insert(name.to_owned());
            }
            None => self.has_templates = true,
        }
    }
}
