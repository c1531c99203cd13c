//! Reading the events of a run: which steps ended, which were begun, what was answered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use sasrun_model::{
    Decision, Event, EventKind, HostTask, Kept, Name, Outcome, RunMode, Status, StepClass,
};

use super::Recorded;

/// Why a run cannot go on from its events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PastError {
    /// The run only predicted.
    #[error("the run only predicted; there is nothing to go on with")]
    Check,
    /// A person gave the run up.
    #[error("the run was given up by {0}")]
    GivenUp(String),
    /// The run came to its end.
    #[error("the run ended, and every step of it is done")]
    Done,
}

/// A step, or an item of one, that ended.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub outcome: Arc<Outcome>,
    pub kept: Option<Arc<Kept>>,
    pub ignored: bool,
    pub rescued: bool,
    pub looped: bool,
}

impl Finished {
    /// Whether its end was not known, and nothing took that for a failure.
    fn is_open(&self) -> bool {
        self.outcome.status == Status::Unknown && !self.ignored && !self.rescued
    }

    /// Whether it took its host out of the play.
    fn stopped_host(&self) -> bool {
        self.outcome.status.is_bad() && !self.ignored && !self.rescued
    }
}

/// What a run had done when it was cut off. Empty for a run that begins.
#[derive(Debug, Default)]
pub struct Past {
    pub(super) finished: IndexMap<HostTask, Finished>,
    pub(super) items: HashMap<HostTask, IndexMap<Name, Finished>>,
    pub(super) begun: IndexMap<HostTask, StepClass>,
    pub(super) begun_items: HashSet<HostTask>,
    /// Steps that were begun as jobs, of which their hosts know how they stand.
    pub(super) jobs: HashSet<HostTask>,
    tries: HashMap<HostTask, Vec<Option<Arc<Kept>>>>,
    pub(super) decisions: HashMap<HostTask, Decision>,
    answers: HashMap<String, serde_json::Value>,
    gates: HashMap<String, serde_json::Value>,
    last_sequence: u64,
    has_begun: bool,
    recorded: Recorded,
}

/// The step without its item and attempt.
pub(super) fn whole(id: &HostTask) -> HostTask {
    HostTask {
        item: None,
        attempt: 0,
        ..id.clone()
    }
}

fn first_try(id: &HostTask) -> HostTask {
    HostTask {
        attempt: 0,
        ..id.clone()
    }
}

impl Past {
    /// Reads the events of a run.
    ///
    /// # Errors
    /// There is nothing to go on with.
    pub fn from_events(events: &[Event]) -> Result<Self, PastError> {
        let mut past = Self::default();
        let mut exit_code = None;
        for event in events {
            past.last_sequence = past.last_sequence.max(event.sequence);
            past.recorded.add(&event.kind);
            match &event.kind {
                EventKind::RunStarted {
                    mode: RunMode::Check,
                    ..
                } => return Err(PastError::Check),
                EventKind::RunStarted { .. } => past.has_begun = true,
                EventKind::GivenUp { by } => return Err(PastError::GivenUp(by.clone())),
                EventKind::RunResumed { .. } => exit_code = None,
                EventKind::RunFinished {
                    exit_code: code, ..
                } => {
                    exit_code = Some(*code);
                    past.try_failed_again();
                }
                kind => past.take(kind),
            }
        }
        if exit_code == Some(0) {
            return Err(PastError::Done);
        }
        Ok(past)
    }

    fn take(&mut self, kind: &EventKind) {
        match kind {
            EventKind::HostStarted { id, class, job, .. } => {
                self.finished.shift_remove(id);
                self.decisions.remove(id);
                self.begun.insert(id.clone(), *class);
                if job.is_some() {
                    self.jobs.insert(id.clone());
                }
            }
            EventKind::ItemStarted { id } => {
                self.decisions.remove(id);
                self.begun_items.insert(id.clone());
            }
            EventKind::HostRetry { id, kept, .. } => {
                let tries = self.tries.entry(first_try(id)).or_default();
                tries.push(kept.clone());
            }
            EventKind::Decided { id, decision, .. } => {
                self.decisions.insert(id.clone(), *decision);
            }
            EventKind::Answered { question, answer } => {
                self.answers.insert(question.clone(), answer.clone());
            }
            EventKind::GateAnswered {
                gate,
                answer,
                by,
                reason,
            } => {
                let answer = serde_json::json!({ "answer": answer, "by": by, "reason": reason });
                self.gates.insert(gate.clone(), answer);
            }
            kind => self.take_end(kind),
        }
    }

