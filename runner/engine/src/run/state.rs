//! What the run as a whole remembers: figures, hosts that dropped out, why it ends.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use sasrun_model::{Entry, HostFigures, HostTask, Name, Node, NodeKind, Status, Task, Value};
use sasrun_plugin::Effect;

use super::{Run, Summary};
use crate::content::content_of;
use crate::task::HostOutcome;

/// State of the run, changed on the engine's thread alone.
#[derive(Default)]
pub(super) struct State {
    figures: RefCell<IndexMap<Name, HostFigures>>,
    /// Hosts that failed in a play, and are left out of the plays after it.
    dropped: RefCell<HashSet<Name>>,
    /// Hosts with a failure that nothing caught or cleared.
    failed: RefCell<HashSet<Name>>,
    unreachable: RefCell<HashSet<Name>>,
    occurrences: RefCell<HashMap<(Name, Name), u32>>,
    /// Hashes of tasks by their paths, made once.
    contents: RefCell<HashMap<Name, Name>>,
    refused: RefCell<Option<String>>,
    /// Why the lock is not this run's.
    locked: RefCell<Option<String>>,
    unknown: RefCell<Option<String>>,
    /// Why the run pauses, if it does.
    paused: RefCell<Option<String>>,
    /// Steps that were left while they ran.
    left: RefCell<Vec<HostTask>>,
    /// What tasks added to the inventory, each with the host that it was done for.
    pub(super) added: RefCell<Vec<(Name, Effect)>>,
    over: Cell<bool>,
    started_at: Cell<bool>,
}

impl State {
    pub(super) fn occurrence(&self, host: &Name, task: &Task) -> u32 {
        let occurrences = self.occurrences.borrow();
        let key = (Arc::clone(host), Arc::clone(&task.path));
        occurrences.get(&key).copied().unwrap_or(0)
    }

    pub(super) fn content_of(&self, task: &Task) -> Name {
        let mut contents = self.contents.borrow_mut();
        let content = contents
            .entry(Arc::clone(&task.path))
            .or_insert_with(|| content_of(task));
        Arc::clone(content)
    }

    pub(super) fn comes_to(&self, host: &Name, task: &Task) {
        let key = (Arc::clone(host), Arc::clone(&task.path));
        *self.occurrences.borrow_mut().entry(key).or_default() += 1;
    }

    pub(super) fn refuse(&self, reason: &str) {
        self.refused
            .borrow_mut()
            .get_or_insert_with(|| reason.to_owned());
        self.over.set(true);
    }

    /// Another run has the lock.
    pub(super) fn lock_out(&self, reason: &str) {
        self.locked
            .borrow_mut()
            .get_or_insert_with(|| reason.to_owned());
        self.over.set(true);
    }

    /// No play begins any more.
    pub(super) fn end(&self) {
        self.over.set(true);
    }

    /// Nothing new begins, and the run can go on later. The first reason counts.
    pub(super) fn pause(&self, reason: &str) -> bool {
        let mut paused = self.paused.borrow_mut();
        let is_first = paused.is_none();
        paused.get_or_insert_with(|| reason.to_owned());
        is_first
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.borrow().is_some()
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.get()
    }

    pub(super) fn drop_host(&self, host: &Name) {
        self.dropped.borrow_mut().insert(Arc::clone(host));
    }

    pub(super) fn keep_host(&self, host: &Name) {
        self.dropped.borrow_mut().remove(host);
        self.failed.borrow_mut().remove(host);
        self.unreachable.borrow_mut().remove(host);
    }

    pub(super) fn is_dropped(&self, host: &Name) -> bool {
        self.dropped.borrow().contains(host)
    }

    /// Whether it is not known how a task ended.
    pub(super) fn is_unknown(&self) -> bool {
        self.unknown.borrow().is_some()
    }

    /// The end of the run: its exit code and why.
    pub(super) fn summary(&self, run: &Run) -> Summary {
        let hosts: Vec<HostFigures> = self.figures.borrow().values().cloned().collect();
        let (exit_code, reason) = if let Some(failure) = run.dispatcher.failure() {
            (6, failure.to_string())
        } else if let Some(reason) = self.locked.borrow().clone() {
            (5, reason)
        } else if let Some(reason) = self.refused.borrow().clone() {
            (8, reason)
        } else if let Some(code) = run.options.stop.borrow().exit_code() {
            (code, "stopped before its end".to_owned())
        } else if let Some(task) = self.unknown.borrow().clone() {
            (
                7,
                format!("it is not known how \"{task}\" ended; look at the host and decide"),
            )
        } else if let Some(reason) = self.paused.borrow().clone() {
            (6, reason)
        } else if !self.failed.borrow().is_empty() {
            (2, "a step failed".to_owned())
        } else if !self.unreachable.borrow().is_empty() {
            (4, "a host was unreachable".to_owned())
        } else {
            (0, "done".to_owned())
        };
        Summary {
            exit_code,
            reason,
            hosts,
        }
    }
}

