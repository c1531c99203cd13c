//! `sassoak`: trials of reliability at any size, one line each.
#![expect(clippy::print_stdout, reason = "it prints its results")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sasrun_soak::{Bench, Report, TRIALS};

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

    /// Only these trials, by id.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    only: Vec<String>,

    /// Seed of a single one, as a failure names it.
    #[arg(long, value_name = "SEED")]
    again: Option<u64>,

    /// Where the progress is kept.
    #[arg(long, value_name = "FILE", default_value = "target/soak/progress.json")]
    progress: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let program = std::path::absolute(&arguments.sasrun).unwrap_or(arguments.sasrun.clone());
    let bench = Bench { program };
    let mut report = match Report::open(&arguments.progress, arguments.seed) {
        Ok(report) => report,
        Err(error) => {
            println!("{}: {error}", arguments.progress.display());
            return ExitCode::FAILURE;
        }
    };
    let mut all_passed = true;
    for trial in TRIALS {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|id| id == trial.id) {
            continue;
        }
        let id = trial.id;
        if let Some(seed) = arguments.again {
            match (trial.once)(&bench, seed) {
                Ok(()) => println!("{id} pass 1 of 1, seed of it {seed}"),
                Err(failure) => {
                    all_passed = false;
                    println!("{id} FAIL {failure}");
                }
            }
            continue;
        }
        let count = scaled(trial.full_count, arguments.size);
        match report.run(&trial, &bench, count) {
            Ok(()) => println!("{id} pass {count} of {count}, seed {}", arguments.seed),
            Err((seed, failure)) => {
                all_passed = false;
                println!("{id} FAIL {failure} (do it again: --only {id} --again {seed})");
            }
        }
    }
    if !all_passed {
        return ExitCode::FAILURE;
    }
    if arguments.again.is_none()
        && let Err(error) = report.finish()
    {
        println!("{}: {error}", arguments.progress.display());
    }
    ExitCode::SUCCESS
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are small and positive"
)]
fn scaled(full: u32, size: f64) -> u32 {
    ((f64::from(full) * size).ceil() as u32).max(1)
}
