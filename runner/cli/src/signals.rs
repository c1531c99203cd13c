//! Signals: the first begins nothing new, the second leaves what runs.

use std::io::IsTerminal;
use std::time::Duration;

use rustix::process::{Signal as Rustix, getpid, kill_process};
use sasrun_engine::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::console::Terminal;
use crate::output;

/// Exit code after SIGINT.
const INTERRUPTED: u8 = 130;
/// Exit code after SIGTERM and SIGHUP.
const TERMINATED: u8 = 143;
/// How long a run may take to end after the second signal.
const LONGEST_END: Duration = Duration::from_secs(10);

/// The signals that end a run.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None below nohup, which is there so that the run outlives the terminal.
    hangup: Option<Signal>,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: match is_ignored(Rustix::HUP) {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
        })
    }

    /// Waits for the next; gives the exit code that it stands for.
    async fn next(&mut self) -> u8 {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
            _ = hangup => TERMINATED,
        }
    }
}

/// Whether whoever started this program had a signal ignored, where the system tells it (Linux).
fn is_ignored(signal: Rustix) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| (mask >> (signal.as_raw() - 1)) & 1 == 1)
}

/// Tells the run of signals; ends the program when it does not end itself after the second.
pub(crate) async fn watch(stop: watch::Sender<Stop>, terminal: Terminal) {
    let Ok(mut signals) = Signals::new() else {
        return;
    };
    // A file that may not grow is an error where it is written, not the end of the program.
    let _too_long = signal(SignalKind::from_raw(Rustix::XFSZ.as_raw()));
    let exit_code = signals.next().await;
    output::error_line("sasrun: what runs may end, nothing new begins; again to leave it");
    stop.send_replace(Stop::AfterRunning { exit_code });
    let exit_code = signals.next().await;
    output::error_line("sasrun: what runs is left");
    stop.send_replace(Stop::Now { exit_code });
    tokio::select! {
        _ = signals.next() => {}
        () = tokio::time::sleep(LONGEST_END) => {}
    }
    terminal.restore();
    std::process::exit(i32::from(exit_code));
}

/// Stops at the terminal's wish (Ctrl-Z) with the terminal as it was, and goes on with what was asked. It is ready when this
/// returns, within a runtime.
pub(crate) fn watch_stops(terminal: Terminal) -> impl Future<Output = ()> {
    // Who has no terminal is stopped by the system itself.
    let is_asked = std::io::stdin().is_terminal() && !is_ignored(Rustix::TSTP);
    let stops = is_asked.then(|| signal(SignalKind::from_raw(Rustix::TSTP.as_raw())));
    async move {
        let Some(Ok(mut stops)) = stops else { return };
        while stops.recv().await.is_some() {
            // The rest of this may run on for a moment before all threads are stopped.
            let Ok(mut goes_on) = signal(SignalKind::from_raw(Rustix::CONT.as_raw())) else {
                return;
            };
            terminal.suspend();
            if kill_process(getpid(), Rustix::STOP).is_ok() {
                goes_on.recv().await;
            }
            terminal.go_on();
        }
    }
}
