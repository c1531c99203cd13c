//! The lock of a mesh or an inventory: one run at a time, wherever it is started from.
//!
//! An inventory names it with the variable `sasrun_lock`, and with `sasrun_lock_hosts` the hosts
//! that hold it. The controller's own lock is a seam; on each host a directory that only one can
//! make is the referee. The lock is held when the controller's and those of more than half of the
//! hosts are, so that no two runs ever hold it at once though some hosts may not answer.

mod on_host;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use sasrun_connection::{Connection, ConnectionError};
use sasrun_model::{EventKind, LockClaim, Name, Value};
use sasrun_template::{Scope, TemplateError};

use crate::looking::Looking;
use crate::reach::Reaching;
use crate::run::Run;
use crate::seams::LockRefusal;
use crate::variables::{ScopeParts, TaskScope};
use on_host::{Found, Taking};

/// How often hosts are told that the owner is alive, and asked whether it still has the lock.
const BEAT_EVERY: Duration = Duration::from_secs(20);

/// Variable with the lock's name; `true` names it after the inventory.
const NAME: &str = "sasrun_lock";
/// Variable with the hosts that hold it: a list, or a pattern.
const HOSTS: &str = "sasrun_lock_hosts";

/// What the run holds.
#[derive(Default)]
pub(crate) struct Locks {
    held: RefCell<Option<Held>>,
    is_lost: Cell<bool>,
}

#[derive(Clone)]
struct Held {
    /// As the controller has it.
    local: LockClaim,
    /// As the hosts have it.
    claim: LockClaim,
    hosts: Vec<Name>,
}

/// What the inventory wants to be locked.
struct Wanted {
    name: String,
    hosts: Vec<Name>,
}

impl Run {
    /// Takes the lock that the inventory names, before anything is changed. False when the run
    /// must not begin; why is noted.
    pub(crate) async fn take_locks(&self) -> bool {
        let Some(local) = self.local_locks.clone().filter(|_| !self.options.check) else {
            return true;
        };
        let wanted = match self.wanted_lock() {
            Ok(None) => return true,
            Ok(Some(wanted)) => wanted,
            Err(error) => {
                self.refuse(&format!(
                    "the lock of the inventory cannot be told: {error}"
                ));
                return false;
            }
        };
        let claim = match local.take(&self.claim(&wanted.name)) {
            Ok(claim) => claim,
            Err(refusal) => {
                self.refuse_lock(refusal);
                return false;
            }
        };
        let mut held = Held {
            local: claim.clone(),
            claim,
            hosts: Vec::new(),
        };
        let result = self.take_on_hosts(&wanted.hosts, &mut held).await;
        let name = held.claim.name.clone();
        let (hosts, fence) = (held.hosts.clone(), held.claim.fence);
        *self.locks.held.borrow_mut() = Some(held);
        if let Err(refusal) = result {
            self.release_locks().await;
            self.refuse_lock(refusal);
            return false;
        }
        self.dispatcher
            .emit(EventKind::LockTaken { name, hosts, fence });
        true
    }

    fn refuse_lock(&self, refusal: LockRefusal) {
        match refusal {
            LockRefusal::Held(why) => self.refuse_locked(&why),
            LockRefusal::Failed(why) => self.refuse(&why),
        }
    }

    fn claim(&self, name: &str) -> LockClaim {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        LockClaim {
            name: name.to_owned(),
            run: self.id.to_string(),
            owner: self.options.login_name.clone(),
            host: self.options.controller_name.clone(),
            pid: std::process::id(),
            since_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            since: String::new(),
            reason: self.options.purpose.clone(),
            fence: 1,
        }
    }

    /// The lock that the inventory names for all its hosts.
    fn wanted_lock(&self) -> Result<Option<Wanted>, TemplateError> {
        let inventory = self.shared.inventory();
        let Some(host) = inventory.hosts.keys().next() else {
            return Ok(None);
        };
        let scope = self.scope_outside_plays(host);
        let name = match self.templates.variable(NAME, &scope)? {
            None | Some(Value::Null | Value::Omit | Value::Bool(false)) => return Ok(None),
            Some(Value::Bool(true)) => {
                let sources = inventory.sources.iter();
                let paths: Vec<String> = sources.map(|path| path.display().to_string()).collect();
                paths.join(",")
            }
            Some(name) => self.templates.display(&name),
        };
        let pattern = match self.templates.variable(HOSTS, &scope)? {
            None | Some(Value::Null | Value::Omit) => {
                return Ok(Some(Wanted {
                    name,
                    hosts: Vec::new(),
                }));
            }
            Some(Value::List(hosts)) => {
                let names: Vec<String> = hosts.iter().map(|h| self.templates.display(h)).collect();
                names.join(":")
            }
            Some(pattern) => self.templates.display(&pattern),
        };
        let selected = self
            .files
            .select(&pattern, &inventory)
            .map_err(crate::looking::unusable)?;
        if let Some(part) = selected.unmatched.first() {
            let message = format!("{HOSTS} names \"{part}\", and no host or group is called so");
            return Err(crate::looking::unusable(message));
        }
        let mut hosts = selected.hosts;
        // In one order, whatever order an inventory has, so that of two runs one comes first everywhere.
        hosts.sort();
        Ok(Some(Wanted { name, hosts }))
    }

