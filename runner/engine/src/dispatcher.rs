//! The one place that gives events their order: the journal first, observers after.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sasrun_model::{Event, EventKind};

use crate::seams::{Journal, JournalFailure, Observer};

/// Gives out sequence numbers and passes events on. Lives on the engine's thread.
pub(crate) struct Dispatcher {
    journal: Arc<dyn Journal>,
    observers: RefCell<Vec<Box<dyn Observer>>>,
    sequence: Cell<u64>,
    began: Instant,
    failure: RefCell<Option<JournalFailure>>,
}

impl Dispatcher {
    pub(crate) fn new(journal: Arc<dyn Journal>, observers: Vec<Box<dyn Observer>>) -> Self {
        Self {
            journal,
            observers: RefCell::new(observers),
            sequence: Cell::new(0),
            began: Instant::now(),
            failure: RefCell::new(None),
        }
    }

    /// Records and shows an event. A journal that fails is remembered: nothing new begins then.
    pub(crate) fn emit(&self, kind: EventKind) {
        self.sequence.set(self.sequence.get() + 1);
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let event = Event {
            sequence: self.sequence.get(),
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            elapsed: self.began.elapsed(),
            kind,
        };
        if self.failure.borrow().is_none()
            && let Err(failure) = self.journal.append(&event)
        {
            *self.failure.borrow_mut() = Some(failure);
        }
        for observer in self.observers.borrow_mut().iter_mut() {
            observer.event(&event);
        }
    }

    /// Waits until all that was emitted is durable.
    ///
    /// # Errors
    /// The journal cannot be written, now or before.
    pub(crate) async fn durable(&self) -> Result<(), JournalFailure> {
        if let Some(failure) = self.failure.borrow().clone() {
            return Err(failure);
        }
        let result = self.journal.durable().await;
        if let Err(failure) = &result {
            *self.failure.borrow_mut() = Some(failure.clone());
        }
        result
    }

    /// The journal's failure, if it had one.
    pub(crate) fn failure(&self) -> Option<JournalFailure> {
        self.failure.borrow().clone()
    }
}
