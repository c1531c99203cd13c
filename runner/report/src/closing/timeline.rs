//! The timeline of a run as a drawing: a row for each host, a bar for each step that changed something, ended badly, or
//! took its time.

use std::fmt::Write as _;
use std::time::Duration;

use sasrun_model::Status;

use super::page::escape;
use super::{Closing, Step, span};

/// Width of the drawing without the names, in its own units.
const WIDTH: f64 = 1000.0;
const NAMES: f64 = 150.0;
const ROW: f64 = 18.0;
const HEAD: f64 = 34.0;
/// Steps that did nothing are drawn from this share of the run on.
const NOTEWORTHY: f64 = 0.004;
/// Play names closer than this to the one before are left out.
const PLAY_GAP: f64 = 90.0;

/// Draws the timeline; nothing for a run without steps.
pub(super) fn draw(closing: &Closing) -> String {
    let total = closing.elapsed.as_secs_f64().max(0.001);
    let rows = rows(closing);
    if rows.is_empty() {
        return String::new();
    }
    let height = HEAD + ROW * rows.len() as f64 + 8.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} {height:.0}\" role=\"img\" aria-label=\"timeline\">\n",
        NAMES + WIDTH + 10.0
    );
    let x = |at: Duration| NAMES + at.as_secs_f64() / total * WIDTH;
    plays(closing, &mut svg, height, &x);
    for (at, row) in rows.iter().enumerate() {
        let y = HEAD + ROW * at as f64;
        match row {
            Row::Group(name) => {
                let _ = writeln!(
                    svg,
                    "<text class=\"group\" x=\"4\" y=\"{:.1}\">{}</text>",
                    y + 13.0,
                    escape(&closing.masked(name))
                );
            }
            Row::Host(name) => {
                let _ = writeln!(
                    svg,
                    "<text x=\"14\" y=\"{:.1}\">{}</text><line class=\"row\" x1=\"{NAMES}\" x2=\"{}\" y1=\"{2:.1}\" y2=\"{2:.1}\"/>",
                    y + 13.0,
                    escape(name),
                    y + ROW / 2.0,
                );
                bars(closing, name, y, total, &x, &mut svg);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

enum Row {
    Group(String),
    Host(String),
}

/// Hosts in groups where a section parts them, otherwise as they came.
fn rows(closing: &Closing) -> Vec<Row> {
    let mut hosts: Vec<String> = Vec::new();
    for step in &closing.steps {
        if !hosts.contains(&step.host) {
            hosts.push(step.host.clone());
        }
    }
    let mut rows = Vec::new();
    for (group, names) in closing.sections.groups(&hosts) {
        let here: Vec<&String> = names.iter().filter(|name| hosts.contains(name)).collect();
        if !here.is_empty() {
            rows.push(Row::Group(group));
            rows.extend(here.into_iter().map(|name| Row::Host(name.clone())));
        }
    }
    let drawn = |rows: &[Row], host: &String| {
        rows.iter()
            .any(|row| matches!(row, Row::Host(name) if name == host))
    };
    for host in &hosts {
        if !drawn(&rows, host) {
            rows.push(Row::Host(host.clone()));
        }
    }
    rows
}

/// A line where each play begins, with its name where there is room.
fn plays(closing: &Closing, svg: &mut String, height: f64, x: &dyn Fn(Duration) -> f64) {
    let mut last = f64::MIN;
    for (at, name) in &closing.plays {
        let place = x(*at);
        let name = closing.masked(name);
        let _ = writeln!(
            svg,
            "<g><title>{}</title><line class=\"play\" x1=\"{place:.1}\" x2=\"{place:.1}\" y1=\"{}\" y2=\"{height:.0}\"/>",
            escape(&name),
            HEAD - 6.0
        );
        if place - last > PLAY_GAP {
            let short: String = name.chars().take(14).collect();
            let _ = write!(
                svg,
                "<text class=\"play\" x=\"{:.1}\" y=\"{}\">{}</text>",
                place + 2.0,
                HEAD - 10.0,
                escape(&short)
            );
            last = place;
        }
        svg.push_str("</g>\n");
    }
    let _ = writeln!(
        svg,
        "<text class=\"axis\" x=\"{}\" y=\"10\">{}</text>",
        NAMES + WIDTH - 60.0,
        span(closing.elapsed)
    );
}

fn bars(
    closing: &Closing,
    host: &str,
    y: f64,
    total: f64,
    x: &dyn Fn(Duration) -> f64,
    svg: &mut String,
) {
    let takes_time =
        |step: &Step| (step.to - step.from.min(step.to)).as_secs_f64() / total >= NOTEWORTHY;
    let is_drawn = |step: &&Step| {
        step.host == host
            && step.status != Status::Skipped
            && (step.status == Status::Changed || step.status.is_bad() || takes_time(step))
    };
    for step in closing.steps.iter().filter(is_drawn) {
        let width = (x(step.to) - x(step.from)).max(1.5);
        let took = step.to.saturating_sub(step.from);
        let _ = writeln!(
            svg,
            "<rect class=\"{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{}\" rx=\"1.5\"><title>{}: {}, {} after {}</title></rect>",
            class(step),
            x(step.from),
            y + 3.0,
            ROW - 6.0,
            escape(&closing.masked(&step.task)),
            super::page::word(step.status),
            span(took),
            span(step.from),
        );
    }
}

fn class(step: &Step) -> &'static str {
    match step.status {
        _ if step.is_forgiven => "forgiven",
        Status::Changed => "changed",
        Status::Failed | Status::Unreachable => "failed",
        Status::Unknown => "unknown",
        Status::CannotKnow => "cannot",
        Status::Ok | Status::Skipped => "ok",
    }
}
