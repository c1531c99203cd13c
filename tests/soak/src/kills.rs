//! T1: the runner is killed at random moments; going on must neither repeat nor skip.

use std::time::{Duration, Instant};

use crate::run::Site;
use crate::trial::{Stage, Turn};
use crate::{Bench, Dice, Failure, Ledger};

/// An undisturbed run: what it left, and how long it took.
#[derive(Debug, Clone)]
pub(crate) struct Undisturbed {
    pub(crate) ledger: Ledger,
    pub(crate) took: Duration,
}

/// Runs of the playbook of ledgers, half of them with hosts behind SSH.
pub(crate) struct Runs {
    pub(crate) bench: Bench,
    local: Undisturbed,
    over_ssh: Undisturbed,
}

/// Most kills of one run.
const MOST_KILLS: u64 = 4;

/// Gets ready to kill.
pub(crate) fn begin(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    Ok(Box::new(Kills(Runs::new(bench)?)))
}

struct Kills(Runs);

impl Stage for Kills {
    /// Kills one run one or more times and judges its ledgers.
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let (site, usual) = self.0.next(turn)?;
        kill(&site, usual, turn).map_err(|failure| self.0.bench.keep(site.folder(), turn, failure))
    }
}

fn kill(site: &Site, usual: &Undisturbed, turn: Turn) -> Result<(), Failure> {
    let mut dice = Dice::new(turn.seed);
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
    usual.judge(site, cuts)
}

impl Runs {
    /// Finds out what undisturbed runs leave.
    pub(crate) fn new(bench: &Bench) -> Result<Self, Failure> {
        Ok(Self {
            bench: bench.clone(),
            local: Undisturbed::of(&Site::new(bench)?)?,
            over_ssh: Undisturbed::of(&Site::over_ssh(bench)?)?,
        })
    }

    /// The site of a turn, and what an undisturbed run leaves there.
    pub(crate) fn next(&self, turn: Turn) -> Result<(Site, &Undisturbed), Failure> {
        // By chance too: the turns of a smaller soak are spread.
        if Dice::new(!turn.seed).below(2) == 0 {
            Ok((Site::new(&self.bench)?, &self.local))
        } else {
            Ok((Site::over_ssh(&self.bench)?, &self.over_ssh))
        }
    }
}

impl Undisturbed {
    fn of(site: &Site) -> Result<Self, Failure> {
        let began = Instant::now();
        let mut started = site.begin()?;
        let code = started.end()?.code();
        if code != Some(0) {
            return Err(started.failure(code));
        }
        let took = began.elapsed();
        let ledger = site.ledger()?;
        Ok(Self { ledger, took })
    }

    /// How long a run takes while the machine is as busy as it was in one that came so far in a time.
    pub(crate) fn took_at_pace(&self, elapsed: Duration, ledger: &Ledger) -> Duration {
        let part = ledger.lines() as f64 / self.ledger.lines().max(1) as f64;
        // The beginning of a run says little.
        if part < 0.1 {
            return self.took;
        }
        self.took.max(elapsed.div_f64(part))
    }

    /// What the ledgers of a run that was cut off so many times must be.
    pub(crate) fn judge(&self, site: &Site, cuts: u32) -> Result<(), Failure> {
        let offences = site.ledger()?.offences(&self.ledger, cuts);
        if offences.is_empty() {
            return Ok(());
        }
        Err(Failure::Ledger(offences))
    }
}
