//! The dialogue with the installer: what to type at which question, as a state machine without
//! I/O.
//!
//! It never guesses. A question it does not know is left unanswered until a limit, then the
//! installer is interrupted; `c` is typed only when the marks that were read are the marks wanted.

use std::collections::BTreeMap;

use super::menu::Item;
use super::prompt::{self, Prompt};
use super::screen::Lines;
use crate::response::is_secret;

/// What the dialogue is to come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Components to be marked, and the option of MM-6: the database under the bare label of the
    /// multimaster component. A satellite's gateway leads through an installer of its own, whose
    /// questions are answered as `gateway` says.
    Components {
        wanted: Vec<String>,
        bare_label_is_truth: bool,
        gateway: Interview,
    },
    /// The interview, up to the saved response file.
    Interview(Interview),
}

/// How the interview is to be answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Interview {
    /// Words that the label of the installation type must hold, in lower case.
    pub(crate) type_words: Vec<String>,
    pub(crate) advanced: bool,
    /// Values by parameter.
    pub(crate) answers: BTreeMap<String, String>,
    /// Whether a default may be taken for what has no value.
    pub(crate) take_defaults: bool,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Wait for more output.
    Wait,
    /// Type this, if the screen still stands as it was read.
    Type(Move),
    /// Interrupt the installer; the reason.
    Interrupt(String),
}

/// Something to be typed, and what it means once it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) text: String,
    pub(crate) sensitive: bool,
    then: Then,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Then {
    Toggled(String),
    Confirmed(Option<String>),
    Answered {
        name: String,
        value: String,
        by_default: bool,
    },
    Repeated,
    Saved(Option<String>),
    Acknowledged,
    Left,
    NoInterview,
    Quit(String),
}

/// Where the dialogue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Before the selection is confirmed, or within the interview.
    Asking,
    /// After `c`: the upgrade runs.
    Working,
    /// After `q`, `n` or an interrupt: the installer should end.
    Leaving,
}

/// One dialogue.
#[derive(Debug)]
pub(crate) struct Dialogue {
    goal: Goal,
    phase: Phase,
    /// Printed since the last answer.
    fresh: String,
    /// How often each label was flipped and seen unflipped.
    toggles: BTreeMap<String, u32>,
    asked: BTreeMap<String, u32>,
    last_value: Option<(String, String)>,
    /// How long an unknown question is left alone, in milliseconds.
    question_wait_ms: u64,
    pub(crate) findings: Vec<String>,
    pub(crate) defaults_taken: Vec<String>,
    /// Why the dialogue was left before its goal.
    pub(crate) refusal: Option<String>,
    /// Name of the response file that was saved.
    pub(crate) saved: Option<String>,
    /// Whether the component menu came although an interview was wanted.
    pub(crate) no_interview: bool,
}

/// How often a line is flipped before the installer is given up.
const TOGGLE_TRIES: u32 = 2;
/// How often the same parameter may be asked.
const ASK_LIMIT: u32 = 3;

impl Dialogue {
    /// Begins a dialogue.
    pub(crate) fn new(goal: Goal, question_wait_ms: u64) -> Self {
        Self {
            goal,
            phase: Phase::Asking,
            fresh: String::new(),
            toggles: BTreeMap::new(),
            asked: BTreeMap::new(),
            last_value: None,
            question_wait_ms,
            findings: Vec::new(),
            defaults_taken: Vec::new(),
            refusal: None,
            saved: None,
            no_interview: false,
        }
    }

    /// Takes in what was printed.
    pub(crate) fn hear(&mut self, output: &str) {
        self.fresh.push_str(output);
    }

    /// Where it stands.
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Decides after so much silence what to do.
    pub(crate) fn turn(&self, silent_ms: u64) -> Turn {
        if self.phase == Phase::Leaving {
            return Turn::Wait;
        }
        let Some(prompt) = prompt::read(&Lines::of(&self.fresh)) else {
            return Turn::Wait;
        };
        if let Prompt::Unknown(question) = prompt {
            return self.unknown(&question, silent_ms);
        }
        match &self.goal {
            Goal::Components {
                wanted, gateway, ..
            } if self.phase == Phase::Working && wanted.iter().any(|id| id == "sat_gateway") => {
                self.toward_gateway(prompt, gateway, silent_ms)
            }
            Goal::Components {
                wanted,
                bare_label_is_truth,
                ..
            } => self.toward_components(&prompt, wanted, *bare_label_is_truth, silent_ms),
            Goal::Interview(interview) => self.toward_file(prompt, interview, silent_ms),
        }
    }

