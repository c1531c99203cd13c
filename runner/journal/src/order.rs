//! The legal order of events, in one place.
//!
//! A run begins once and is resumed any number of times. A host begins a task before it ends it,
//! and ends it once; what it says between stands between. A run that is over is over until it is
//! resumed, and one that went well left nothing open.

use std::collections::HashSet;

use sasrun_model::{Event, EventKind, HostTask};

/// An event that may not stand where it does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence} is out of order: {why}")]
pub struct Disorder {
    /// Number of the event.
    pub sequence: u64,
    /// Why it may not stand there.
    pub why: String,
}

/// Takes events one after the other and says which may not come.
#[derive(Debug, Default)]
pub struct Order {
    is_begun: bool,
    is_over: bool,
    /// Tasks that hosts began and did not end.
    open: HashSet<HostTask>,
    /// Tasks that hosts ended.
    ended: HashSet<HostTask>,
    /// Those of them that went badly: a resumed run may do them again.
    bad: HashSet<HostTask>,
}

impl Order {
    /// Takes the next event.
    ///
    /// # Errors
    /// It may not come here. What follows is judged as if it had not come.
    pub fn take(&mut self, event: &Event) -> Result<(), Disorder> {
        self.next(&event.kind).map_err(|why| Disorder {
            sequence: event.sequence,
            why,
        })
    }

    /// Tasks that were begun and not ended, in no order.
    pub fn open(&self) -> impl Iterator<Item = &HostTask> {
        self.open.iter()
    }

    fn next(&mut self, kind: &EventKind) -> Result<(), String> {
        match kind {
            EventKind::RunStarted { .. } if self.is_begun => {
                return Err("a run begins once".to_owned());
            }
            EventKind::RunStarted { .. } => {
                self.is_begun = true;
                return Ok(());
            }
            // Files that were read before the run began.
            EventKind::InputUsed { .. } | EventKind::Warning { .. } | EventKind::Unknown => {
                return Ok(());
            }
            EventKind::RunResumed { .. } => {
                // The machine may have died before the first event was written.
                self.is_over = false;
                self.open.clear();
                for id in self.bad.drain() {
                    self.ended.remove(&id);
                }
                return Ok(());
            }
            _ => {}
        }
        if !self.is_begun {
            return Err("the run has not begun".to_owned());
        }
        if self.is_over {
            return Err("the run is over".to_owned());
        }
        self.within(kind)
    }

    fn within(&mut self, kind: &EventKind) -> Result<(), String> {
        match kind {
            EventKind::HostStarted { id, .. } => {
                if self.ended.contains(id) {
                    return Err(format!("{} begins what it ended", shown(id)));
                }
                if !self.open.insert(id.clone()) {
                    return Err(format!("{} begins it twice", shown(id)));
                }
            }
            EventKind::HostFinished {
                id,
                action,
                outcome,
                ..
            } => {
                // Including is done by the runner itself; a host begins nothing.
                let is_inclusion = action.contains("include_") || action.contains("import_");
                if !self.open.remove(id) && !is_inclusion {
                    return Err(format!("{} ends what it did not begin", shown(id)));
                }
                if !is_inclusion && !self.ended.insert(id.clone()) {
                    return Err(format!("{} ends it twice", shown(id)));
                }
                if outcome.status.is_bad() {
                    self.bad.insert(id.clone());
                }
            }
            EventKind::ItemStarted { id }
            | EventKind::ItemFinished { id, .. }
            | EventKind::HostRetry { id, .. }
            | EventKind::HostProgress { id, .. } => {
                let whole = HostTask {
                    item: None,
                    attempt: 0,
                    ..id.clone()
                };
                if !self.open.contains(&whole) {
                    return Err(format!("{} tells of what it did not begin", shown(id)));
                }
            }
            EventKind::RunFinished { exit_code, .. } => {
                if let Some(id) = self.open.iter().next().filter(|_| *exit_code == 0) {
                    return Err(format!("the run ends well, and {} did not", shown(id)));
                }
                self.is_over = true;
            }
            _ => {}
        }
        Ok(())
    }
}

fn shown(id: &HostTask) -> String {
    format!("{} at {}", id.host, id.task)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use sasrun_model::{Outcome, RunMode, Status, StepClass, Value};

    use super::*;

    fn begin() -> EventKind {
        EventKind::RunStarted {
            run: "r".into(),
            mode: RunMode::Apply,
            playbooks: Vec::new(),
            inventories: Vec::new(),
            limit: None,
            plugins: std::collections::BTreeMap::default(),
            version: String::new(),
        }
    }

    fn id() -> HostTask {
        HostTask {
            host: "h".into(),
            task: "0/1".into(),
            occurrence: 0,
            item: None,
            attempt: 0,
        }
    }

    fn start() -> EventKind {
        EventKind::HostStarted {
            id: id(),
            class: StepClass::Once,
            content: "c".into(),
            job: None,
        }
    }

    fn finish() -> EventKind {
        EventKind::HostFinished {
            id: id(),
            delegate: None,
            outcome: Arc::new(Outcome {
                status: Status::Ok,
                result: Value::Null,
                diff: Vec::new(),
                warnings: Vec::new(),
            }),
            ignored: false,
            rescued: false,
            looped: false,
            no_log: false,
            action: "command".into(),
            took: Duration::ZERO,
            kept: None,
        }
    }

    fn end(exit_code: u8) -> EventKind {
        EventKind::RunFinished {
            hosts: Vec::new(),
            exit_code,
            reason: String::new(),
        }
    }

    fn resume() -> EventKind {
        EventKind::RunResumed {
            version: String::new(),
            user: String::new(),
            host: String::new(),
            pid: 1,
        }
    }

    fn check(kinds: impl IntoIterator<Item = EventKind>) -> Option<u64> {
        let mut order = Order::default();
        kinds.into_iter().zip(1..).find_map(|(kind, sequence)| {
            let event = Event {
                sequence,
                at_ms: 0,
                elapsed: Duration::ZERO,
                kind,
            };
            order.take(&event).err().map(|disorder| disorder.sequence)
        })
    }

    #[test]
    fn what_is_legal_is_let_through() {
        assert_eq!(check([begin(), start(), finish(), end(0)]), None);
        assert_eq!(
            check([begin(), start(), resume(), start(), finish(), end(0)]),
            None
        );
        assert_eq!(check([begin(), start(), end(130), resume(), start()]), None);
    }

    #[test]
    fn each_offence_is_found_where_it_stands() {
        let cases = [
            (vec![start()], 1),
            (vec![begin(), begin()], 2),
            (vec![begin(), start(), start()], 3),
            (vec![begin(), finish()], 2),
            (vec![begin(), start(), finish(), finish()], 4),
            (vec![begin(), start(), finish(), start()], 4),
            (vec![begin(), start(), end(0)], 3),
            (vec![begin(), end(2), start()], 3),
            (vec![begin(), start(), finish(), resume(), start()], 5),
        ];
        for (events, at) in cases {
            assert_eq!(check(events.clone()), Some(at), "{events:?}");
        }
    }
}
