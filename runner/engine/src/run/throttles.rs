//! `throttle`: how many hosts do a task at once, also where each host walks alone.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use sasrun_model::{Name, Task};
use tokio::sync::Semaphore;

/// Turns of the tasks of a play that are limited.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    turns: RefCell<HashMap<(Name, usize), Arc<Semaphore>>>,
}

impl Throttles {
    /// The turns of a task of which so many hosts may hold one at once.
    pub(super) fn of(&self, task: &Task, limit: usize) -> Arc<Semaphore> {
        let mut turns = self.turns.borrow_mut();
        let own = turns.entry((Arc::clone(&task.path), limit));
        Arc::clone(own.or_insert_with(|| Arc::new(Semaphore::new(limit))))
    }
}
