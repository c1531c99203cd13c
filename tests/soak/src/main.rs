//! `sassoak`: trials of reliability at any size, one line each.
#![expect(clippy::print_stdout, reason = "it prints its results")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sasrun_soak::{Bench, Failed, Part, Report, TRIALS, Trial, Turn};

/// Disturbs runs at random, and tells what did not hold.
#[derive(Debug, Parser)]
#[command(name = "sassoak", version)]
struct Arguments {
    /// The program under test.
    #[arg(long, value_name = "PROGRAM")]
    sasrun: PathBuf,

    /// Part of the full size.
    #[arg(long, value_name = "PART", default_value_t = 1.0)]
    size: f64,

    /// Seed of all chance.
    #[arg(long, value_name = "SEED", default_value_t = 7)]
    seed: u64,

    /// Only these trials, or parts of trials, by id.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    only: Vec<String>,

    /// A single turn, as a failure names it.
    #[arg(long, value_name = "NUMBER")]
    turn: Option<u32>,

    /// The source tree whose playbooks upgrade the mesh, if not the one that this was built from.
    #[arg(long, value_name = "FOLDER")]
    source: Option<PathBuf>,

    /// Where the progress is kept.
    #[arg(long, value_name = "FILE", default_value = "target/soak/progress.json")]
    progress: PathBuf,
}

impl Arguments {
    /// The parts of a trial that are wanted.
    fn parts(&self, trial: &Trial) -> Vec<&'static Part> {
        let is_wanted = |id: &str| self.only.is_empty() || self.only.iter().any(|only| only == id);
        let parts = trial.parts.iter();
        parts
            .filter(|part| is_wanted(trial.id) || is_wanted(part.id))
            .collect()
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let program = std::path::absolute(&arguments.sasrun).unwrap_or(arguments.sasrun.clone());
    let bench = Bench {
        program,
        size: arguments.size,
        source: arguments.source.clone(),
        evidence: arguments.progress.with_file_name("evidence"),
    };
    let mut report = match Report::open(&arguments.progress, arguments.seed, arguments.size) {
        Ok(report) => report,
        Err(error) => {
            println!("{}: {error}", arguments.progress.display());
            return ExitCode::FAILURE;
        }
    };
    let mut all_passed = true;
    for trial in TRIALS {
        let parts = arguments.parts(&trial);
        if parts.is_empty() {
            continue;
        }
        let passed = match arguments.turn {
            Some(number) => one_turn(&parts, &bench, Turn::new(number, arguments.seed)),
            None => all_turns(&trial, &parts, &bench, &mut report, arguments.seed),
        };
        all_passed &= passed;
    }
    if !all_passed {
        return ExitCode::FAILURE;
    }
    let is_whole = arguments.turn.is_none() && arguments.only.is_empty();
    if is_whole && let Err(error) = report.finish() {
        println!("{}: {error}", arguments.progress.display());
    }
    ExitCode::SUCCESS
}

/// Does all turns of a trial that are left, and prints its line.
fn all_turns(
    trial: &Trial,
    parts: &[&Part],
    bench: &Bench,
    report: &mut Report,
    seed: u64,
) -> bool {
    let mut total = 0;
    let mut told = Vec::new();
    for part in parts {
        let began = Instant::now();
        let count = part.count(bench.size);
        if let Err(failed) = report.run(part, bench, count) {
            tell(trial.id, part, &failed, seed);
            return false;
        }
        total += count * part.each;
        let what = (part.what)(bench.size);
        let took_s = began.elapsed().as_secs();
        told.push(format!("{} {what} ({took_s} s)", count * part.each));
    }
    println!(
        "{} pass {total} of {total}, seed {seed}: {}",
        trial.id,
        told.join(", ")
    );
    true
}

/// Does one turn of each part.
fn one_turn(parts: &[&Part], bench: &Bench, turn: Turn) -> bool {
    let mut all_passed = true;
    for part in parts {
        let done = (part.begin)(bench).and_then(|mut stage| stage.once(turn));
        match done {
            Ok(()) => println!("{} pass turn {}", part.id, turn.number),
            Err(failure) => {
                all_passed = false;
                println!("{} FAIL {failure}", part.id);
            }
        }
    }
    all_passed
}

/// One line for a failure, and below it, set in, what was said.
fn tell(id: &str, part: &Part, failed: &Failed, seed: u64) {
    let text = failed.failure.to_string();
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let again = failed.turn.map_or_else(String::new, |turn| {
        let number = turn.number;
        format!(
            " (do it again: --only {} --seed {seed} --turn {number})",
            part.id
        )
    });
    println!("{id} FAIL {first}{again}");
    lines.for_each(|line| println!("    {line}"));
}
