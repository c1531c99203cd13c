//! What follows for the run when a step takes its host out: the outcome, and `on_failure`.
//!
//! | outcome | `stop` | `ask` | `continue` | not said |
//! |---|---|---|---|---|
//! | failed, timed out | pauses, 6 | asks; with nobody there pauses, 6 | the others go on, 2 | `continue` |
//! | unreachable | pauses, 6 | asks; with nobody there pauses, 6 | the others go on, 4 | `continue` |
//! | unknown | pauses, 7 | asks; with nobody there pauses, 7 | the others go on, 7 | `stop` |

use sasrun_model::{Name, Status};

use super::Run;

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
    /// Lets a person decide whether the others go on; stops when nobody is there.
    pub(crate) async fn ask_reaction(&self, host: &Name, task: &str) -> Reaction {
        if !self.console.is_interactive() {
            return Reaction::Ask.unattended();
        }
        let text =
            format!("\"{task}\" ended badly on {host}. Do the others go on? [continue/stop] ");
        let typed = self.console.ask(&text, true, None).await;
        match typed.as_deref().map(str::trim) {
            Some("continue" | "c" | "yes" | "y") => Reaction::Continue,
            _ => Reaction::Stop,
        }
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
