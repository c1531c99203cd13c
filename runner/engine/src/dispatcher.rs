//! The one place that gives events their order: the journal first, observers after.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use sasrun_model::{Event, EventKind, Name};

use crate::replay::Recorded;
use crate::seams::{Journal, JournalFailure, Observer};

/// What the journal was asked to make durable.
pub(crate) type BecomesDurable = BoxFuture<'static, Result<(), JournalFailure>>;

/// Gives out sequence numbers and passes events on. Lives on the engine's thread.
pub(crate) struct Dispatcher {
    journal: Arc<dyn Journal>,
    observers: RefCell<Vec<Box<dyn Observer>>>,
    sequence: Cell<u64>,
    began: Instant,
    failure: RefCell<Option<JournalFailure>>,
    /// Events of a run that goes on, which it comes to again.
    recorded: RefCell<Recorded>,
    /// Headings that were recorded before and are shown when something new stands below them.
    headings: RefCell<Headings>,
}

/// Headings that were not shown in this life of the run.
#[derive(Default)]
struct Headings {
    play: Option<EventKind>,
    tasks: HashMap<Name, EventKind>,
}

impl Dispatcher {
    /// Goes on after the events recorded before, whose last number is `sequence`.
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        observers: Vec<Box<dyn Observer>>,
        recorded: Recorded,
        sequence: u64,
    ) -> Self {
        Self {
            journal,
            observers: RefCell::new(observers),
            sequence: Cell::new(sequence),
            began: Instant::now(),
            failure: RefCell::new(None),
            recorded: RefCell::new(recorded),
            headings: RefCell::default(),
        }
    }

    /// Records and shows an event, unless it was recorded before. A journal that fails is
    /// remembered: nothing new begins then.
    pub(crate) fn emit(&self, kind: EventKind) {
        if self.recorded.borrow_mut().take(&kind) {
            self.headings.borrow_mut().keep(kind);
            return;
        }
        self.show_headings(&kind);
        self.sequence.set(self.sequence.get() + 1);
        let mut event = self.event(kind);
        if self.failure.borrow().is_none()
            && let Err(failure) = self.journal.append(&event)
        {
            *self.failure.borrow_mut() = Some(failure);
        }
        event.kind.forget_kept();
        for observer in self.observers.borrow_mut().iter_mut() {
            observer.event(&event);
        }
    }

    fn event(&self, kind: EventKind) -> Event {
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Event {
            sequence: self.sequence.get(),
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            elapsed: self.began.elapsed(),
            kind,
        }
    }

    /// Shows the headings above a step that goes on, where they were recorded before.
    fn show_headings(&self, kind: &EventKind) {
        let above = self.headings.borrow_mut().above(kind);
        for heading in above {
            let event = self.event(heading);
            for observer in self.observers.borrow_mut().iter_mut() {
                observer.event(&event);
            }
        }
    }

    /// Waits until all that was emitted is durable.
    ///
    /// # Errors
    /// The journal cannot be written, now or before.
    pub(crate) async fn durable(&self) -> Result<(), JournalFailure> {
        let durable = self.begin_durable().await?;
        self.until(durable).await
    }

    /// Has all that was emitted made durable while other work goes on; [`until`](Self::until)
    /// waits for it.
    ///
    /// # Errors
    /// The journal could not be written before.
    pub(crate) async fn begin_durable(&self) -> Result<BecomesDurable, JournalFailure> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        // Other hosts may be about to emit too; one wait for the disk shall do for all of them.
        let_others_emit().await;
        Ok(self.journal.durable())
    }

    /// Waits for what [`begin_durable`](Self::begin_durable) began.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub(crate) async fn until(&self, durable: BecomesDurable) -> Result<(), JournalFailure> {
        let result = durable.await;
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

/// Gives way once.
async fn let_others_emit() {
    let mut gave_way = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Headings {
    fn keep(&mut self, kind: EventKind) {
        match &kind {
            EventKind::PlayStarted { .. } => {
                self.tasks.clear();
                self.play = Some(kind);
            }
            EventKind::TaskStarted { task, .. } => {
                self.tasks.insert(Arc::clone(task), kind);
            }
            _ => {}
        }
    }

    /// The headings that stand above an event; they are shown once.
    fn above(&mut self, kind: &EventKind) -> Vec<EventKind> {
        let task = kind.step().and_then(|id| self.tasks.remove(&id.task));
        let is_below = task.is_some() || matches!(kind, EventKind::TaskStarted { .. });
        let play = if is_below { self.play.take() } else { None };
        if matches!(kind, EventKind::PlayStarted { .. }) {
            self.play = None;
        }
        play.into_iter().chain(task).collect()
    }
}
