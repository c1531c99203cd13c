//! The report on the terminal: plays, tasks, results, recap, in the form people know.

use std::collections::HashMap;

use sasrun_model::{Difference, Event, EventKind, HostTask, Name, Outcome, Status};

use crate::shown::{hidden, is_always_shown, shown};
use crate::style::{Meaning, Style};
use crate::{Mask, difference, python_json, recap};

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct TextOptions {
    /// Colours and width.
    pub style: Style,
    /// `-v` count.
    pub verbosity: u8,
    /// Whether skipped hosts are shown.
    pub show_skipped: bool,
}

/// Turns events into lines of text.
pub struct Text {
    options: TextOptions,
    mask: Mask,
    /// Tasks that were announced.
    tasks: HashMap<Name, Announced>,
    /// The one announced last, under whose heading results stand.
    latest: Option<Name>,
    /// Why the run ends early, as it was told.
    stopping: Option<String>,
}

/// What was announced of a task.
struct Announced {
    name: String,
    action: Name,
}

impl Text {
    /// Begins a report.
    pub fn new(options: TextOptions, mask: Mask) -> Self {
        Self {
            options,
            mask,
            tasks: HashMap::new(),
            latest: None,
            stopping: None,
        }
    }

    /// Lines of an event, secrets masked; none for what is not shown.
    pub fn lines(&mut self, event: &Event) -> Vec<String> {
        let lines = self.unmasked(event);
        lines
            .into_iter()
            .map(|line| self.mask.apply(&line).into_owned())
            .collect()
    }

    fn unmasked(&mut self, event: &Event) -> Vec<String> {
        let style = self.options.style;
        match &event.kind {
            EventKind::PlayStarted { name, batch, .. } => {
                let batch = batch.map(|(n, of)| format!(" (batch {} of {of})", n + 1));
                vec![
                    String::new(),
                    self.banner(&format!("PLAY [{name}]{}", batch.unwrap_or_default())),
                ]
            }
            EventKind::PlaySkipped { name, .. } => vec![
                String::new(),
                self.banner(&format!("PLAY [{name}]")),
                style.paint(Meaning::Skipped, "skipping: no hosts matched"),
            ],
            EventKind::TaskStarted {
                name,
                place,
                handler,
                branch,
                task,
                action,
                ..
            } => {
                let word = if *handler { "RUNNING HANDLER" } else { "TASK" };
                let branch = branch
                    .as_ref()
                    .map(|b| format!(" <{b}>"))
                    .unwrap_or_default();
                let announced = Announced {
                    name: name.clone(),
                    action: action.clone(),
                };
                self.tasks.insert(task.clone(), announced);
                self.latest = Some(task.clone());
                let mut lines = vec![
                    String::new(),
                    self.banner(&format!("{word} [{name}]{branch}")),
                ];
                if self.options.verbosity >= 2 && !place.is_empty() {
                    lines.push(style.paint(Meaning::Quiet, &format!("task path: {place}")));
                }
                lines
            }
            EventKind::ItemFinished {
                id,
                label,
                delegate,
                outcome,
                ignored,
                no_log,
                ..
            } => self.result(
                id,
                outcome,
                Some(label),
                *ignored,
                *no_log,
                delegate.as_deref(),
            ),
            EventKind::HostFinished {
                id,
                outcome,
                ignored,
                looped,
                no_log,
                delegate,
                ..
            } => self.host_finished(id, outcome, *ignored, *looped, *no_log, delegate.as_deref()),
            EventKind::HostRetry { id, left, .. } => vec![style.paint(
                Meaning::Quiet,
                &format!(
                    "FAILED - RETRYING: [{}]: {} ({left} retries left).",
                    id.host,
                    self.tasks.get(&id.task).map_or("", |task| &task.name)
                ),
            )],
            EventKind::Included { what, hosts, .. } => {
                let hosts = hosts
                    .iter()
                    .map(|host| &**host)
                    .collect::<Vec<_>>()
                    .join(", ");
                vec![style.paint(Meaning::Skipped, &format!("included: {what} for {hosts}"))]
            }
            EventKind::Warning { sentence } => {
                vec![style.paint(Meaning::Warning, &format!("[WARNING]: {sentence}"))]
            }
            EventKind::Finding { id, host, sentence } => {
                let host = host
                    .as_ref()
                    .map(|host| format!(" [{host}]"))
                    .unwrap_or_default();
                vec![style.paint(Meaning::Warning, &format!("finding {id}{host}: {sentence}"))]
            }
            EventKind::RunResumed { user, host, .. } => vec![
                String::new(),
                style.paint(Meaning::Warning, &format!("RESUMED by {user} on {host}")),
            ],
            EventKind::Stopping { reason } => {
                self.stopping = Some(reason.clone());
                vec![
                    String::new(),
                    style.paint(Meaning::Failed, &format!("STOPPING: {reason}")),
                ]
            }
            EventKind::RunFinished {
                hosts,
                exit_code,
                reason,
            } => {
                // Nothing stands between the two: the reason was told just now.
                if hosts.is_empty() && self.stopping.as_ref() == Some(reason) {
                    return vec![style.paint(Meaning::Failed, &format!("exit {exit_code}"))];
                }
                let mut lines = vec![String::new(), self.banner("PLAY RECAP")];
                lines.extend(recap::render(hosts, style));
                lines.push(String::new());
                if *exit_code != 0 {
                    lines
                        .push(style.paint(Meaning::Failed, &format!("exit {exit_code}: {reason}")));
                }
                lines
            }
            EventKind::HandlerNotified { handler, host } if self.options.verbosity >= 2 => {
                vec![style.paint(
                    Meaning::Quiet,
                    &format!("NOTIFIED HANDLER {handler} for {host}"),
                )]
            }
            _ => Vec::new(),
        }
    }

