//! Which events a replay comes to again, so that none is written or shown twice.

use std::collections::HashMap;

use sasrun_model::EventKind;

/// Events that are in the journal and were not come to again yet.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    counts: HashMap<String, u32>,
}

impl Recorded {
    pub(super) fn add(&mut self, kind: &EventKind) {
        if let Some(key) = key(kind) {
            *self.counts.entry(key).or_default() += 1;
        }
    }

    /// Whether the event is in the journal; it is taken off.
    pub(crate) fn take(&mut self, kind: &EventKind) -> bool {
        if self.counts.is_empty() {
            return false;
        }
        let Some(key) = key(kind) else { return false };
        match self.counts.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => {
                self.counts.remove(&key);
            }
            None => return false,
        }
        true
    }
}

/// What makes two events the same; none for those that a replay does not come to again.
fn key(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::PlayStarted { play, batch, .. } => format!("play {play} {batch:?}"),
        EventKind::PlaySkipped { play, .. } => format!("no play {play}"),
        EventKind::TaskStarted { task, branch, .. } => format!("task {task} {branch:?}"),
        EventKind::Included {
            task, what, hosts, ..
        } => format!("include {task} {what} {hosts:?}"),
        EventKind::HandlerNotified { handler, host } => format!("notify {host} {handler}"),
        EventKind::Finding { id, host, sentence } => format!("finding {id} {host:?} {sentence}"),
        EventKind::Owed { id, host, .. } => format!("owed {id} {host}"),
        EventKind::Settled { id, host } => format!("settled {id} {host}"),
        EventKind::Warning { sentence } => format!("warning {sentence}"),
        EventKind::InputUsed { input } => format!("input {} {}", input.path, input.sha256),
        EventKind::GateWaiting { gate, .. } => format!("gate {gate}"),
        _ => return None,
    })
}