    fn scope_outside_plays(&self, host: &Name) -> Arc<dyn Scope> {
        Arc::new(TaskScope::new(ScopeParts {
            shared: Arc::clone(&self.shared),
            play: Arc::default(),
            play_variables: Arc::default(),
            level: None,
            task: None,
            host: Arc::clone(host),
        }))
    }

    /// The connection to a host, reached as its variables alone say.
    async fn lock_connection(&self, host: &Name) -> Result<Connection, String> {
        let scope = self.scope_outside_plays(host);
        let target = Reaching {
            templates: &self.templates,
            options: &self.options,
            secrets: &*self.secrets,
            scope: &scope,
            task_scope: &scope,
            level: None,
            task: None,
            host,
        }
        .target()
        .map_err(|error| error.to_string())?;
        let connected = self.pool.connection(&target).await;
        connected.map_err(|error: ConnectionError| error.to_string())
    }

    /// Takes the lock on hosts, the first alone, for then of two runs one comes first everywhere.
    async fn take_on_hosts(&self, hosts: &[Name], held: &mut Held) -> Result<(), LockRefusal> {
        let mut failures = Vec::new();
        for host in hosts {
            match self.take_on(host, &held.claim).await {
                Ok(Taking::Taken(fence)) => {
                    held.hosts.push(Arc::clone(host));
                    held.claim.fence = held.claim.fence.max(fence);
                }
                Ok(Taking::Held(other)) => {
                    return Err(LockRefusal::Held(format!(
                        "the lock \"{}\" is held on {host} by {other}; when that run is over, or \
                         was cut off, `sasrun resume` there goes on with it; if it never will, \
                         give the lock back with `sasrun unlock {} -i INVENTORY`",
                        other.name, other.run
                    )));
                }
                Err(error) => failures.push(format!("{host}: {error}")),
            }
        }
        let needed = if hosts.is_empty() {
            0
        } else {
            hosts.len() / 2 + 1
        };
        if held.hosts.len() < needed {
            return Err(LockRefusal::Failed(format!(
                "the lock \"{}\" needs {needed} of {} hosts, and these do not hold it: {}",
                held.claim.name,
                hosts.len(),
                failures.join("; ")
            )));
        }
        for failure in failures {
            self.warn(format!("the lock is not held everywhere: {failure}"));
        }
        Ok(())
    }

    async fn take_on(&self, host: &Name, claim: &LockClaim) -> Result<Taking, String> {
        let connection = self.lock_connection(host).await?;
        on_host::take(&connection, claim).await
    }

    /// Keeps telling the hosts that the owner is alive. When the lock was taken from it, the run
    /// begins nothing new. Never ends.
    pub(crate) async fn keep_locks(&self) {
        loop {
            tokio::time::sleep(BEAT_EVERY).await;
            let Some(held) = self.locks.held.borrow().clone() else {
                continue;
            };
            let beats = held.hosts.iter().map(|host| async {
                let connection = self.lock_connection(host).await?;
                on_host::beat(&connection, &held.claim).await
            });
            let found = join_all(beats).await;
            for (host, found) in held.hosts.iter().zip(found) {
                match found {
                    Ok(Found::Ours) => {}
                    Ok(Found::Gone) => self.lose_lock(&held.claim.name, host, "nobody"),
                    Ok(Found::Of(other)) => {
                        self.lose_lock(&held.claim.name, host, &other.to_string());
                    }
                    // It will be told the next time.
                    Err(error) => tracing::debug!(%host, %error, "the lock was not looked at"),
                }
            }
        }
    }

    fn lose_lock(&self, name: &str, host: &Name, other: &str) {
        if !self.locks.is_lost.replace(true) {
            self.refuse_locked(&format!(
                "the lock \"{name}\" was taken from this run: on {host} it is held by {other}; \
                 nothing new begins"
            ));
        }
    }

    /// Whether the lock was taken from the run.
    pub(crate) fn has_lost_lock(&self) -> bool {
        self.locks.is_lost.get()
    }

    /// Gives the lock back, where it is still this run's.
    pub(crate) async fn release_locks(&self) {
        let Some(held) = self.locks.held.borrow_mut().take() else {
            return;
        };
        let releases = held.hosts.iter().map(|host| async {
            let connection = self.lock_connection(host).await?;
            on_host::release(&connection, &held.claim).await
        });
        let released = join_all(releases).await;
        for (host, result) in held.hosts.iter().zip(released) {
            if let Err(error) = result {
                self.warn(format!(
                    "the lock \"{}\" could not be given back on {host}: {error}; \
                     `sasrun unlock {} -i INVENTORY` does it",
                    held.claim.name, held.claim.run
                ));
            }
        }
        if let Some(local) = &self.local_locks
            && let Err(error) = local.release(&held.local)
        {
            self.warn(error);
        }
    }

    /// Gives back the lock of a run that will not: on each host where that run has it.
    pub(crate) async fn unlock(&self, run: &str) -> Vec<(Name, Result<bool, String>)> {
        let wanted = match self.wanted_lock() {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return Vec::new(),
            Err(error) => return vec![("inventory".into(), Err(error.to_string()))],
        };
        let mut results = Vec::new();
        for host in wanted.hosts {
            let result = match self.lock_connection(&host).await {
                Ok(connection) => on_host::unlock(&connection, &wanted.name, run).await,
                Err(error) => Err(error),
            };
            results.push((host, result));
        }
        self.pool.close().await;
        results
    }
}
