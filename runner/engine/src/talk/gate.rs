//! A gate that a conversation has come to: its recorded answer, or a person's.

use std::sync::Arc;
use std::time::Duration;

use sasrun_model::EventKind;
use sasrun_template::Scope;
use serde_json::{Value, json};

use super::Talking;
use crate::gates::{ANSWERS, answer};
use crate::looking::Looking;
use crate::seams::Approval;

/// How often a waiting gate looks whether it was answered from elsewhere.
const LOOK_EVERY: Duration = Duration::from_millis(300);

impl Talking<'_> {
    /// The answer of a gate; none when the run pauses for want of one.
    pub(super) async fn gate(&self, id: &str, text: &str) -> Option<Value> {
        // Several hosts come to a gate together: it is asked once.
        let run = self.host_run.run;
        let _turn = run.gates.turn().await;
        if let Some(known) = run.gates.answer(id).or_else(|| self.recorded_answer(id)) {
            return Some(known);
        }
        if let Some(approval) = run.console.approval(id) {
            return Some(self.answered(id, approval));
        }
        if run.options.check {
            return Some(Value::Null);
        }
        run.dispatcher.emit(EventKind::GateWaiting {
            gate: id.to_owned(),
            text: text.to_owned(),
        });
        run.dispatcher.durable().await.ok()?;
        if !run.console.is_interactive() {
            run.pause_run(&format!(
                "the gate {id} waits: {text}. Answer it with `sasrun approve {} {id} --as NAME \
                 --reason TEXT`, then `sasrun resume {}` goes on",
                run.id, run.id
            ));
            return None;
        }
        let question = format!("{id}: {text} [yes/no] ");
        let approval = tokio::select! {
            typed = run.console.ask(&question, true, None) => Approval {
                answer: typed?.trim().to_owned(),
                by: "the terminal".to_owned(),
                reason: String::new(),
            },
            approval = self.approved(id) => approval?,
        };
        Some(self.answered(id, approval))
    }

    /// Waits for an answer from elsewhere; none when the run is to stop.
    async fn approved(&self, id: &str) -> Option<Approval> {
        let run = self.host_run.run;
        loop {
            if let Some(approval) = run.console.approval(id) {
                return Some(approval);
            }
            if !run.pause(LOOK_EVERY).await {
                return None;
            }
        }
    }

    fn answered(&self, id: &str, approval: Approval) -> Value {
        let run = self.host_run.run;
        let value = json!({
            "answer": approval.answer, "by": approval.by, "reason": approval.reason,
        });
        run.gates.keep(id, value.clone());
        run.dispatcher.emit(EventKind::GateAnswered {
            gate: id.to_owned(),
            answer: approval.answer,
            by: approval.by,
            reason: approval.reason,
        });
        value
    }

    fn recorded_answer(&self, id: &str) -> Option<Value> {
        if let Some(recorded) = self.host_run.run.past.gate(id) {
            return Some(recorded.clone());
        }
        let scope: Arc<dyn Scope> = Arc::clone(&self.scope) as _;
        let answers = self.host_run.templates().variable(ANSWERS, &scope);
        let answers = answers.ok().flatten()?;
        answer(&answers, id).map(|recorded| (&recorded).into())
    }
}
