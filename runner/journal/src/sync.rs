//! Group commit: one wait for the disk serves all who asked before it began.

use std::future::Future;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use futures::channel::oneshot;

use crate::JournalError;
use crate::seal::Unsynced;

/// What makes things durable, in the thread that may wait for the disk.
pub(crate) trait Commit: Send + Sync {
    /// Makes all durable that was written before the call: first what the records name, then they.
    ///
    /// # Errors
    /// It is not known what is durable; nothing may build on it.
    fn commit(&self, named: Unsynced) -> Result<(), JournalError>;
}

#[derive(Default)]
struct State {
    /// Records written so far.
    written: u64,
    /// Records that are durable.
    synced: u64,
    /// Files that the records written since name, and that are not durable yet.
    named: Unsynced,
    waiters: Vec<(u64, oneshot::Sender<Result<(), JournalError>>)>,
    failure: Option<JournalError>,
    is_closing: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of asking for what was written to become durable.
enum Asked {
    Known(Result<(), JournalError>),
    Waiting(oneshot::Receiver<Result<(), JournalError>>),
}

/// The thread that waits for the disk, and those who wait for it.
pub(crate) struct Committer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(crate) fn start(commit: Arc<dyn Commit>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || serve(&own, &*commit))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Notes that records were written, and which files they name.
    pub(crate) fn wrote(&self, records: u64, named: Unsynced) {
        let mut state = self.shared.lock();
        state.written += records;
        state.named.extend(named);
    }

    /// Notes that writing failed: from now on nothing becomes durable.
    pub(crate) fn fail(&self, failure: &JournalError) {
        let mut state = self.shared.lock();
        state.failure.get_or_insert_with(|| failure.clone());
    }

    /// The failure that there was, if any.
    pub(crate) fn failure(&self) -> Option<JournalError> {
        self.shared.lock().failure.clone()
    }

    /// Has all that was written so far made durable, from now on; the future waits for it.
    pub(crate) fn durable(&self) -> impl Future<Output = Result<(), JournalError>> + use<> {
        let asked = self.ask();
        let shared = Arc::clone(&self.shared);
        async move {
            match asked {
                Asked::Known(result) => result,
                Asked::Waiting(receiver) => receiver.await.unwrap_or_else(|_| {
                    let failure = shared.lock().failure.clone();
                    Err(failure.unwrap_or_else(|| {
                        let path = std::path::Path::new("the journal");
                        JournalError::because("sync", path, "it was closed")
                    }))
                }),
            }
        }
    }

    fn ask(&self) -> Asked {
        let mut state = self.shared.lock();
        if let Some(failure) = &state.failure {
            return Asked::Known(Err(failure.clone()));
        }
        if state.synced >= state.written {
            return Asked::Known(Ok(()));
        }
        let (sender, receiver) = oneshot::channel();
        let written = state.written;
        state.waiters.push((written, sender));
        self.shared.changed.notify_one();
        Asked::Waiting(receiver)
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to wait for.
            let _ = thread.join();
        }
    }
}

fn serve(shared: &Shared, commit: &dyn Commit) {
    let mut state = shared.lock();
    loop {
        while state.waiters.is_empty() && !state.is_closing {
            state = shared
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.waiters.is_empty() {
            return;
        }
        let target = state.written;
        let named = std::mem::take(&mut state.named);
        let failed = state.failure.clone();
        drop(state);
        let result = match failed {
            Some(failure) => Err(failure),
            None => commit.commit(named),
        };
        state = shared.lock();
        match &result {
            Ok(()) => state.synced = target,
            Err(failure) => {
                state.failure.get_or_insert_with(|| failure.clone());
            }
        }
        let waiters = std::mem::take(&mut state.waiters);
        for (wanted, sender) in waiters {
            if result.is_err() || wanted <= target {
                // Who no longer waits needs no answer.
                let _ = sender.send(result.clone());
            } else {
                state.waiters.push((wanted, sender));
            }
        }
    }
}
