//! T13: signals at random moments; nothing new begins, the exit code says which, going on works.

use std::time::Duration;

use rustix::process::Signal;

use crate::kills::{judge, undisturbed};
use crate::run::Site;
use crate::{Bench, Dice, Failure};

/// How soon after a signal nothing new may begin.
const SOON: Duration = Duration::from_secs(1);
/// How long a run may take to end after two signals.
const LONGEST_END: Duration = Duration::from_secs(15);

/// Sends one run one signal or two, and goes on with it.
pub(crate) fn once(bench: &Bench, seed: u64) -> Result<(), Failure> {
    let usual = undisturbed(bench)?;
    let mut dice = Dice::new(seed);
    let (signal, exit_code) = match dice.below(3) {
        0 => (Signal::INT, 130),
        1 => (Signal::TERM, 143),
        _ => (Signal::HUP, 143),
    };
    let is_double = dice.below(2) == 1;
    let site = Site::new(bench)?;
    let mut started = site.begin()?;
    // The program takes signals only when it has begun to run; before, they end it as any other.
    let patience = usual.took / 4;
    std::thread::sleep(patience + dice.moment(usual.took));
    started.signal(signal)?;
    if is_double {
        std::thread::sleep(dice.moment(Duration::from_millis(20)));
        started.signal(signal)?;
    }
    std::thread::sleep(SOON);
    let soon = site.ledger()?.lines();
    let code = started.end_within(LONGEST_END)?.code();
    site.rest()?;
    let late = site.ledger()?.lines();
    if late > soon {
        return Err(Failure::BeganAfterSignal(late - soon));
    }
    match code {
        Some(0) => return judge(&site, usual, 0),
        code if code == Some(exit_code) => {}
        code => return Err(started.failure(code)),
    }
    site.finish_killed()?;
    judge(&site, usual, 1)
}