    /// Notes that a move was typed.
    pub(crate) fn typed(&mut self, made: Move) {
        self.fresh.clear();
        match made.then {
            Then::Toggled(label) => *self.toggles.entry(label).or_default() += 1,
            Then::Confirmed(finding) => {
                self.phase = Phase::Working;
                self.findings.extend(finding);
            }
            Then::Answered {
                name,
                value,
                by_default,
            } => {
                if by_default {
                    self.defaults_taken.push(name.clone());
                }
                *self.asked.entry(name.clone()).or_default() += 1;
                self.last_value = Some((name, value));
            }
            Then::Saved(path) => self.saved = path.or_else(|| self.saved.take()),
            Then::Repeated | Then::Acknowledged => {}
            Then::Left => self.phase = Phase::Leaving,
            Then::NoInterview => {
                self.phase = Phase::Leaving;
                self.no_interview = self.saved.is_none();
            }
            Then::Quit(reason) => {
                self.phase = Phase::Leaving;
                self.refusal = Some(reason);
            }
        }
    }

    /// Notes that the installer was interrupted.
    pub(crate) fn interrupted(&mut self, reason: String) {
        self.fresh.clear();
        self.phase = Phase::Leaving;
        self.refusal.get_or_insert(reason);
    }

    fn unknown(&self, question: &str, silent_ms: u64) -> Turn {
        if silent_ms < self.question_wait_ms {
            return Turn::Wait;
        }
        Turn::Interrupt(format!(
            "the installer asks something that no step of the procedure knows, so it was left unanswered: {question}"
        ))
    }

    fn toward_components(
        &self,
        prompt: &Prompt,
        wanted: &[String],
        bare: bool,
        silent_ms: u64,
    ) -> Turn {
        match prompt {
            Prompt::Components(_) if self.phase == Phase::Working => typing("q", Then::Left),
            Prompt::Components(items) => self.toward_marks(items, wanted, bare),
            Prompt::ConfirmValues => typing("y", Then::Acknowledged),
            Prompt::InstallationType(_) | Prompt::InterviewMode(_) | Prompt::Parameter { .. } => Turn::Interrupt(
                "the installer began an interview where the component menu was expected: the response file is not one \
                 that an interview of this release has saved"
                    .to_owned(),
            ),
            other => self.unknown(&format!("{other:?}"), silent_ms),
        }
    }

    /// The gateway's own installer, once a satellite's gateway was marked (SAT-4).
    fn toward_gateway(&self, prompt: Prompt, gateway: &Interview, silent_ms: u64) -> Turn {
        match prompt {
            Prompt::Parameter { name, default } => self.answer(name, default, gateway),
            Prompt::ConfirmValues => typing("y", Then::Acknowledged),
            Prompt::Components(_) => typing("q", Then::Left),
            other => self.unknown(&format!("{other:?}"), silent_ms),
        }
    }

    /// Brings the marks to those wanted, one line at a time, and only then goes on.
    fn toward_marks(&self, items: &[Item], wanted: &[String], bare: bool) -> Turn {
        let selected = match select(items, wanted, bare) {
            Ok(selected) => selected,
            Err(reason) => return typing("q", Then::Quit(reason)),
        };
        let wrong = items
            .iter()
            .filter(|item| item.marked != selected.contains(&item.number));
        // What must not be marked is taken off first.
        let Some(item) = wrong.max_by_key(|item| item.marked) else {
            return typing(
                "c",
                Then::Confirmed(bare.then(|| label_finding(items)).flatten()),
            );
        };
        if self.toggles.get(&toggle_key(item)).copied().unwrap_or(0) >= TOGGLE_TRIES {
            let reason = format!(
                "the mark of `{}` did not change after {TOGGLE_TRIES} tries, so the selection was left",
                item.label
            );
            return typing("q", Then::Quit(reason));
        }
        typing(&item.number.to_string(), Then::Toggled(toggle_key(item)))
    }

    fn toward_file(&self, prompt: Prompt, interview: &Interview, silent_ms: u64) -> Turn {
        match prompt {
            Prompt::Components(_) => typing("q", Then::NoInterview),
            Prompt::InstallationType(choices) => choose(&choices, &interview.type_words),
            Prompt::InterviewMode(choices) => {
                let word = if interview.advanced {
                    "advanced"
                } else {
                    "simple"
                };
                choose(&choices, &[word.to_owned()])
            }
            Prompt::Parameter { name, default } => self.answer(name, default, interview),
            Prompt::Again => match &self.last_value {
                Some((name, value)) => Turn::Type(Move {
                    text: format!("{value}\n"),
                    sensitive: is_secret(name),
                    then: Then::Repeated,
                }),
                None => self.unknown("the same value once more", silent_ms),
            },
            Prompt::InterviewDone | Prompt::Save | Prompt::ConfirmValues => {
                typing("y", Then::Acknowledged)
            }
            Prompt::SaveAs {
                proposed: Some(path),
            } => typing("", Then::Saved(Some(path))),
            Prompt::SaveAs { proposed: None } => self.unknown(
                "a name for the response file, without a proposal",
                silent_ms,
            ),
            Prompt::GoOn => typing("n", Then::Left),
            Prompt::Unknown(question) => self.unknown(&question, silent_ms),
        }
    }

