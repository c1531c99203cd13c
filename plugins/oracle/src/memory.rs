//! What has been tried in this run: one attempt for each account of a database, whoever asks.
//!
//! A plugin's process lives as long as the run, so its memory is the run's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::verdict::Judgement;

/// How long a database that could not be reached is taken to be so.
const UNREACHABLE: Duration = Duration::from_secs(300);

/// A database: the machine that asks, and the connect name there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Database {
    pub(crate) machine: String,
    pub(crate) alias: String,
}

/// The attempts of this run. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    attempts: HashMap<(Database, String), Attempt>,
    unreachable: HashMap<Database, (Instant, Judgement)>,
}

struct Attempt {
    fingerprint: String,
    /// None while it is going on.
    came_to: Option<Judgement>,
}

/// What whoever wants to try an account shall do.
pub(crate) enum Turn {
    /// Try it; nobody else will.
    Yours(Try),
    /// Somebody is trying it; ask again soon.
    Wait,
    /// This came of it.
    Known(Judgement),
    /// Another value was tried for that account.
    OtherValue,
}

impl Memory {
    /// Asks for the one attempt on an account.
    pub(crate) fn turn(&self, database: &Database, account: &str, fingerprint: &str) -> Turn {
        let mut state = self.state();
        if let Some((since, judgement)) = state.unreachable.get(database) {
            if since.elapsed() < UNREACHABLE {
                return Turn::Known(judgement.clone());
            }
            state.unreachable.remove(database);
        }
        let key = (database.clone(), account.to_ascii_lowercase());
        match state.attempts.get(&key) {
            Some(attempt) if attempt.fingerprint != fingerprint => Turn::OtherValue,
            Some(Attempt {
                came_to: Some(judgement),
                ..
            }) => Turn::Known(judgement.clone()),
            Some(_) => Turn::Wait,
            None => {
                let attempt = Attempt {
                    fingerprint: fingerprint.to_owned(),
                    came_to: None,
                };
                state.attempts.insert(key.clone(), attempt);
                Turn::Yours(Try {
                    memory: self.clone(),
                    key,
                    came_to: None,
                })
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to try. Dropped without a result, the attempt counts as made with an unknown end.
pub(crate) struct Try {
    memory: Memory,
    key: (Database, String),
    came_to: Option<Judgement>,
}

impl Try {
    /// Notes what came of it. A database that was not reached says nothing of the account, which
    /// may be tried again once the database can be reached.
    pub(crate) fn came_to(mut self, judgement: &Judgement) {
        self.came_to = Some(judgement.clone());
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        let mut state = self.memory.state();
        let judgement = self.came_to.take().unwrap_or_else(Judgement::broken_off);
        if judgement.unreachable {
            state.attempts.remove(&self.key);
            let database = self.key.0.clone();
            state
                .unreachable
                .insert(database, (Instant::now(), judgement));
        } else if let Some(attempt) = state.attempts.get_mut(&self.key) {
            attempt.came_to = Some(judgement);
        }
    }
}
