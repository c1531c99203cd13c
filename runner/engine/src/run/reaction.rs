//! What follows for the run when a step takes its host out: the outcome, and `on_failure`.
//!
//! | outcome | `stop` | `ask` | `continue` | not said |
//! |---|---|---|---|---|
//! | failed, timed out | pauses, 6 | asks; with nobody there pauses, 6 | the others go on, 2 | `continue` |
//! | unreachable | pauses, 6 | asks; with nobody there pauses, 6 | the others go on, 4 | `continue` |
//! | unknown | pauses, 7 | asks; with nobody there pauses, 7 | the others go on, 7 | `stop` |

use sasrun_model::{EventKind, HostTask, Name, Status};

use super::Run;
use crate::options::Stop;

/// Answers of no meaning, after which the run stops.
const MOST_TRIES: usize = 10;

/// What `on_failure` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Nothing new begins on any host; the run can go on later.
    Stop,
    /// A person decides between the two others.
    Ask,
    /// The host is out of the play, the others go on.
    Continue,
}

impl Reaction {
    /// The reaction of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "stop" => Some(Reaction::Stop),
            "ask" => Some(Reaction::Ask),
            "continue" => Some(Reaction::Continue),
            _ => None,
        }
    }

    /// The reaction to an outcome where the playbook says nothing.
    pub(crate) fn to(status: Status) -> Self {
        if status == Status::Unknown {
            Reaction::Stop
        } else {
            Reaction::Continue
        }
    }

    /// What it comes to when nobody is there to be asked.
    pub(crate) fn unattended(self) -> Self {
        if self == Reaction::Ask {
            Reaction::Stop
        } else {
            self
        }
    }
}

impl Run {
    /// Lets a person decide whether the others go on; stops when nobody is there. The answer is recorded, and holds for a run that
    /// goes on as long as the failure itself is answered from its record.
    pub(crate) async fn ask_reaction(&self, id: &HostTask, task: &str) -> Reaction {
        let question = format!("on_failure {id}");
        if self.past.finished(id).is_some()
            && let Some(answer) = self.past.answer(&question)
            && let Some(reaction) = answer.get("answer").and_then(|word| word.as_str())
        {
            return Reaction::named(reaction).unwrap_or(Reaction::Stop);
        }
        if !self.console.is_interactive() {
            return Reaction::Ask.unattended();
        }
        // Of several that end badly side by side, one is asked about at a time.
        let _turn = self.gates.turn().await;
        let (reaction, word) = match self.typed_reaction(&id.host, task).await {
            Some(true) => (Reaction::Continue, "continue"),
            Some(false) => (Reaction::Stop, "stop"),
            None => return Reaction::Stop,
        };
        let by = &self.options.login_name;
        self.dispatcher.emit(EventKind::Answered {
            question,
            answer: serde_json::json!({ "answer": word, "by": by }),
        });
        reaction
    }

    /// Whether the others go on, as a person types it; none when the run stops first or nobody answers.
    async fn typed_reaction(&self, host: &Name, task: &str) -> Option<bool> {
        let text =
            format!("\"{task}\" ended badly on {host}. Do the others go on? [continue/stop] ");
        let mut stop = self.options.stop.clone();
        for _ in 0..MOST_TRIES {
            if self.is_stopping() {
                return None;
            }
            let typed = tokio::select! {
                typed = self.console.ask(&text, true, None) => typed?,
                _ = stop.wait_for(|stop| *stop != Stop::No) => return None,
            };
            match typed.trim() {
                "continue" | "c" | "yes" | "y" => return Some(true),
                "stop" | "s" | "no" | "n" => return Some(false),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Reaction::{Ask, Continue, Stop};
    use super::*;

    #[test]
    fn each_outcome_meets_each_reaction_as_the_table_says() {
        let cases = [
            (Status::Failed, None, Continue),
            (Status::Failed, Some("stop"), Stop),
            (Status::Failed, Some("ask"), Stop),
            (Status::Failed, Some("continue"), Continue),
            (Status::Unreachable, None, Continue),
            (Status::Unreachable, Some("stop"), Stop),
            (Status::Unreachable, Some("ask"), Stop),
            (Status::Unreachable, Some("continue"), Continue),
            (Status::Unknown, None, Stop),
            (Status::Unknown, Some("stop"), Stop),
            (Status::Unknown, Some("ask"), Stop),
            (Status::Unknown, Some("continue"), Continue),
        ];
        for (status, said, expected) in cases {
            let reaction = said
                .and_then(Reaction::named)
                .unwrap_or_else(|| Reaction::to(status));
            assert_eq!(reaction.unattended(), expected, "{status:?} {said:?}");
        }
        assert_eq!(Reaction::named("ask"), Some(Ask));
    }
}
