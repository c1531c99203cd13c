//! The closing report as one page that needs nothing else: for people who were not there.

use std::fmt::Write as _;

use sasrun_model::Status;

use super::sections::Drawn;
use super::{Closing, Step, span, timeline};

const STYLE: &str = include_str!("page.css");

/// Steps that are listed at most; more are counted.
const MOST_STEPS: usize = 2000;

impl Closing {
    /// The page; `began` is the moment of the run's beginning as people of the place write it.
    pub fn html(&self, began: &str) -> String {
        let title = match self.playbooks.as_slice() {
            [] => "Run".to_owned(),
            paths => paths
                .iter()
                .map(|path| path.rsplit('/').next().unwrap_or(path))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let title = self.shown(&title);
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}: {}</title>\n<style>\n{STYLE}</style>\n<main>\n",
            self.word()
        );
        self.head(&mut page, &title, began);
        self.tiles(&mut page);
        self.section(&mut page, "Timeline", &self.timeline());
        self.section(&mut page, "What went wrong", &steps(self, self.bad()));
        for (title, drawn) in self.sections.drawn() {
            self.section(&mut page, &self.shown(title), &self.drawn(drawn));
        }
        self.section(&mut page, "Findings", &self.findings_table());
        self.section(&mut page, "Gates: who approved what", &self.gates_table());
        let changed = steps(self, self.changed());
        if !changed.is_empty() {
            let count = self.changed().count();
            let body = format!("<details><summary>{count} steps</summary>\n{changed}</details>\n");
            self.section(&mut page, "What was changed", &body);
        }
        self.section(&mut page, "Hosts", &self.hosts_table());
        page.push_str("</main>\n</html>\n");
        page
    }

    fn shown(&self, text: &str) -> String {
        escape(&self.masked(text))
    }

    fn head(&self, page: &mut String, title: &str, began: &str) {
        let word = self.word();
        let class = match word {
            "a decision is needed" => "unknown",
            other => other,
        };
        let _ = writeln!(
            page,
            "<header><h1>{title}</h1><span class=\"state {class}\">{word}</span></header>"
        );
        let limit = self
            .limit
            .as_ref()
            .map(|limit| format!(" · only {}", self.shown(limit)))
            .unwrap_or_default();
        let mode = if self.mode == sasrun_model::RunMode::Check {
            " · check mode, nothing was changed"
        } else {
            ""
        };
        let _ = writeln!(
            page,
            "<p class=\"facts\">run {} · began {} · {}{limit}{mode}</p>",
            self.shown(&self.run),
            escape(began),
            span(self.elapsed)
        );
        if let Some((code @ 1.., reason)) = &self.end {
            let _ = writeln!(
                page,
                "<p class=\"reason\">exit {code}: {}</p>",
                self.shown(reason)
            );
        }
        for reason in &self.stops {
            let _ = writeln!(
                page,
                "<p class=\"reason\">stopped: {}</p>",
                self.shown(reason)
            );
        }
    }

    fn tiles(&self, page: &mut String) {
        let unknown = self
            .bad()
            .filter(|step| step.status == Status::Unknown)
            .count();
        let failed = self.bad().count() - unknown;
        let mut hosts: Vec<&str> = self.steps.iter().map(|step| step.host.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let tiles = [
            ("", hosts.len(), "hosts"),
            ("changed", self.changed().count(), "steps changed something"),
            ("failed", failed, "steps failed"),
            ("unknown", unknown, "outcomes unknown"),
            ("", self.findings.len(), "findings"),
            ("", self.gates.len(), "gates answered"),
        ];
        page.push_str("<div class=\"tiles\">\n");
        for (class, count, name) in tiles {
            let class = if count > 0 { class } else { "" };
            let _ = writeln!(
                page,
                "<div class=\"tile {class}\"><b>{count}</b><span>{name}</span></div>"
            );
        }
        page.push_str("</div>\n");
    }

    fn section(&self, page: &mut String, title: &str, body: &str) {
        if !body.is_empty() {
            let _ = write!(
                page,
                "<h2>{title}</h2>\n<div class=\"card\">\n{body}</div>\n"
            );
        }
    }

    fn timeline(&self) -> String {
        let drawing = timeline::draw(self);
        if drawing.is_empty() {
            return drawing;
        }
        let legend: String = [
            ("#d99a1c", "changed"),
            ("#b6c2cf", "took its time"),
            ("#c62f2f", "failed"),
            ("#7c3aed", "unknown"),
            ("#e8a3a3", "failed, and the run went on"),
        ]
        .iter()
        .map(|(colour, name)| format!("<i style=\"background:{colour}\"></i>{name}"))
        .collect();
        format!("{drawing}<div class=\"legend\">{legend}</div>\n")
    }

    fn drawn(&self, drawn: Drawn) -> String {
        match drawn {
            Drawn::Lines(lines) => {
                let items: String = lines
                    .iter()
                    .map(|line| format!("<li>{}</li>\n", self.shown(line)))
                    .collect();
                format!("<ul>\n{items}</ul>\n")
            }
            Drawn::Table { columns, rows } => {
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let cells = |row: &Vec<String>| row.iter().map(|cell| self.shown(cell)).collect();
                table(&columns, rows.iter().map(cells).collect())
            }
        }
    }

    fn findings_table(&self) -> String {
        let row = |finding: &super::Finding| {
            let host = finding.host.as_deref().unwrap_or_default();
            vec![
                self.shown(&finding.id),
                self.shown(host),
                self.shown(&finding.sentence),
            ]
        };
        let mut rows: Vec<Vec<String>> = self.findings.iter().map(row).collect();
        rows.dedup();
        table(&["Id", "Host", "What"], rows)
    }

    fn gates_table(&self) -> String {
        let row = |gate: &super::Gate| {
            [
                &gate.id,
                &gate.question,
                &gate.answer,
                &gate.by,
                &gate.reason,
                &format!("after {}", span(gate.at)),
            ]
            .map(|cell| self.shown(cell))
            .to_vec()
        };
        let mut rows: Vec<Vec<String>> = self.gates.iter().map(row).collect();
        rows.extend(self.open_gates().map(|(id, text)| {
            [id.as_str(), text, "not answered", "", "", ""]
                .map(|cell| self.shown(cell))
                .to_vec()
        }));
        table(&["Gate", "Question", "Answer", "By", "Note", "When"], rows)
    }

    fn hosts_table(&self) -> String {
        let row = |host: &sasrun_model::HostFigures| {
            let figures = [
                host.ok,
                host.changed,
                host.failed,
                host.unreachable,
                host.skipped,
                host.rescued,
                host.ignored,
            ];
            let mut row = vec![self.shown(&host.host)];
            row.extend(figures.iter().map(u32::to_string));
            row
        };
        let columns = [
            "Host",
            "ok",
            "changed",
            "failed",
            "unreachable",
            "skipped",
            "rescued",
            "ignored",
        ];
        table(&columns, self.figures.iter().map(row).collect())
    }
}