    /// Answers one parameter from the response file.
    fn answer(&self, name: String, default: Option<String>, interview: &Interview) -> Turn {
        if self.asked.get(&name).copied().unwrap_or(0) >= ASK_LIMIT {
            return Turn::Interrupt(format!(
                "the interview does not take the value of `{name}`: it asked {ASK_LIMIT} times"
            ));
        }
        let value = interview.answers.get(&name);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            if value.chars().any(char::is_control) {
                return Turn::Interrupt(format!(
                    "the value of `{name}` cannot be typed: it holds control characters"
                ));
            }
            let sensitive = is_secret(&name);
            let then = Then::Answered {
                name,
                value: value.clone(),
                by_default: false,
            };
            return Turn::Type(Move {
                text: format!("{value}\n"),
                sensitive,
                then,
            });
        }
        // A blank value in the file and no default are the same answer.
        let blank = default.as_deref().is_none_or(str::is_empty);
        match (value.is_some(), blank) {
            (true, true) => typing(
                "",
                Then::Answered {
                    name,
                    value: String::new(),
                    by_default: false,
                },
            ),
            (_, false) if interview.take_defaults => typing(
                "",
                Then::Answered {
                    name,
                    value: String::new(),
                    by_default: true,
                },
            ),
            _ => Turn::Interrupt(format!(
                "the interview asks for `{name}`, which the response file does not give; add it there, or let the policy \
                 interview_defaults accept its default"
            )),
        }
    }
}

/// What is worth telling of the labels where the guide prints the vault's for the database.
fn label_finding(items: &[Item]) -> Option<String> {
    let has = |id: &str| items.iter().any(|item| item.id == Some(id));
    let sentence = match (has("truth"), has("vault")) {
        (true, true) => {
            "the menu has the Model Repository and its multimaster component; the Model Repository was marked"
        }
        (false, true) => {
            "the menu has no Model Repository (truth); its multimaster component was marked, as the guide prints"
        }
        _ => return None,
    };
    Some(format!("TRAP-12: {sentence}"))
}

/// A line is flipped by its number, but remembered by its label and mark: the same line flipped
/// back on purpose is another matter.
fn toggle_key(item: &Item) -> String {
    format!("{} {}", item.marked, item.label)
}

fn typing(text: &str, then: Then) -> Turn {
    Turn::Type(Move {
        text: format!("{text}\n"),
        sensitive: false,
        then,
    })
}

/// Numbers of the lines to be marked.
fn select(items: &[Item], wanted: &[String], bare: bool) -> Result<Vec<u32>, String> {
    let mut selected = Vec::new();
    for id in wanted {
        let mut lines: Vec<&Item> = items
            .iter()
            .filter(|item| item.id == Some(id.as_str()))
            .collect();
        if lines.is_empty() && bare && id == "truth" {
            lines = items
                .iter()
                .filter(|item| item.is_bare_multimaster_label())
                .collect();
        }
        match lines.as_slice() {
            [line] => selected.push(line.number),
            [] => return Err(missing(items, wanted, id)),
            _ => {
                return Err(format!(
                    "the menu has several lines that could be `{id}`: {}",
                    labels(&lines)
                ));
            }
        }
    }
    let mut numbers: Vec<u32> = items.iter().map(|item| item.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() != items.len() {
        return Err("the menu gives one number to two lines".to_owned());
    }
    Ok(selected)
}

fn missing(items: &[Item], wanted: &[String], id: &str) -> String {
    let all: Vec<&Item> = items.iter().collect();
    format!(
        "the menu has no `{id}`: either the inventory or the host is wrong; wanted: {}; in the menu: {}",
        wanted.join(", "),
        labels(&all)
    )
}

fn labels(items: &[&Item]) -> String {
    items
        .iter()
        .map(|item| format!("\"{}\"", item.label))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Chooses the one line whose label holds all the words.
fn choose(choices: &[(u32, String)], words: &[String]) -> Turn {
    let fitting: Vec<&(u32, String)> = choices
        .iter()
        .filter(|(_, label)| {
            let label = super::menu::normalise_label(label);
            words.iter().all(|word| label.contains(word.as_str()))
        })
        .collect();
    if let [(number, _)] = fitting.as_slice() {
        return typing(&number.to_string(), Then::Acknowledged);
    }
    let shown: Vec<String> = choices
        .iter()
        .map(|(_, label)| format!("\"{label}\""))
        .collect();
    Turn::Interrupt(format!(
        "no single choice fits `{}`; offered: {}",
        words.join(" "),
        shown.join(", ")
    ))
}

#[cfg(test)]
mod tests;