    fn host_finished(
        &self,
        id: &HostTask,
        outcome: &Outcome,
        ignored: bool,
        looped: bool,
        no_log: bool,
        delegate: Option<&str>,
    ) -> Vec<String> {
        // What must not be shown does not have its items any more either.
        let had_items = outcome.result.get("results").is_some()
            || (no_log && outcome.status != Status::CannotKnow);
        if looped && outcome.status != Status::Skipped && had_items {
            let ignoring = if ignored {
                vec!["...ignoring".to_owned()]
            } else {
                Vec::new()
            };
            return ignoring;
        }
        self.result(id, outcome, None, ignored, no_log, delegate)
    }

    fn result(
        &self,
        id: &HostTask,
        outcome: &Outcome,
        item: Option<&str>,
        ignored: bool,
        no_log: bool,
        delegate: Option<&str>,
    ) -> Vec<String> {
        let style = self.options.style;
        let (meaning, word) = word(outcome.status);
        if outcome.status == Status::Skipped && !self.options.show_skipped {
            return Vec::new();
        }
        let host = match delegate.filter(|delegate| *delegate != &*id.host) {
            Some(delegate) => format!("{} -> {delegate}", id.host),
            None => id.host.to_string(),
        };
        let mut head = format!("{word}: [{host}]");
        if item.is_some() && matches!(outcome.status, Status::Failed) {
            head = format!("failed: [{host}]");
        }
        match outcome.status {
            Status::Failed if item.is_none() => head.push_str(": FAILED!"),
            Status::Unreachable => head.push_str(": UNREACHABLE!"),
            Status::Unknown => head.push_str(": OUTCOME UNKNOWN!"),
            _ => {}
        }
        if let Some(item) = item {
            let arrow = if outcome.status.is_bad() { "" } else { " =>" };
            head.push_str(&format!("{arrow} (item={item})"));
        }
        if self.latest.as_ref() != Some(&id.task)
            && let Some(task) = self.tasks.get(&id.task)
        {
            // Side by side with others: the heading above is another task's.
            head = format!("{head} <{}>", task.name);
        }
        if let Some(detail) = self.detail(id, outcome, no_log) {
            head = format!("{head} => {detail}");
        }
        let mut lines = Vec::new();
        if !no_log {
            for diff in &outcome.diff {
                lines.extend(self.diff_lines(diff));
            }
        }
        lines.push(style.paint(meaning, &head));
        for warning in &outcome.warnings {
            lines.push(style.paint(Meaning::Warning, &format!("[WARNING]: {warning}")));
        }
        if ignored {
            lines.push(style.paint(Meaning::Skipped, "...ignoring"));
        }
        lines
    }

    fn diff_lines(&self, diff: &Difference) -> Vec<String> {
        difference::render(diff, self.options.style)
    }

    /// The result's fields, where they are shown: failures always, the rest when asked for.
    fn detail(&self, id: &HostTask, outcome: &Outcome, no_log: bool) -> Option<String> {
        let action = self.tasks.get(&id.task).map_or("", |task| &task.action);
        let always = is_always_shown(outcome, action);
        let is_shown = outcome.status.is_bad() || always || self.options.verbosity > 0;
        if no_log && is_shown {
            return Some(python_json::one_line(&hidden(outcome)));
        }
        if outcome.status == Status::CannotKnow {
            let reason = outcome
                .result
                .cannot_know()
                .map(|reason| format!("({reason})"));
            return reason;
        }
        if !is_shown {
            return None;
        }
        let json = shown(&outcome.result, action, self.options.verbosity);
        Some(match always || self.options.verbosity >= 3 {
            true => python_json::indented(&json),
            false => python_json::one_line(&json),
        })
    }

    fn banner(&self, text: &str) -> String {
        let width = self.options.style.columns.clamp(20, 120).saturating_sub(1);
        let stars = width.saturating_sub(text.chars().count()).max(3);
        let banner = format!("{text} {}", "*".repeat(stars));
        self.options.style.paint(Meaning::Heading, &banner)
    }
}

fn word(status: Status) -> (Meaning, &'static str) {
    match status {
        Status::Ok => (Meaning::Ok, "ok"),
        Status::Changed => (Meaning::Changed, "changed"),
        Status::Skipped => (Meaning::Skipped, "skipping"),
        Status::CannotKnow => (Meaning::CannotKnow, "cannot know"),
        Status::Failed | Status::Unknown => (Meaning::Failed, "fatal"),
        Status::Unreachable => (Meaning::Unreachable, "fatal"),
    }
}