/// Steps as a table.
fn steps<'a>(closing: &Closing, steps: impl Iterator<Item = &'a Step>) -> String {
    let row = |step: &Step| {
        let word = word(step.status);
        let class = match step.status {
            Status::Unknown => "unknown",
            Status::Changed => "changed",
            _ => "failed",
        };
        vec![
            format!("after {}", span(step.from)),
            closing.shown(&step.host),
            closing.shown(&step.task),
            format!(
                "<span class=\"word {class}\">{word}</span> {}",
                closing.shown(&step.message)
            ),
        ]
    };
    let mut rows: Vec<Vec<String>> = steps.map(row).collect();
    let left = rows.len().saturating_sub(MOST_STEPS);
    rows.truncate(MOST_STEPS);
    let mut text = table(&["When", "Host", "Step", "What came of it"], rows);
    if left > 0 {
        let _ = writeln!(text, "<p>{left} more</p>");
    }
    text
}

/// A table of cells that are escaped already; empty without rows.
fn table(columns: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = String::from("<table>\n");
    if !columns.is_empty() {
        let head: String = columns
            .iter()
            .map(|column| format!("<th>{}</th>", escape(column)))
            .collect();
        let _ = writeln!(text, "<tr>{head}</tr>");
    }
    for row in rows {
        let cells: String = row.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        let _ = writeln!(text, "<tr>{cells}</tr>");
    }
    text.push_str("</table>\n");
    text
}

pub(super) fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Changed => "changed",
        Status::Skipped => "skipped",
        Status::CannotKnow => "cannot know",
        Status::Failed => "failed",
        Status::Unreachable => "unreachable",
        Status::Unknown => "outcome unknown",
    }
}

/// Text as it may stand in a page.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
