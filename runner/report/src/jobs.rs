//! The report of `sasrun ps`, `stop` and `logs`: jobs of hosts as a table, or what one wrote.

use sasrun_model::{Event, EventKind, Name, Outcome, Status, Value};

use crate::Mask;

/// What is shown of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobForm {
    /// All, as a table.
    Table,
    /// What one wrote.
    Log,
    /// One that was told to end.
    Stopped,
}

/// Turns the events of a look at jobs into lines of text.
pub struct JobLines {
    form: JobForm,
    mask: Mask,
    rows: Vec<[String; 7]>,
    is_unknown: bool,
}

const HEAD: [&str; 7] = ["HOST", "JOB", "STATE", "RC", "AGE", "STEP", "LAST LINE"];

impl JobLines {
    /// Begins a report.
    pub fn new(form: JobForm, mask: Mask) -> Self {
        Self {
            form,
            mask,
            rows: Vec::new(),
            is_unknown: false,
        }
    }

    /// Lines of an event, secrets masked; none for what is not shown.
    pub fn lines(&mut self, event: &Event) -> Vec<String> {
        let lines = match &event.kind {
            EventKind::HostProgress { line, .. } if self.form == JobForm::Log => {
                vec![line.clone()]
            }
            EventKind::HostFinished { id, outcome, .. } => {
                self.host(&id.host, outcome, event.at_ms / 1000)
            }
            EventKind::RunFinished { .. } => self.end(),
            _ => Vec::new(),
        };
        lines
            .iter()
            .map(|line| self.mask.apply(line).into_owned())
            .collect()
    }

    fn host(&mut self, host: &Name, outcome: &Outcome, now: u64) -> Vec<String> {
        if matches!(outcome.status, Status::Failed | Status::Unreachable) {
            let msg = outcome.result.get("msg").map(text).unwrap_or_default();
            return vec![format!("{host}: {msg}")];
        }
        let Some(Value::List(jobs)) = outcome.result.get("jobs") else {
            return Vec::new();
        };
        self.rows.extend(jobs.iter().map(|job| row(host, job, now)));
        Vec::new()
    }

    /// Whether the job that was named is on none of the hosts that answered.
    pub fn is_unknown(&self) -> bool {
        self.is_unknown
    }

    fn end(&mut self) -> Vec<String> {
        let rows = std::mem::take(&mut self.rows);
        self.is_unknown = rows.is_empty() && self.form != JobForm::Table;
        match self.form {
            JobForm::Log if rows.is_empty() => vec!["no host knows this job".to_owned()],
            JobForm::Log => Vec::new(),
            JobForm::Stopped if rows.is_empty() => vec!["no host knows this job".to_owned()],
            JobForm::Stopped => rows
                .iter()
                .map(|[host, job, state, ..]| format!("{host}: {job} {state}"))
                .collect(),
            JobForm::Table if rows.is_empty() => vec!["no jobs on these hosts".to_owned()],
            JobForm::Table => table(&rows),
        }
    }
}

fn row(host: &Name, job: &Value, now: u64) -> [String; 7] {
    let word = |name: &str| job.get(name).map(text).unwrap_or_default();
    let seconds = |name: &str| word(name).parse::<u64>().ok();
    let until = seconds("ended_at").unwrap_or(now);
    let age = seconds("started_at").map(|started| age(until.saturating_sub(started)));
    let mut state = word("state");
    if word("stopped") == "true" {
        state.push_str(" (stopped)");
    }
    [
        host.to_string(),
        word("id"),
        state,
        word("rc"),
        age.unwrap_or_default(),
        word("step"),
        word("last_line"),
    ]
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Bool(true) => "true".to_owned(),
        _ => String::new(),
    }
}

/// A span as a person reads it: `3h12m`, `4m05s`, `9s`.
fn age(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

fn table(rows: &[[String; 7]]) -> Vec<String> {
    let head = HEAD.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let width = |column: usize| {
        let cells = all().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    all()
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{age, table};

    #[test]
    fn spans_are_short() {
        assert_eq!([age(9), age(245), age(11_520)], ["9s", "4m05s", "3h12m"]);
    }

    #[test]
    fn columns_stand_below_each_other() {
        let row = ["h1", "r.1", "running", "", "9s", "h1:p/1", "half done"].map(str::to_owned);
        let lines = table(&[row]);
        assert_eq!(lines[0], "HOST  JOB  STATE    RC  AGE  STEP    LAST LINE");
        assert_eq!(lines[1], "h1    r.1  running      9s   h1:p/1  half done");
    }
}