impl Run {
    /// Counts an outcome for the recap.
    pub(crate) fn count(&self, host: &Name, outcome: &HostOutcome, caught: bool) {
        let mut all = self.state.figures.borrow_mut();
        let figures = all.entry(Arc::clone(host)).or_insert_with(|| HostFigures {
            host: Arc::clone(host),
            ..HostFigures::default()
        });
        match outcome.outcome.status {
            Status::Ok => figures.ok += 1,
            Status::Changed => {
                figures.ok += 1;
                figures.changed += 1;
            }
            Status::Skipped => figures.skipped += 1,
            Status::CannotKnow => figures.cannot_know += 1,
            Status::Unreachable if outcome.ignored => {
                figures.ok += 1;
                figures.ignored += 1;
            }
            Status::Unreachable => {
                figures.unreachable += 1;
                self.state.unreachable.borrow_mut().insert(Arc::clone(host));
            }
            Status::Failed | Status::Unknown if outcome.ignored => {
                figures.ok += 1;
                figures.ignored += 1;
                let changed = outcome.outcome.result.get("changed");
                figures.changed += u32::from(changed.is_some_and(Value::is_true));
            }
            Status::Failed | Status::Unknown if caught => figures.rescued += 1,
            Status::Failed | Status::Unknown => {
                figures.failed += 1;
                self.state.failed.borrow_mut().insert(Arc::clone(host));
            }
        }
    }

    /// Counts an include whose steps could not be loaded: a failure in the recap also where it is
    /// caught, as in Ansible.
    pub(crate) fn count_unloaded(&self, host: &Name, outcome: &HostOutcome, caught: bool) {
        if !caught || outcome.ignored {
            return self.count(host, outcome, caught);
        }
        let mut all = self.state.figures.borrow_mut();
        let figures = all.entry(Arc::clone(host)).or_insert_with(|| HostFigures {
            host: Arc::clone(host),
            ..HostFigures::default()
        });
        figures.failed += 1;
    }

    /// Counts an including task that included something.
    pub(crate) fn count_ok(&self, host: &Name) {
        let mut all = self.state.figures.borrow_mut();
        let figures = all.entry(Arc::clone(host)).or_insert_with(|| HostFigures {
            host: Arc::clone(host),
            ..HostFigures::default()
        });
        figures.ok += 1;
    }

    /// Notes that it is not known how a task ended.
    pub(crate) fn found_unknown(&self, task: &str) {
        self.state
            .unknown
            .borrow_mut()
            .get_or_insert_with(|| task.to_owned());
    }

    /// Notes that a step was left while it ran.
    pub(crate) fn left_running(&self, id: HostTask) {
        self.state.left.borrow_mut().push(id);
    }

    /// Names the steps that were left while they ran.
    pub(super) fn tell_left(&self) {
        let left: Vec<String> = self
            .state
            .left
            .borrow()
            .iter()
            .map(ToString::to_string)
            .collect();
        if !left.is_empty() {
            self.warn(format!(
                "left while they ran, and perhaps still running: {}",
                left.join(", ")
            ));
        }
    }

    /// Whether the run has come to the task it shall start at; always, when none is named.
    pub(crate) fn starts_here(&self, task: &Task, name: &str) -> bool {
        let Some(wanted) = &self.options.start_at_task else {
            return true;
        };
        let own = task.name.as_ref().and_then(|node| node.as_str());
        let is_wanted = |name: &str| matches_glob(wanted, name);
        if !self.state.started_at.get() && (is_wanted(name) || own.is_some_and(is_wanted)) {
            self.state.started_at.set(true);
        }
        self.state.started_at.get()
    }
}

/// Whether a name is what a pattern with `*` and `?` means.
fn matches_glob(pattern: &str, name: &str) -> bool {
    let (mut wanted, mut given) = (pattern.chars(), name.chars());
    loop {
        match wanted.next() {
            None => return given.next().is_none(),
            Some('*') => {
                let rest = wanted.as_str();
                let mut tails = std::iter::successors(Some(given), |tail| {
                    let mut shorter = tail.clone();
                    shorter.next().map(|_| shorter)
                });
                return rest.is_empty() || tails.any(|tail| matches_glob(rest, tail.as_str()));
            }
            Some('?') if given.next().is_some() => {}
            Some(c) if given.next() == Some(c) => {}
            Some(_) => return false,
        }
    }
}

/// A variable that a module loaded, as it was written in its file: by its own name, or under one
/// name with all others. What stands in no file is data.
pub(super) fn as_written(
    name: &str,
    value: &serde_json::Value,
    loaded: &sasrun_model::Variables,
) -> Arc<Node> {
    if let Some(node) = loaded.get(name) {
        return Arc::clone(node);
    }
    let Some(object) = value.as_object().filter(|_| !loaded.is_empty()) else {
        return Arc::new(Node::data(value.clone().into()));
    };
    let entries = object.iter().map(|(key, value)| Entry {
        key: Node::data(key.as_str().into()),
        value: match loaded.get(key.as_str()) {
            Some(node) => Node::clone(node),
            None => Node::data(value.clone().into()),
        },
    });
    Arc::new(Node {
        span: sasrun_model::Span::default(),
        kind: NodeKind::Map(entries.collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::matches_glob;

    #[test]
    fn names_of_tasks_match_patterns() {
        for (pattern, name, expected) in [
            ("one", "one", true),
            ("one", "ones", false),
            ("*¶", "a task ¶", true),
            ("*¶", "a task", false),
            ("a*c*e", "abcde", true),
            ("?b", "ab", true),
            ("?", "", false),
            ("*", "", true),
        ] {
            assert_eq!(matches_glob(pattern, name), expected, "{pattern} {name}");
        }
    }
}
