//! The report of one task without a playbook: each host's result, as the command `ansible` shows it.

use sasrun_model::{Event, EventKind, Name, Outcome, Status};

use crate::Mask;
use crate::python_json;
use crate::shown::{hidden, shown};
use crate::style::{Meaning, Style};

/// Modules whose output is shown as text rather than as JSON.
const WITH_OUTPUT: &[&str] = &["command", "shell", "raw"];

/// Turns the ends of a task into lines of text.
pub struct Short {
    style: Style,
    one_line: bool,
    verbosity: u8,
    mask: Mask,
}

impl Short {
    /// Begins a report.
    pub fn new(style: Style, one_line: bool, verbosity: u8, mask: Mask) -> Self {
        Self {
            style,
            one_line,
            verbosity,
            mask,
        }
    }

    /// Lines of an event, secrets masked; none for what is not shown.
    pub fn lines(&self, event: &Event) -> Vec<String> {
        let lines = match &event.kind {
            EventKind::HostFinished {
                id,
                outcome,
                no_log,
                action,
                ..
            } => vec![self.result(&id.host, outcome, *no_log, action)],
            EventKind::Included {
                hosts, arguments, ..
            } => hosts
                .iter()
                .map(|host| self.included(host, arguments.as_ref()))
                .collect(),
            EventKind::PlaySkipped { .. } => {
                vec!["[WARNING]: No hosts matched, nothing to do".to_owned()]
            }
            EventKind::Warning { sentence } => vec![format!("[WARNING]: {sentence}")],
            _ => Vec::new(),
        };
        lines
            .iter()
            .map(|line| self.mask.apply(line).into_owned())
            .collect()
    }

    fn included(&self, host: &Name, arguments: Option<&serde_json::Value>) -> String {
        let json = serde_json::json!({ "changed": false, "include_args": arguments });
        let text = match self.one_line {
            true => python_json::one_line(&json),
            false => python_json::indented(&json),
        };
        let line = format!("{host} | SUCCESS => {text}");
        self.style.paint(Meaning::Ok, &line)
    }

    fn result(&self, host: &Name, outcome: &Outcome, no_log: bool, action: &str) -> String {
        let (meaning, word) = word(outcome.status);
        let head = format!("{host} | {word}");
        if outcome.status == Status::Skipped {
            return self.style.paint(meaning, &head);
        }
        let json = match no_log {
            true => hidden(outcome),
            false => shown(&outcome.result, action, self.verbosity),
        };
        let short = action.strip_prefix("ansible.builtin.").unwrap_or(action);
        let text = if WITH_OUTPUT.contains(&short) && !no_log {
            self.with_output(host, outcome, &json)
        } else if self.one_line {
            format!("{head} => {}", python_json::one_line(&json))
        } else {
            format!("{head} => {}", python_json::indented(&json))
        };
        self.style.paint(meaning, &text)
    }

    fn with_output(&self, host: &Name, outcome: &Outcome, json: &serde_json::Value) -> String {
        let text = |key: &str| json.get(key).and_then(|v| v.as_str()).unwrap_or_default();
        let code = json.get("rc").map_or("-1".to_owned(), ToString::to_string);
        let word = word(outcome.status).1.trim_end_matches('!');
        if self.one_line {
            let flat = |key| text(key).replace('\r', "").replace('\n', "\\n");
            let errors = match text("stderr") {
                "" => String::new(),
                _ => format!(" (stderr) {}", flat("stderr")),
            };
            return format!(
                "{host} | {word} | rc={code} | (stdout) {}{errors}",
                flat("stdout")
            );
        }
        let mut shown = format!("{host} | {word} | rc={code} >>\n");
        for key in ["stdout", "stderr", "msg"] {
            shown.push_str(text(key));
        }
        shown
    }
}

fn word(status: Status) -> (Meaning, &'static str) {
    match status {
        Status::Ok => (Meaning::Ok, "SUCCESS"),
        Status::Changed => (Meaning::Changed, "CHANGED"),
        Status::Skipped => (Meaning::Skipped, "SKIPPED"),
        Status::CannotKnow => (Meaning::CannotKnow, "CANNOT KNOW"),
        Status::Failed => (Meaning::Failed, "FAILED!"),
        Status::Unknown => (Meaning::Failed, "OUTCOME UNKNOWN!"),
        Status::Unreachable => (Meaning::Unreachable, "UNREACHABLE!"),
    }
}
