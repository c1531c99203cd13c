//! The jobs of a run: their names, those that were left running, and what is still to be removed.
//!
//! Must not: ask a host for anything but the removal of what is recorded; `talk` does the rest.

use std::cell::RefCell;
use std::collections::HashMap;

use sasrun_connection::{Connection, Identity, JobId};
use sasrun_model::{HostTask, Name};
use sasrun_plugin::{Object, ReadAnswer};
use sha2::{Digest, Sha256};

use crate::registry::Talk;

/// A conversation that waits for the end of the job that it left running.
pub(crate) struct Suspended {
    pub talk: Box<dyn Talk>,
    /// Answers to the changes that were asked for before the job, in the same request.
    pub answered: Vec<ReadAnswer>,
}

/// A job that has ended and whose outcome is on its way into the journal.
struct Ended {
    host: Name,
    task: Name,
    connection: Connection,
    identity: Identity,
    id: JobId,
    is_recorded: bool,
}

/// What a run remembers of its jobs. Lives on the engine's thread.
pub(crate) struct Jobs {
    run: Name,
    suspended: RefCell<HashMap<String, Suspended>>,
    results: RefCell<HashMap<String, Object>>,
    ended: RefCell<Vec<Ended>>,
}

impl Jobs {
    pub(crate) fn new(run: Name) -> Self {
        Self {
            run,
            suspended: RefCell::default(),
            results: RefCell::default(),
            ended: RefCell::default(),
        }
    }

    /// The run that they belong to.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// The name of a step's n-th job: the same whenever the same run comes to the same step.
    pub(crate) fn id(&self, step: &HostTask, number: u32) -> Option<JobId> {
        let identity = format!("{}\0{step}\0{number}", self.run);
        let hash = Sha256::digest(identity.as_bytes());
        let hex: String = hash.iter().take(6).map(|b| format!("{b:02x}")).collect();
        let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let run: String = self.run.chars().filter(|c| is_safe(*c)).take(60).collect();
        JobId::new(&format!("{run}.{hex}"))
            .or_else(|_| JobId::new(&hex))
            .ok()
    }

    /// Keeps a conversation until its job has ended.
    pub(crate) fn suspend(&self, id: &JobId, suspended: Suspended) {
        let id = id.as_str().to_owned();
        self.suspended.borrow_mut().insert(id, suspended);
    }

    /// The conversation that waits for a job, to go on with.
    pub(crate) fn take_suspended(&self, id: &str) -> Option<Suspended> {
        self.suspended.borrow_mut().remove(id)
    }

    /// Keeps the result of a task that somebody may ask for by a job's name.
    pub(crate) fn keep_result(&self, id: &str, result: Object) {
        self.results.borrow_mut().insert(id.to_owned(), result);
    }

    /// The result of a task that was left running, if it ended in this run.
    pub(crate) fn result(&self, id: &str) -> Option<Object> {
        self.results.borrow().get(id).cloned()
    }

    /// Forgets the result of a task.
    pub(crate) fn forget(&self, id: &str) {
        self.results.borrow_mut().remove(id);
    }

    /// Notes that a job has ended: its traces go once its outcome is on disk.
    pub(crate) fn has_ended(
        &self,
        step: &HostTask,
        connection: Connection,
        identity: Identity,
        id: JobId,
    ) {
        self.ended.borrow_mut().push(Ended {
            host: step.host.clone(),
            task: step.task.clone(),
            connection,
            identity,
            id,
            is_recorded: false,
        });
    }

    /// Notes that the outcome of a step was handed to the journal.
    pub(crate) fn is_told(&self, step: &HostTask) {
        for ended in self.ended.borrow_mut().iter_mut() {
            ended.is_recorded |= ended.host == step.host && ended.task == step.task;
        }
    }

    /// Removes the traces of jobs whose outcome was handed over before: to be called once that is
    /// on disk. Those that cannot be removed now stay where they are.
    pub(crate) fn sweep(&self) -> Vec<tokio::task::JoinHandle<()>> {
        if self.ended.borrow().is_empty() {
            return Vec::new();
        }
        let all = self.ended.take();
        let (done, waiting) = all.into_iter().partition(|ended| ended.is_recorded);
        *self.ended.borrow_mut() = waiting;
        let done: Vec<Ended> = done;
        done.into_iter()
            .map(|ended| tokio::spawn(remove(ended)))
            .collect()
    }
}

async fn remove(ended: Ended) {
    let removal = ended.connection.remove_job(&ended.identity, &ended.id);
    if let Err(error) = removal.await {
        tracing::warn!(%error, job = %ended.id, "the files of an ended job stay on the host");
    }
}

#[cfg(test)]
mod tests {
    use super::Jobs;
    use sasrun_model::HostTask;

    #[test]
    fn names_are_those_of_the_step() {
        let step = |host: &str, item: Option<&str>| HostTask {
            host: host.into(),
            task: "play/1".into(),
            occurrence: 0,
            item: item.map(Into::into),
            attempt: 0,
        };
        let jobs = Jobs::new("20260102-030405-abcdef".into());
        let id = jobs.id(&step("a b", None), 0).unwrap();
        assert!(id.as_str().starts_with("20260102-030405-abcdef."), "{id}");
        assert_eq!(jobs.id(&step("a b", None), 0).unwrap(), id);
        assert_ne!(jobs.id(&step("a b", None), 1).unwrap(), id);
        assert_ne!(jobs.id(&step("a", None), 0).unwrap(), id);
        assert_ne!(jobs.id(&step("a b", Some("0-1")), 0).unwrap(), id);
        assert!(Jobs::new("../x y".into()).id(&step("a", None), 0).is_some());
    }
}
