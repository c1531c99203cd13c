//! Hosts that leave a play before its end, and what that means for the others.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::Arc;

use sasrun_model::{Name, Value};

use super::Run;
use super::play::{PlayRun, walks_alone};
use crate::variables::PlayFacts;

/// Who left, and how.
#[derive(Default)]
pub(super) struct Departures {
    /// Without having failed.
    gone: RefCell<HashSet<Name>>,
    unreachable: RefCell<HashSet<Name>>,
    /// Failed with nothing around that would catch it.
    lost: RefCell<HashSet<Name>>,
    /// Hosts whose failures so far were cleared.
    forgiven: RefCell<HashSet<Name>>,
    fatal: Cell<bool>,
    /// No batch of the play begins any more.
    play_over: Cell<bool>,
}

impl PlayRun {
    /// Takes hosts out of the play without failing them.
    pub(crate) fn end(&self, hosts: &[Name]) {
        self.left.gone.borrow_mut().extend(hosts.iter().cloned());
        self.refresh_hosts();
    }

    /// Ends the play: also the batches that are still to come.
    pub(crate) fn end_all_batches(&self) {
        self.left.play_over.set(true);
    }

    /// Whether the play ended before its last batch.
    pub(crate) fn is_over(&self) -> bool {
        self.left.play_over.get()
    }

    /// Notes that a host failed, whatever catches it.
    pub(crate) fn fails(&self, host: &Name) {
        self.left.forgiven.borrow_mut().remove(host);
    }

    /// Leaves out hosts whose failures were cleared.
    pub(crate) fn without_forgiven(&self, failed: &mut Vec<Name>) {
        let forgiven = self.left.forgiven.borrow();
        failed.retain(|host| !forgiven.contains(host));
    }

    /// Whether a host was taken out of the play.
    pub(crate) fn is_gone(&self, host: &Name) -> bool {
        self.left.gone.borrow().contains(host)
    }

    /// Notes that a host cannot be reached.
    pub(crate) fn unreachable(&self, host: &Name) {
        self.left.unreachable.borrow_mut().insert(Arc::clone(host));
    }

    /// Whether a host cannot be reached.
    pub(crate) fn is_unreachable(&self, host: &Name) -> bool {
        self.left.unreachable.borrow().contains(host)
    }

    /// Notes that hosts failed and nothing around catches it.
    pub(crate) fn lose(&self, hosts: &[Name]) {
        if !hosts.is_empty() {
            self.left.lost.borrow_mut().extend(hosts.iter().cloned());
            self.refresh_hosts();
        }
    }

    /// Forgets the failures so far.
    pub(crate) fn clear_errors(&self, run: &Run) {
        self.left.unreachable.borrow_mut().clear();
        self.left.lost.borrow_mut().clear();
        self.left.fatal.set(false);
        let mut forgiven = self.left.forgiven.borrow_mut();
        for host in &self.batch {
            run.state.keep_host(host);
            forgiven.insert(Arc::clone(host));
        }
        drop(forgiven);
        self.refresh_hosts();
    }

    /// Notes that a failure of one host ends the play for all.
    pub(crate) fn any_error_was_fatal(&self, caught: bool) {
        if !caught {
            self.left.fatal.set(true);
        }
    }

    /// Hosts that go through the batch together with these and can still be reached.
    pub(crate) fn together(&self, hosts: &[Name]) -> Vec<Name> {
        if walks_alone(self.play.strategy) {
            return hosts.to_vec();
        }
        let there = |host: &&Name| !self.is_unreachable(host) && !self.is_gone(host);
        self.batch.iter().filter(there).cloned().collect()
    }

    /// Whether a failure of one host ended the play for all.
    pub(crate) fn was_fatal(&self) -> bool {
        self.left.fatal.get()
    }

    /// Whether a host that walks alone must stop because another one failed.
    pub(crate) fn is_stopped_by_others(&self, host: &Name) -> bool {
        self.was_fatal()
            && walks_alone(self.play.strategy)
            && !self.left.lost.borrow().contains(host)
    }

    /// Whether more hosts failed, with these, than `max_fail_percentage` allows.
    #[expect(clippy::cast_precision_loss, reason = "numbers of hosts are small")]
    pub(crate) fn too_many_failed(&self, failed: &[Name]) -> bool {
        let Some(limit) = self.most_failed_percent else {
            return false;
        };
        let lost = self.left.lost.borrow();
        let before = lost.iter().filter(|host| !failed.contains(host)).count();
        let all = before + failed.len();
        all as f64 * 100.0 / self.batch.len().max(1) as f64 > limit
    }

    /// Leaves hosts that failed or left out of `ansible_play_hosts` from now on.
    fn refresh_hosts(&self) {
        let is_there = |host: &Value| {
            host.as_str().is_some_and(|host| {
                !self.left.lost.borrow().contains(host) && !self.left.gone.borrow().contains(host)
            })
        };
        let mut facts = PlayFacts::clone(&self.facts.borrow());
        let began = self.began.iter();
        facts.hosts = Arc::new(began.filter(|host| is_there(host)).cloned().collect());
        facts.batch = Arc::new(
            self.batch
                .iter()
                .map(|host| Value::Text(Arc::clone(host)))
                .filter(is_there)
                .collect(),
        );
        *self.facts.borrow_mut() = Arc::new(facts);
    }
}
