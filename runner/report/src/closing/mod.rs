//! The closing report of a run: what it came to, folded from its events, as text and as a page.
//!
//! Sections of a site's own come as data: what tasks add with `set_stats`. Knows no engine and no domain.

mod page;
mod sections;
mod text;
mod timeline;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use sasrun_model::{Event, EventKind, HostFigures, HostTask, Name, Outcome, RunMode, Status};

use crate::Mask;
use sections::Sections;

/// Everything that the report tells, as far as the run has come.
#[derive(Debug)]
pub struct Closing {
    mask: Mask,
    run: String,
    mode: RunMode,
    playbooks: Vec<String>,
    limit: Option<String>,
    began_at_ms: u64,
    elapsed: Duration,
    tasks: HashMap<Name, String>,
    begun: HashMap<HostTask, Duration>,
    plays: Vec<(Duration, String)>,
    steps: Vec<Step>,
    sections: Sections,
    findings: Vec<Finding>,
    /// Questions of gates that wait or waited.
    questions: BTreeMap<String, String>,
    gates: Vec<Gate>,
    stops: Vec<String>,
    figures: Vec<HostFigures>,
    end: Option<(u8, String)>,
}

/// One task on one host that ended.
#[derive(Debug, Clone)]
struct Step {
    host: String,
    task: String,
    status: Status,
    /// Whether the run went on although it failed.
    is_forgiven: bool,
    from: Duration,
    to: Duration,
    message: String,
}

#[derive(Debug, Clone)]
struct Finding {
    id: String,
    host: Option<String>,
    sentence: String,
}

/// A gate that was answered.
#[derive(Debug, Clone)]
struct Gate {
    id: String,
    question: String,
    answer: String,
    by: String,
    reason: String,
    at: Duration,
}

impl Closing {
    /// Begins with a run of which nothing is known.
    pub fn new(mask: Mask) -> Self {
        Self {
            mask,
            run: String::new(),
            mode: RunMode::Apply,
            playbooks: Vec::new(),
            limit: None,
            began_at_ms: 0,
            elapsed: Duration::ZERO,
            tasks: HashMap::new(),
            begun: HashMap::new(),
            plays: Vec::new(),
            steps: Vec::new(),
            sections: Sections::default(),
            findings: Vec::new(),
            questions: BTreeMap::new(),
            gates: Vec::new(),
            stops: Vec::new(),
            figures: Vec::new(),
            end: None,
        }
    }

    /// Takes an event.
    pub fn event(&mut self, event: &Event) {
        self.elapsed = self.elapsed.max(event.elapsed);
        match &event.kind {
            EventKind::RunStarted {
                run,
                mode,
                playbooks,
                limit,
                ..
            } => {
                self.run = run.to_string();
                self.mode = *mode;
                self.playbooks.clone_from(playbooks);
                self.limit.clone_from(limit);
                self.began_at_ms = event.at_ms;
            }
            EventKind::PlayStarted { name, .. } => self.plays.push((event.elapsed, name.clone())),
            EventKind::TaskStarted { task, name, .. } => {
                self.tasks.insert(task.clone(), name.clone());
            }
            EventKind::HostStarted { id, .. } => {
                self.begun.insert(id.clone(), event.elapsed);
            }
            EventKind::ItemFinished {
                outcome,
                no_log: false,
                ..
            } => self.sections.take(outcome),
            EventKind::HostFinished {
                id,
                outcome,
                ignored,
                rescued,
                no_log,
                took,
                ..
            } => {
                if !no_log {
                    self.sections.take(outcome);
                }
                let from = self
                    .begun
                    .remove(id)
                    .unwrap_or(event.elapsed.saturating_sub(*took));
                self.steps.push(Step {
                    host: id.host.to_string(),
                    task: self
                        .tasks
                        .get(&id.task)
                        .cloned()
                        .unwrap_or_else(|| id.task.to_string()),
                    status: outcome.status,
                    is_forgiven: *ignored || *rescued,
                    from,
                    to: event.elapsed,
                    message: if *no_log {
                        String::new()
                    } else {
                        message(outcome)
                    },
                });
            }
            EventKind::Finding { id, host, sentence } => self.findings.push(Finding {
                id: id.clone(),
                host: host.as_ref().map(ToString::to_string),
                sentence: sentence.clone(),
            }),
            EventKind::GateWaiting { gate, text } => {
                self.questions.insert(gate.clone(), text.clone());
            }
            EventKind::GateAnswered {
                gate,
                answer,
                by,
                reason,
            } => self.gates.push(Gate {
                id: gate.clone(),
                question: self.questions.get(gate).cloned().unwrap_or_default(),
                answer: answer.clone(),
                by: by.clone(),
                reason: reason.clone(),
                at: event.elapsed,
            }),
            EventKind::RunResumed { .. } => self.end = None,
            EventKind::Stopping { reason } => self.stops.push(reason.clone()),
            EventKind::RunFinished {
                hosts,
                exit_code,
                reason,
            } => {
                self.figures.clone_from(hosts);
                self.end = Some((*exit_code, reason.clone()));
            }
            _ => {}
        }
    }

    /// Steps that ended badly and were not forgiven, in order.
    fn bad(&self) -> impl Iterator<Item = &Step> {
        self.steps
            .iter()
            .filter(|step| step.status.is_bad() && !step.is_forgiven)
    }

    fn changed(&self) -> impl Iterator<Item = &Step> {
        self.steps
            .iter()
            .filter(|step| step.status == Status::Changed)
    }

    /// Gates that wait for their answer.
    fn open_gates(&self) -> impl Iterator<Item = (&String, &String)> {
        self.questions
            .iter()
            .filter(|(id, _)| self.gates.iter().all(|gate| gate.id != **id))
    }

    /// What the run came to, in a word.
    fn word(&self) -> &'static str {
        match self.end {
            None => "not ended",
            Some((0, _)) if self.mode == RunMode::Check => "predicted",
            Some((0, _)) => "finished",
            Some((6, _)) => "paused",
            Some((7, _)) => "a decision is needed",
            Some((5 | 8, _)) => "refused",
            Some((128.., _)) => "stopped",
            Some(_) => "failed",
        }
    }
}

/// What a result says for people, in one line.
fn message(outcome: &Outcome) -> String {
    let text = |key: &str| {
        outcome
            .result
            .get(key)
            .and_then(|value| value.as_str().map(str::to_owned))
    };
    let message = text("msg").or_else(|| text("reason")).unwrap_or_default();
    message.lines().next().unwrap_or_default().to_owned()
}

/// A span as people write it: `1 h 02 min`, `3 min 10 s`, `4.2 s`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        3600.. => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        60.. => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// A mask shared with what is rendered.
impl Closing {
    fn masked(&self, text: &str) -> Arc<str> {
        self.mask.apply(text).into_owned().into()
    }
}

#[cfg(test)]
mod tests;
