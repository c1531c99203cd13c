//! T13: signals at random moments; nothing new begins, the exit code says which, going on works.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::kills::{Runs, Undisturbed};
use crate::run::Site;
use crate::trial::{Stage, Turn};
use crate::{Bench, Dice, Failure};

/// How soon after a signal nothing new may begin.
const SOON: Duration = Duration::from_secs(1);
/// How long a run may take to end after two signals.
const LONGEST_END: Duration = Duration::from_secs(15);

/// Gets ready to send signals.
pub(crate) fn begin(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    Ok(Box::new(Signals(Runs::new(bench)?)))
}

struct Signals(Runs);

impl Stage for Signals {
    /// Sends one run one signal or two, at any moment of it, and goes on with it.
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let (site, usual) = self.0.next(turn)?;
        send(&site, usual, turn).map_err(|failure| self.0.bench.keep(site.folder(), turn, failure))
    }
}

fn send(site: &Site, usual: &Undisturbed, turn: Turn) -> Result<(), Failure> {
    let mut dice = Dice::new(turn.seed);
    let (signal, exit_code) = match dice.below(3) {
        0 => (Signal::INT, 130),
        1 => (Signal::TERM, 143),
        _ => (Signal::HUP, 143),
    };
    let is_double = dice.below(2) == 1;
    let mut started = site.begin()?;
    let began = Instant::now();
    std::thread::sleep(dice.moment(usual.took));
    started.signal(signal)?;
    if is_double {
        std::thread::sleep(dice.moment(Duration::from_millis(20)));
        started.signal(signal)?;
    }
    let took = usual.took_at_pace(began.elapsed(), &site.ledger()?);
    // A machine that is slow in all is slow in this.
    std::thread::sleep(SOON.max(took / 4));
    let soon = site.ledger()?;
    let code = started.end_within(LONGEST_END.max(took * 2))?.code();
    site.rest()?;
    let late = site.ledger()?;
    let begun = late.begun_since(&soon);
    if begun > 0 {
        return Err(Failure::BeganAfterSignal(begun));
    }
    match code {
        Some(0) => return usual.judge(site, 0),
        code if code == Some(exit_code) => {}
        // It takes signals only once it has begun to run; before, they end it as any other.
        None if late.lines() == 0 => {}
        code => return Err(started.failure(code)),
    }
    site.finish_killed()?;
    usual.judge(site, 1)
}
