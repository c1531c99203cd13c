//! The closing report as text.

use super::sections::Drawn;
use super::{Closing, span};
use crate::style::{Meaning, Style};

impl Closing {
    /// Whether there is anything to tell besides the recap.
    pub fn is_worth_telling(&self) -> bool {
        !self.sections.is_empty()
            || !self.findings.is_empty()
            || !self.questions.is_empty()
            || !self.gates.is_empty()
    }

    /// The report, secrets masked; none if the recap has said all.
    pub fn lines(&self, style: Style) -> Vec<String> {
        if !self.is_worth_telling() {
            return Vec::new();
        }
        let mut lines = vec![String::new(), heading(style, "CLOSING REPORT")];
        let mut part = |title: &str, body: Vec<String>| {
            if !body.is_empty() {
                lines.push(style.paint(Meaning::Heading, &self.masked(title)));
                lines.extend(
                    body.iter()
                        .map(|line| format!("  {}", self.masked(line)).trim_end().to_owned()),
                );
            }
        };
        for (title, drawn) in self.sections.drawn() {
            part(title, section(drawn));
        }
        part("Findings", self.finding_lines());
        part("Gates", self.gate_lines());
        part("What went wrong", self.bad_lines());
        lines
    }

    fn finding_lines(&self) -> Vec<String> {
        let line = |finding: &super::Finding| match &finding.host {
            Some(host) => format!("{} [{host}]: {}", finding.id, finding.sentence),
            None => format!("{}: {}", finding.id, finding.sentence),
        };
        let mut lines: Vec<String> = self.findings.iter().map(line).collect();
        lines.dedup();
        lines
    }

    fn gate_lines(&self) -> Vec<String> {
        let answered = self.gates.iter().map(|gate| {
            let why = if gate.reason.is_empty() {
                String::new()
            } else {
                format!(": {}", gate.reason)
            };
            format!(
                "{}: {} by {} after {}{why}",
                gate.id,
                gate.answer,
                gate.by,
                span(gate.at)
            )
        });
        let open = self
            .open_gates()
            .map(|(id, text)| format!("{id}: not answered: {text}"));
        answered.chain(open).collect()
    }

    fn bad_lines(&self) -> Vec<String> {
        self.bad()
            .map(|step| {
                format!(
                    "{}: {}: {} {}",
                    step.host,
                    step.task,
                    word(step.status),
                    step.message
                )
            })
            .collect()
    }
}

fn word(status: sasrun_model::Status) -> &'static str {
    match status {
        sasrun_model::Status::Unknown => "outcome unknown,",
        sasrun_model::Status::Unreachable => "unreachable,",
        _ => "failed,",
    }
}

fn heading(style: Style, text: &str) -> String {
    let width = style.columns.clamp(20, 120).saturating_sub(1);
    let stars = width.saturating_sub(text.chars().count() + 1).max(3);
    style.paint(Meaning::Heading, &format!("{text} {}", "*".repeat(stars)))
}

fn section(drawn: Drawn) -> Vec<String> {
    let (columns, rows) = match drawn {
        Drawn::Lines(lines) => return lines,
        Drawn::Table { columns, rows } => (columns, rows),
    };
    let mut all: Vec<&Vec<String>> = Vec::new();
    if !columns.is_empty() {
        all.push(&columns);
    }
    all.extend(&rows);
    let count = all.iter().map(|row| row.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|at| {
            all.iter()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    all.iter()
        .map(|row| {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}
