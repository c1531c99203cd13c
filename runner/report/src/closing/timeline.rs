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
/// Where the run ends.
const EDGE: f64 = NAMES + WIDTH;
const ROW: f64 = 18.0;
const HEAD: f64 = 34.0;
/// Steps that did nothing are drawn from this share of the run on.
const NOTEWORTHY: f64 = 0.004;
/// Play names with less room than this are left out.
const PLAY_ROOM: f64 = 60.0;
/// What a letter of a play's name takes, on the average and on the safe side.
const LETTER: f64 = 5.0;
/// Room below the rows for the scale.
const FOOT: f64 = 20.0;

/// Draws the timeline; nothing for a run without steps.
pub(super) fn draw(closing: &Closing) -> String {
    let total = closing.elapsed.as_secs_f64().max(0.001);
    let rows = rows(closing);
    if rows.is_empty() {
        return String::new();
    }
    let bottom = HEAD + ROW * rows.len() as f64 + 4.0;
    let height = bottom + FOOT;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} {height:.0}\" role=\"img\" aria-label=\"timeline\">\n",
        EDGE + 30.0
    );
    let x = |at: Duration| NAMES + at.as_secs_f64() / total * WIDTH;
    plays(closing, &mut svg, bottom, &x);
    scale(closing, &mut svg, bottom, &x);
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
                    "<text x=\"14\" y=\"{:.1}\">{}</text><line class=\"row\" x1=\"{NAMES}\" x2=\"{EDGE}\" y1=\"{2:.1}\" y2=\"{2:.1}\"/>",
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

/// A line where each play begins, with as much of its name as has room before the next that is named.
fn plays(closing: &Closing, svg: &mut String, bottom: f64, x: &dyn Fn(Duration) -> f64) {
    let named = named(&closing.plays, x);
    for (index, (at, name)) in closing.plays.iter().enumerate() {
        let place = x(*at);
        let name = closing.masked(name);
        let _ = writeln!(
            svg,
            "<g><title>{}</title><line class=\"play\" x1=\"{place:.1}\" x2=\"{place:.1}\" y1=\"{}\" y2=\"{bottom:.0}\"/>",
            escape(&name),
            HEAD - 6.0
        );
        if let Some(at) = named.iter().position(|&(known, _)| known == index) {
            let next = named.get(at + 1).map_or(EDGE, |&(_, place)| place);
            let _ = write!(
                svg,
                "<text class=\"play\" x=\"{:.1}\" y=\"{}\">{}</text>",
                place + 2.0,
                HEAD - 10.0,
                escape(&cut(&name, next - place - 2.0 * LETTER))
            );
        }
        svg.push_str("</g>\n");
    }
}

/// The plays whose names are drawn, and where: none so near to the next, or to the edge, that nothing of it could be read.
fn named(plays: &[(Duration, String)], x: &dyn Fn(Duration) -> f64) -> Vec<(usize, f64)> {
    let mut named = Vec::new();
    let mut free = f64::MIN;
    for (index, (at, _)) in plays.iter().enumerate() {
        let place = x(*at);
        if place >= free && EDGE - place >= PLAY_ROOM {
            named.push((index, place));
            free = place + PLAY_ROOM;
        }
    }
    named
}

/// A text that needs no more than this room.
fn cut(text: &str, room: f64) -> String {
    let letters = text.chars().count();
    if letters as f64 * LETTER <= room {
        return text.to_owned();
    }
    let keeps = letters.min((room / LETTER) as usize).saturating_sub(1);
    let kept: String = text.chars().take(keeps).collect();
    format!("{}…", kept.trim_end())
}

/// Steps of the scale, in seconds.
const TICKS: [u64; 15] = [
    1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600,
];

/// How long the run had gone on, in at most ten steps that people count in.
fn scale(closing: &Closing, svg: &mut String, bottom: f64, x: &dyn Fn(Duration) -> f64) {
    let total = closing.elapsed.as_secs();
    let fits = |step: &&u64| total / **step <= 10;
    let step = TICKS.iter().find(fits).copied().unwrap_or(86_400);
    let marks = (1..=total / step).map(|count| Duration::from_secs(count * step));
    let end = marks.clone().next_back();
    for at in marks.chain(end.is_none().then_some(closing.elapsed)) {
        let place = x(at);
        let _ = writeln!(
            svg,
            "<line class=\"tick\" x1=\"{place:.1}\" x2=\"{place:.1}\" y1=\"{bottom:.0}\" y2=\"{:.0}\"/><text class=\"axis\" x=\"{place:.1}\" y=\"{:.0}\">{}</text>",
            bottom + 4.0,
            bottom + 14.0,
            round(at)
        );
    }
}

/// A time of the scale, without what is naught in it.
fn round(at: Duration) -> String {
    let (hours, minutes, seconds) = (
        at.as_secs() / 3600,
        at.as_secs() / 60 % 60,
        at.as_secs() % 60,
    );
    let parts = [(hours, "h"), (minutes, "min"), (seconds, "s")];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    match told.is_empty() {
        true => span(at),
        false => told.join(" "),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn names_of_plays_take_the_room_they_have() {
        let x = |at: Duration| NAMES + at.as_secs_f64() * 10.0;
        let plays: Vec<(Duration, String)> = [0, 1, 50, 99]
            .map(|second| (at(second), format!("play {second}")))
            .into();
        assert_eq!(named(&plays, &x), [(0, 150.0), (2, 650.0)]);
        assert_eq!(cut("MM-7 the source core", 500.0), "MM-7 the source core");
        assert_eq!(cut("MM-7 the source core", 50.0), "MM-7 the…");
    }

    #[test]
    fn the_scale_counts_as_people_do() {
        let told = [at(0), at(30), at(60), at(90), at(7200), at(5400)].map(round);
        assert_eq!(
            told,
            ["0.0 s", "30 s", "1 min", "1 min 30 s", "2 h", "1 h 30 min"]
        );
    }
}
