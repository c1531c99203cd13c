//! T1: the runner is killed at random moments; going on must neither repeat nor skip.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::run::Site;
use crate::{Bench, Dice, Failure, Ledger};

/// An undisturbed run: what it left, and how long it took.
#[derive(Debug, Clone)]
pub(crate) struct Undisturbed {
    pub(crate) ledger: Ledger,
    pub(crate) took: Duration,
}

/// Most kills of one run.
const MOST_KILLS: u64 = 4;

/// Kills one run one or more times and judges its ledgers.
pub(crate) fn once(bench: &Bench, seed: u64) -> Result<(), Failure> {
    let usual = undisturbed(bench)?;
    let mut dice = Dice::new(seed);
    let site = Site::new(bench)?;
    let mut cuts = 0;
    for life in 0..=dice.below(MOST_KILLS) {
        let started = if life == 0 {
            site.begin()?
        } else {
            site.resume(&[])?
        };
        std::thread::sleep(dice.moment(usual.took));
        let was_running = started.kill()?;
        site.rest()?;
        if !was_running {
            break;
        }
        cuts += 1;
    }
    site.finish_killed()?;
    judge(&site, usual, cuts)
}

/// What the ledgers of a run that was cut off so many times must be.
pub(crate) fn judge(site: &Site, usual: &Undisturbed, cuts: u32) -> Result<(), Failure> {
    let offences = site.ledger()?.offences(&usual.ledger, cuts);
    if offences.is_empty() {
        return Ok(());
    }
    Err(Failure::Ledger(offences))
}

/// What an undisturbed run leaves; found out once.
pub(crate) fn undisturbed(bench: &Bench) -> Result<&'static Undisturbed, Failure> {
    static KNOWN: OnceLock<Undisturbed> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known);
    }
    let site = Site::new(bench)?;
    let began = Instant::now();
    let mut started = site.begin()?;
    let code = started.end()?.code();
    if code != Some(0) {
        return Err(started.failure(code));
    }
    let ledger = site.ledger()?;
    let took = began.elapsed();
    Ok(KNOWN.get_or_init(|| Undisturbed { ledger, took }))
}
