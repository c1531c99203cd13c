//! `scenarios [ID...]`: stages scenarios of the upgrade in the lab, prints a line for each, and counts.
//!
//! `--keep FOLDER` keeps the output and the lab's log of every run that was wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use sasrun_scenarios::case::{Case, Variant};
use sasrun_scenarios::judge;
use sasrun_scenarios::scene::{Outcome, Programs, Scene};

/// How many scenarios there are, staged or not.
const ALL: usize = 131;

/// What is asked for.
struct Wanted {
    ids: Vec<String>,
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut wanted = Wanted {
        ids: Vec::new(),
        keep: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--keep" {
            wanted.keep = args.next().map(PathBuf::from);
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
    let (mut pass, mut fail) = (0, 0);
    for (id, case) in &cases {
        if !wanted.ids.is_empty() && !wanted.ids.contains(id) {
            continue;
        }
        let began = Instant::now();
        let causes = case_causes(&programs, wanted, id, case);
        if causes.is_empty() {
            pass += 1;
            say(&format!("{id} pass {:.1}s", began.elapsed().as_secs_f64()));
        } else {
            fail += 1;
            say(&format!("{id} FAIL {}", causes.join("; ")));
        }
    }
    say(&format!(
        "{pass} of {ALL} pass, {fail} fail, {} not staged",
        ALL - pass - fail
    ));
    Ok(fail == 0)
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

fn case_causes(programs: &Programs, wanted: &Wanted, id: &str, case: &Case) -> Vec<String> {
    let mut causes = Vec::new();
    for variant in &case.variants {
        let found = variant_causes(programs, wanted, id, variant)
            .unwrap_or_else(|error| vec![format!("{error:#}")]);
        let several = case.variants.len() > 1;
        causes.extend(found.into_iter().map(|cause| match several {
            true => format!("{}: {cause}", variant.name),
            false => cause,
        }));
    }
    causes
}

fn variant_causes(
    programs: &Programs,
    wanted: &Wanted,
    id: &str,
    variant: &Variant,
) -> Result<Vec<String>> {
    let mut scene = Scene::set(programs, variant)?;
    let mut causes = Vec::new();
    for (number, run) in std::iter::once(&variant.run)
        .chain(&variant.then)
        .enumerate()
    {
        let outcome = scene.run(run)?;
        let found = judge::complaints(&scene, variant, &run.expect, &outcome)?;
        if let Some(folder) = wanted.keep.as_deref().filter(|_| !found.is_empty()) {
            keep(
                folder,
                &format!("{id}.{}.{number}", variant.name),
                &scene,
                &outcome,
            )?;
        }
        causes.extend(found.into_iter().map(|cause| match number {
            0 => cause,
            _ => format!("run {}: {cause}", number + 1),
        }));
    }
    Ok(causes)
}

fn keep(folder: &Path, name: &str, scene: &Scene, outcome: &Outcome) -> Result<()> {
    let name = name.replace([' ', '/'], "-");
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(format!("{name}.out")), &outcome.output)?;
    std::fs::copy(
        scene.lab.state.events(),
        folder.join(format!("{name}.jsonl")),
    )?;
    let changes = outcome.before.differences(&outcome.after).join("\n");
    std::fs::write(folder.join(format!("{name}.changes")), changes)?;
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the lines are what this program is for"
)]
fn say(line: &str) {
    println!("{line}");
}