    fn take_end(&mut self, kind: &EventKind) {
        match kind {
            EventKind::ItemFinished {
                id,
                outcome,
                ignored,
                kept,
                ..
            } => {
                let finished = Finished {
                    outcome: whole_outcome(outcome, kept.as_ref()),
                    kept: kept.clone(),
                    ignored: *ignored,
                    rescued: false,
                    looped: false,
                };
                if !finished.is_open() {
                    self.begun_items.retain(|begun| first_try(begun) != *id);
                    let items = self.items.entry(whole(id)).or_default();
                    items.insert(id.item.clone().unwrap_or_default(), finished);
                }
            }
            EventKind::HostFinished {
                id,
                outcome,
                ignored,
                rescued,
                looped,
                kept,
                ..
            } => {
                let finished = Finished {
                    outcome: whole_outcome(outcome, kept.as_ref()),
                    kept: kept.clone(),
                    ignored: *ignored,
                    rescued: *rescued,
                    looped: *looped,
                };
                if !finished.is_open() {
                    self.finished.insert(id.clone(), finished);
                }
            }
            _ => {}
        }
    }

    /// A run that ended by itself tries again, when it goes on, what took hosts out of their plays.
    fn try_failed_again(&mut self) {
        let failed: Vec<HostTask> = self
            .finished
            .iter()
            .filter(|(_, finished)| finished.stopped_host())
            .map(|(id, _)| id.clone())
            .collect();
        for id in failed {
            self.finished.shift_remove(&id);
            // How it ended is known: that it failed.
            self.begun.shift_remove(&id);
            self.begun_items.retain(|begun| whole(begun) != id);
            self.tries.retain(|tried, _| whole(tried) != id);
            if let Some(items) = self.items.get_mut(&id) {
                items.retain(|_, item| !item.outcome.status.is_bad());
            }
        }
    }

    /// Number of the last event that the journal has, where others than the engine added to it.
    pub fn goes_on_after(&mut self, sequence: u64) {
        self.last_sequence = self.last_sequence.max(sequence);
    }

    /// Takes a person's decision about a step whose end is not known.
    pub fn decide(&mut self, id: &HostTask, decision: Decision) {
        self.decisions.insert(id.clone(), decision);
    }

    /// How a step ended; none when it did not.
    pub(crate) fn finished(&self, id: &HostTask) -> Option<&Finished> {
        self.finished.get(id)
    }

    /// How an item of a loop ended; none when it did not.
    pub(crate) fn item(&self, id: &HostTask) -> Option<&Finished> {
        self.items.get(&whole(id))?.get(id.item.as_ref()?)
    }

    /// The items of a step's loop that ended, in order.
    pub(crate) fn items(&self, id: &HostTask) -> impl Iterator<Item = &Finished> {
        self.items.get(id).into_iter().flat_map(IndexMap::values)
    }

    /// What tries of a step that did not end left, in order.
    pub(crate) fn tries(&self, id: &HostTask) -> &[Option<Arc<Kept>>] {
        self.tries.get(&first_try(id)).map_or(&[], Vec::as_slice)
    }

    /// Whether a try of a step was begun and its end is not recorded.
    pub(crate) fn was_begun(&self, id: &HostTask) -> bool {
        let is_first = id.item.is_none() && id.attempt == 0;
        self.begun_items.contains(id)
            || is_first && self.begun.contains_key(id) && !self.finished.contains_key(id)
    }

    /// What a person decided about a step.
    pub(crate) fn decision(&self, id: &HostTask) -> Option<Decision> {
        self.decisions.get(id).copied()
    }

    /// What a question came to before.
    pub(crate) fn answer(&self, question: &str) -> Option<serde_json::Value> {
        self.answers.get(question).cloned()
    }

    /// The answer of a gate.
    pub(crate) fn gate(&self, id: &str) -> Option<&serde_json::Value> {
        self.gates.get(id)
    }

    /// What was answered while the user's files were loaded, by question; for the loader.
    pub fn answers_of(&self, prefix: &str) -> HashMap<String, serde_json::Value> {
        self.answers
            .iter()
            .filter(|(question, _)| question.starts_with(prefix))
            .map(|(question, answer)| (question.clone(), answer.clone()))
            .collect()
    }

    /// Whether its first event was recorded.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Number of the last event.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// The events that a replay comes to again.
    pub(crate) fn take_recorded(&mut self) -> Recorded {
        std::mem::take(&mut self.recorded)
    }
}

/// The outcome as it was, where what is told of it is censored.
fn whole_outcome(told: &Arc<Outcome>, kept: Option<&Arc<Kept>>) -> Arc<Outcome> {
    let whole = kept.and_then(|kept| kept.outcome.as_ref());
    Arc::clone(whole.unwrap_or(told))
}
