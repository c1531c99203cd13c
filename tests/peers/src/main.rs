//! `saspeers`: sasrun beside a real ansible-core, one line of figures for each comparison.
#![expect(clippy::print_stdout, reason = "it prints its results")]

mod corpus;
mod peer;
mod precedence;
mod vault;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use peer::Peers;

/// Compares sasrun with a real ansible-core.
#[derive(Debug, Parser)]
#[command(name = "saspeers", version)]
struct Arguments {
    #[command(subcommand)]
    comparison: Comparison,
}

#[derive(Debug, Subcommand)]
enum Comparison {
    /// Files and strings that one seals and the other opens.
    Vault(Programs),
    /// Which of several definitions of a variable holds, on generated inventories and plays.
    Precedence {
        #[command(flatten)]
        programs: Programs,
        /// Inventories and plays.
        #[arg(long, value_name = "COUNT", default_value_t = 200)]
        size: usize,
        /// Seed of all chance.
        #[arg(long, value_name = "SEED", default_value_t = 7)]
        seed: u64,
        /// Where the generated files are kept.
        #[arg(long, value_name = "FOLDER")]
        keep: PathBuf,
    },
    /// Templates of public roles, with what ansible-core made of them.
    Corpus {
        /// What `corpus.py` wrote.
        #[arg(value_name = "FILE")]
        cases: PathBuf,
        /// Seed that the corpus was made with.
        #[arg(long, value_name = "SEED", default_value_t = 7)]
        seed: u64,
    },
}

/// Where the two are.
#[derive(Debug, Args)]
struct Programs {
    /// The program under test.
    #[arg(long, value_name = "PROGRAM")]
    sasrun: PathBuf,
    /// Folder with `ansible-playbook` and `ansible-vault`.
    #[arg(long, value_name = "FOLDER")]
    ansible: PathBuf,
}

fn main() -> ExitCode {
    let held = match Arguments::parse().comparison {
        Comparison::Vault(programs) => {
            Peers::new(&programs.sasrun, &programs.ansible).and_then(|peers| vault::compare(&peers))
        }
        Comparison::Precedence {
            programs,
            size,
            seed,
            keep,
        } => Peers::new(&programs.sasrun, &programs.ansible)
            .and_then(|peers| precedence::compare(&peers, size, seed, &keep)),
        Comparison::Corpus { cases, seed } => corpus::compare(&cases, seed),
    };
    match held {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
