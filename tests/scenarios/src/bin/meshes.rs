//! `meshes [COUNT] [--seed N] [--only NUMBER] [--jobs N] [--keep FOLDER]`: draws meshes at random, upgrades each in the
//! lab, and judges the lab's log by the order properties of its procedure. A line for each, then a figure.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sasrun_scenarios::drawn::{self, Bounds};
use sasrun_scenarios::scene::Programs;
use sasrun_scenarios::staging::{self, Measured};

/// What is asked for.
struct Wanted {
    count: u64,
    seed: u64,
    only: Vec<u64>,
    jobs: usize,
    keep: Option<PathBuf>,
}

/// What came of the meshes so far.
#[derive(Default)]
struct Tally {
    pass: u64,
    wrong: Vec<u64>,
    longest: Option<Measured>,
}

fn main() -> ExitCode {
    match wanted().and_then(|wanted| all(&wanted)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("meshes: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn wanted() -> Result<Wanted> {
    let mut wanted = Wanted {
        count: 10,
        seed: 7,
        only: Vec::new(),
        jobs: 2 * std::thread::available_parallelism().map_or(1, usize::from),
        keep: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} takes a value"));
        match arg.as_str() {
            "--seed" => wanted.seed = value()?.parse()?,
            "--only" => wanted.only.push(value()?.parse()?),
            "--jobs" => wanted.jobs = value()?.parse()?,
            "--keep" => wanted.keep = Some(value()?.into()),
            count => match count.parse() {
                Ok(count) => wanted.count = count,
                Err(_) => bail!("{count:?} is no number of meshes"),
            },
        }
    }
    Ok(wanted)
}

fn all(wanted: &Wanted) -> Result<bool> {
    let programs = Programs::find()?;
    let numbers: Vec<u64> = (1..=wanted.count)
        .filter(|number| wanted.only.is_empty() || wanted.only.contains(number))
        .collect();
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs.clamp(1, numbers.len().max(1)) {
            scope.spawn(|| {
                let take = || usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok();
                while let Some(number) = take().and_then(|at| numbers.get(at)) {
                    one(wanted, &programs, *number, &tally);
                }
            });
        }
    });
    let Ok(tally) = tally.into_inner() else {
        bail!("a mesh was lost");
    };
    let longest = match &tally.longest {
        Some(measured) => format!("; {measured}"),
        None => String::new(),
    };
    say(&format!(
        "{} of {} meshes (seed {}) keep every property{longest}",
        tally.pass,
        numbers.len(),
        wanted.seed
    ));
    Ok(tally.wrong.is_empty())
}

fn one(wanted: &Wanted, programs: &Programs, number: u64, tally: &Mutex<Tally>) {
    let began = Instant::now();
    let name = format!("mesh-{}-{number}", wanted.seed);
    let keep = wanted.keep.as_deref().map(|folder| (folder, name.as_str()));
    let drawn = drawn::draw(wanted.seed, number, Bounds::default());
    let (summary, staged) = match drawn {
        Ok(drawn) => {
            let staged = staging::stage(programs, &drawn.variant, keep);
            (drawn.summary, staged)
        }
        Err(error) => (String::new(), Err(error)),
    };
    let (causes, measured) = match staged {
        Ok(staged) => (staged.causes, staged.measured),
        Err(error) => (vec![format!("{error:#}")], None),
    };
    let took = began.elapsed().as_secs_f64();
    let about = match &measured {
        Some(measured) => format!(", {measured}"),
        None => String::new(),
    };
    match causes.is_empty() {
        true => say(&format!("{number:3} {summary}: pass {took:.1}s{about}")),
        false => say(&format!(
            "{number:3} {summary}: FAIL {took:.1}s{about}: {}",
            causes.join("; ")
        )),
    }
    if let Ok(mut tally) = tally.lock() {
        match causes.is_empty() {
            true => tally.pass += 1,
            false => tally.wrong.push(number),
        }
        let is_longer = |new: &Measured| {
            tally
                .longest
                .as_ref()
                .is_none_or(|old| new.share() > old.share())
        };
        if let Some(new) = measured.filter(is_longer) {
            tally.longest = Some(new);
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the lines are what this program is for"
)]
fn say(line: &str) {
    println!("{line}");
}
