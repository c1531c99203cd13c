//! `sasrun runs`: the runs that are kept, one a line.

use std::path::Path;

use sasrun_journal::{ReadError, Recovered, RunDirectory, read};
use sasrun_model::{EventKind, RunMode};

use crate::args::RunsArguments;
use crate::{output, settings};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &RunsArguments) -> anyhow::Result<u8> {
    let state = settings::kept_runs()?;
    let runs = RunDirectory::list(&state);
    if runs.is_empty() {
        output::line(&format!("no runs are kept in {}", state.display()));
        return Ok(0);
    }
    let left_out = match arguments.last {
        0 => 0,
        last => runs.len().saturating_sub(last),
    };
    let rows: Vec<[String; 6]> =
        std::iter::once(["RUN", "BEGAN", "MODE", "STATE", "EXIT", "PLAYBOOK"].map(str::to_owned))
            .chain(runs.iter().skip(left_out).map(row))
            .collect();
    table(&rows).iter().for_each(|line| output::line(line));
    if left_out > 0 {
        output::line(&format!(
            "{left_out} older; `sasrun runs -n 0` lists all of them"
        ));
    }
    Ok(0)
}

fn row(run: &RunDirectory) -> [String; 6] {
    let id = run.run().to_owned();
    let none = || "-".to_owned();
    match read(&run.journal()) {
        Ok(found) => {
            let (state, code) = state(run, &found);
            let mode = match found.header.mode {
                RunMode::Apply => "apply",
                RunMode::Check => "check",
            };
            [
                id,
                when(found.header.started_at_ms),
                mode.to_owned(),
                state.to_owned(),
                code.map_or_else(none, |code| code.to_string()),
                playbooks(&found),
            ]
        }
        Err(error) => {
            let state = match error {
                ReadError::NewerFormat { .. } => "newer format",
                ReadError::Damaged { .. } => "damaged",
                ReadError::NotBegun { .. } => "not begun",
                _ => "unreadable",
            };
            [id, none(), none(), state.to_owned(), none(), none()]
        }
    }
}

/// How a run stands, and its exit code if it ended.
pub(super) fn state(run: &RunDirectory, found: &Recovered) -> (&'static str, Option<u8>) {
    // What is written while a process has the file is not its last word.
    if run.is_running() {
        return ("running", None);
    }
    let last = found.records.iter().rev().map(|record| &record.event.kind);
    let end = last
        .take_while(|kind| !matches!(kind, EventKind::RunResumed { .. }))
        .find_map(|kind| match kind {
            EventKind::RunFinished { exit_code, .. } => Some(*exit_code),
            _ => None,
        });
    match end {
        None => ("interrupted", None),
        Some(0) => ("finished", Some(0)),
        Some(code @ (6 | 7)) => ("paused", Some(code)),
        Some(code @ 128..) => ("stopped", Some(code)),
        Some(code @ (5 | 8)) => ("refused", Some(code)),
        Some(code) => ("failed", Some(code)),
    }
}

/// Local date and time of milliseconds since 1970.
pub(crate) fn when(at_ms: u64) -> String {
    let at = i64::try_from(at_ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    match at {
        Some(at) => at
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        None => "-".to_owned(),
    }
}

fn playbooks(found: &Recovered) -> String {
    let names = found
        .records
        .iter()
        .find_map(|record| match &record.event.kind {
            EventKind::RunStarted { playbooks, .. } => Some(playbooks),
            _ => None,
        });
    let names = names.into_iter().flatten().map(|path| {
        let name = Path::new(path).file_name();
        name.map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned())
    });
    names.collect::<Vec<_>>().join(" ")
}

/// Rows with their columns below each other.
fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(widths);
            let line: String = cells
                .map(|(cell, width)| format!("{cell:width$}  "))
                .collect();
            line.trim_end().to_owned()
        })
        .collect()
}
