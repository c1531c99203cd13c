//! `scenarios [ID...]`: stages scenarios of the upgrade in the lab, prints a line for each, and counts.
//!
//! `--keep FOLDER` keeps the output and the lab's log of every run that was wrong. `--jobs N` stages so many at
//! once, each in a lab of its own; they mostly wait, so twice the processors is usual.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use sasrun_scenarios::case::Case;
use sasrun_scenarios::scene::Programs;
use sasrun_scenarios::staging::{self, Staged};

/// How many scenarios there are, staged or not.
const ALL: usize = 131;

/// What is asked for.
struct Wanted {
    ids: Vec<String>,
    keep: Option<PathBuf>,
    jobs: usize,
}

fn main() -> ExitCode {
    let mut wanted = Wanted {
        ids: Vec::new(),
        keep: None,
        jobs: 2 * std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--keep" {
            wanted.keep = args.next().map(PathBuf::from);
        } else if arg == "--jobs" {
            let Some(jobs) = args.next().and_then(|jobs| jobs.parse().ok()) else {
                say("scenarios: --jobs takes a number");
                return ExitCode::from(3);
            };
            wanted.jobs = jobs;
        } else {
            wanted.ids.push(arg);
        }
    }
    match all(&wanted) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("scenarios: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn all(wanted: &Wanted) -> Result<bool> {
    let programs = Programs::find()?;
    let cases = cases(&programs.root.join("tests/scenarios/cases"))?;
    for id in &wanted.ids {
        if !cases.contains_key(id.as_str()) {
            say(&format!("{id} is not staged"));
        }
    }
    let staged: Vec<(&String, &Case)> = cases
        .iter()
        .filter(|(id, _)| wanted.ids.is_empty() || wanted.ids.contains(id))
        .collect();
    let (next, fails) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs.clamp(1, staged.len().max(1)) {
            scope.spawn(|| {
                while let Some((id, case)) = staged.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !stage(&programs, wanted, id, case) {
                        fails.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let fail = fails.into_inner();
    let pass = staged.len() - fail;
    say(&format!(
        "{pass} of {ALL} pass, {fail} fail, {} not staged",
        ALL - pass - fail
    ));
    Ok(fail == 0)
}

/// Stages one case and prints its line; true when it passed.
fn stage(programs: &Programs, wanted: &Wanted, id: &str, case: &Case) -> bool {
    let began = Instant::now();
    let (causes, measured) = case_causes(programs, wanted, id, case);
    let took = began.elapsed().as_secs_f64();
    match causes.is_empty() {
        true => say(&format!("{id} pass {took:.1}s{measured}")),
        false => say(&format!("{id} FAIL {}", causes.join("; "))),
    }
    causes.is_empty()
}

/// Cases by their ids, in the order of the numbers.
fn cases(folder: &Path) -> Result<BTreeMap<String, Case>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().context("a case without a name")?;
        found.insert(stem.to_string_lossy().into_owned(), Case::read(&path)?);
    }
    Ok(found)
}

/// What was wrong with a case, and what was measured.
fn case_causes(
    programs: &Programs,
    wanted: &Wanted,
    id: &str,
    case: &Case,
) -> (Vec<String>, String) {
    let (mut causes, mut figures) = (Vec::new(), String::new());
    for variant in &case.variants {
        let keep = wanted.keep.as_deref().map(|folder| (folder, id));
        let staged = staging::stage(programs, variant, keep).unwrap_or_else(|error| Staged {
            causes: vec![format!("{error:#}")],
            measured: None,
        });
        if let Some(measured) = &staged.measured {
            figures.push_str(&format!("; {}: {measured}", variant.name));
        }
        let several = case.variants.len() > 1;
        causes.extend(staged.causes.into_iter().map(|cause| match several {
            true => format!("{}: {cause}", variant.name),
            false => cause,
        }));
    }
    (causes, figures)
}

#[expect(
    clippy::print_stdout,
    reason = "the lines are what this program is for"
)]
fn say(line: &str) {
    println!("{line}");
}
