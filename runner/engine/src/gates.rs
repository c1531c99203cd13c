//! Manual gates: which of them a run will come to, and whether each has an answer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use sasrun_model::{Action, Name, Play, Playbook, Step, Task, Value};

use crate::looking::Looking;
use crate::run::Run;

/// Module that waits for a gate.
const MODULE: &str = "gate";
/// Variable with the recorded answers by id.
pub(crate) const ANSWERS: &str = "gates";

/// Answers that gates got in this life of the run.
#[derive(Default)]
pub(crate) struct Gates {
    answers: RefCell<HashMap<String, serde_json::Value>>,
    turn: tokio::sync::Mutex<()>,
}

impl Gates {
    /// Waits until nobody else asks.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The answer that a gate got.
    pub(crate) fn answer(&self, id: &str) -> Option<serde_json::Value> {
        self.answers.borrow().get(id).cloned()
    }

    /// Keeps the answer of a gate.
    pub(crate) fn keep(&self, id: &str, answer: serde_json::Value) {
        self.answers.borrow_mut().insert(id.to_owned(), answer);
    }
}

impl Run {
    /// Ids of gates of these playbooks that nobody could answer.
    pub(crate) fn unanswered_gates(&self, playbooks: &[Playbook]) -> Vec<String> {
        if self.console.is_interactive() || self.options.check {
            return Vec::new();
        }
        let mut unanswered = Vec::new();
        for play in playbooks.iter().flat_map(|playbook| &playbook.plays) {
            let Some(host) = self
                .hosts_of(play)
                .ok()
                .and_then(|hosts| hosts.into_iter().next())
            else {
                continue;
            };
            let mut gates = Vec::new();
            for steps in [&play.pre_tasks, &play.roles, &play.tasks, &play.post_tasks] {
                collect(steps, &mut gates);
            }
            for gate in gates {
                if let Some(id) = self.unanswered(play, gate, &host)
                    && !unanswered.contains(&id)
                {
                    unanswered.push(id);
                }
            }
        }
        unanswered
    }

    fn unanswered(&self, play: &Arc<Play>, gate: &Task, host: &Name) -> Option<String> {
        let scope = self.play_scope(play, host);
        let id = self
            .templates
            .resolve(gate.arguments.get("id")?, &scope)
            .ok()?;
        let id = id.as_str()?.to_owned();
        let answers = self.templates.variable(ANSWERS, &scope).ok().flatten();
        let is_answered = answers
            .as_ref()
            .and_then(|answers| answer(answers, &id))
            .is_some();
        let is_answered = is_answered || self.past.gate(&id).is_some();
        (!is_answered).then_some(id)
    }
}

/// The recorded answer of a gate: the text under `answer`, or the value itself.
pub(crate) fn answer(answers: &Value, id: &str) -> Option<Value> {
    let entry = answers.get(id)?;
    let given = entry.get("answer").unwrap_or(entry);
    match given {
        Value::Null | Value::Omit | Value::CannotKnow(_) => None,
        Value::Text(text) if text.is_empty() => None,
        _ => Some(entry.clone()),
    }
}

fn collect<'a>(steps: &'a [Step], gates: &mut Vec<&'a Task>) {
    for step in steps {
        match step {
            Step::Task(task) => {
                if matches!(&task.action, Action::Module(name) if is_gate(name)) {
                    gates.push(task);
                }
            }
            Step::Block(block) => {
                for steps in [&block.block, &block.rescue, &block.always] {
                    collect(steps, gates);
                }
            }
            Step::Parallel(parallel) => {
                for branch in &parallel.branches {
                    collect(&branch.block.block, gates);
                }
            }
        }
    }
}

fn is_gate(module: &str) -> bool {
    module.rsplit('.').next() == Some(MODULE)
}

#[cfg(test)]
mod tests {
    use super::answer;
    use sasrun_model::Value;

    fn answers(json: serde_json::Value) -> Value {
        json.into()
    }

    #[test]
    fn an_empty_answer_is_none() {
        let all = answers(serde_json::json!({
            "a": {"answer": "yes", "by": "me"}, "b": {"answer": null}, "c": {"answer": ""}, "d": "yes",
        }));
        assert!(answer(&all, "a").is_some());
        assert!(answer(&all, "b").is_none());
        assert!(answer(&all, "c").is_none());
        assert!(answer(&all, "d").is_some());
        assert!(answer(&all, "e").is_none());
    }
}
