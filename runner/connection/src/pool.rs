//! The shells of one connection: kept per identity, few at a time, replaced when in doubt.
//!
//! Must not: hand out a shell that a process of an earlier command could still write to.

mod lease;
mod opening;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time;

pub(crate) use self::lease::Lease;
use crate::error::Problem;
use crate::identity::Identity;
use crate::shell::kept::Shell;
use crate::target::{Target, Transport};
use crate::transport::local::LocalLink;
use crate::transport::ssh::SshLink;
use crate::transport::{ByteChannel, Link};

/// Shells with leftover processes that are still listened to, beyond the channels in use.
const LINGERING: usize = 2;
/// Longest wait for a shell to end that was told to.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often idle shells are looked at: one that nobody reads could block the whole connection.
const PATROL: Duration = Duration::from_millis(500);

/// What there is for somebody who needs a shell.
enum Place {
    Shell(Shell),
    Channel(OwnedSemaphorePermit),
}

/// The connected transport and its idle shells.
#[derive(Debug)]
pub(crate) struct Pool {
    pub target: Target,
    link: tokio::sync::Mutex<Option<Arc<Link>>>,
    idle: Mutex<HashMap<Identity, Vec<Shell>>>,
    /// Tells those who wait for a channel that a shell is idle.
    returned: Notify,
    channels: Arc<Semaphore>,
    lingering: Arc<Semaphore>,
}

impl Pool {
    pub(crate) fn new(target: Target) -> Self {
        let channels = target.limits.channels.max(2);
        Self {
            target,
            link: tokio::sync::Mutex::default(),
            idle: Mutex::default(),
            returned: Notify::new(),
            channels: Arc::new(Semaphore::new(channels)),
            lingering: Arc::new(Semaphore::new(LINGERING)),
        }
    }

    /// The transport, connected now if it is not.
    pub(crate) async fn link(self: &Arc<Self>) -> Result<Arc<Link>, Problem> {
        let mut slot = self.link.lock().await;
        if let Some(link) = slot.as_ref().filter(|link| link.is_alive()) {
            return Ok(Arc::clone(link));
        }
        self.idle().clear();
        let link = Arc::new(match &self.target.transport {
            Transport::Local(local) => Link::Local(LocalLink::new(local)),
            Transport::Ssh(ssh) => {
                Link::Ssh(Box::new(SshLink::connect(ssh, &self.target.limits).await?))
            }
        });
        tokio::spawn(patrol(Arc::downgrade(self), Arc::downgrade(&link)));
        *slot = Some(Arc::clone(&link));
        Ok(link)
    }

    /// Why the connection was lost, as far as it is known.
    pub(crate) async fn why_lost(&self) -> Option<String> {
        let link = self.link.lock().await.clone()?;
        // The channels close a moment before the reason is known.
        for _ in 0..20 {
            if let Some(reason) = link.why_lost() {
                return Some(reason);
            }
            if link.is_alive() {
                time::sleep(Duration::from_millis(5)).await;
            }
        }
        None
    }

    /// An idle shell of an identity, or a new one; waits its turn where the host allows no more channels.
    pub(crate) async fn take(self: &Arc<Self>, identity: &Identity) -> Result<Lease, Problem> {
        let shell = match self.place(Some(identity)).await? {
            Place::Shell(shell) => shell,
            Place::Channel(permit) => self.open_shell(identity, permit).await?,
        };
        Ok(Lease::of(self, identity, shell, false))
    }

    /// A new shell that is not given back.
    pub(crate) async fn take_alone(
        self: &Arc<Self>,
        identity: &Identity,
    ) -> Result<Lease, Problem> {
        let permit = self.permit().await?;
        let shell = self.open_shell(identity, permit).await?;
        Ok(Lease::of(self, identity, shell, true))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, HashMap<Identity, Vec<Shell>>> {
        // A panic elsewhere leaves a map of shells that is as good as before.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, identity: &Identity, shell: Shell) {
        let mut idle = self.idle();
        match idle.get_mut(identity) {
            Some(shells) => shells.push(shell),
            None => drop(idle.insert(identity.clone(), vec![shell])),
        }
        drop(idle);
        self.returned.notify_one();
    }

    fn pop(&self, identity: &Identity) -> Option<Shell> {
        self.idle().get_mut(identity).and_then(Vec::pop)
    }

    /// A place for one more channel.
    async fn permit(self: &Arc<Self>) -> Result<OwnedSemaphorePermit, Problem> {
        loop {
            if let Place::Channel(permit) = self.place(None).await? {
                return Ok(permit);
            }
        }
    }

    /// An idle shell of the identity asked for, or a place for one more channel, whichever is there first.
    async fn place(self: &Arc<Self>, identity: Option<&Identity>) -> Result<Place, Problem> {
        loop {
            let returned = self.returned.notified();
            while let Some(mut shell) = identity.and_then(|identity| self.pop(identity)) {
                if shell.is_quiet().await {
                    return Ok(Place::Shell(shell));
                }
                self.retire(shell);
            }
            if let Ok(permit) = Arc::clone(&self.channels).try_acquire_owned() {
                return Ok(Place::Channel(permit));
            }
            // All are taken: an idle shell of somebody else gives up its own.
            let spare = self.idle().values_mut().find_map(Vec::pop);
            if let Some(shell) = spare {
                self.retire(shell);
            }
            tokio::select! {
                permit = Arc::clone(&self.channels).acquire_owned() => {
                    let permit = permit.map_err(|_| Problem::lost("the connection is closed"))?;
                    return Ok(Place::Channel(permit));
                }
                () = returned => {}
            }
        }
    }

    /// Lets a shell end, and listens to it for as long as a process that it left behind may write.
    pub(crate) fn retire(self: &Arc<Self>, shell: Shell) {
        let mut channel = shell.into_channel();
        let lingering = Arc::clone(&self.lingering);
        tokio::spawn(async move {
            say_farewell(&mut channel).await;
            if time::timeout(FAREWELL, channel.reader.drain())
                .await
                .is_ok()
            {
                return;
            }
            let Ok(_place) = lingering.try_acquire_owned() else {
                channel.writer.close().await;
                return;
            };
            drop(channel.permit.take());
            channel.reader.drain().await;
        });
    }

    /// Retires all idle shells.
    pub(crate) async fn clear(self: &Arc<Self>) {
        let shells: Vec<Shell> = self.idle().drain().flat_map(|(_, shells)| shells).collect();
        for shell in shells {
            self.retire(shell);
        }
    }

    /// Ends the idle shells that became a user, and waits for their end.
    pub(crate) async fn leave_user(&self, user: &str) {
        let is_of =
            |identity: &Identity| matches!(identity, Identity::Become(who) if who.user == user);
        let shells: Vec<Shell> = self
            .idle()
            .extract_if(|identity, _| is_of(identity))
            .flat_map(|(_, shells)| shells)
            .collect();
        let mut leaving = tokio::task::JoinSet::new();
        for shell in shells {
            leaving.spawn(leave(shell.into_channel()));
        }
        if time::timeout(FAREWELL, leaving.join_all()).await.is_err() {
            tracing::debug!(host = self.target.name, "a shell did not end when told to");
        }
    }

    /// Ends the connection, after the shells of other users have ended.
    pub(crate) async fn close(self: &Arc<Self>) {
        let idle = std::mem::take(&mut *self.idle());
        let Some(link) = self.link.lock().await.take() else {
            return;
        };
        if link.is_alive() {
            // A program that changes the user may not survive well that its terminal or its pipes go before its shell.
            let of_others = idle.into_iter().filter_map(|(identity, shells)| {
                matches!(identity, Identity::Become(_)).then_some(shells)
            });
            let mut leaving = tokio::task::JoinSet::new();
            for shell in of_others.flatten() {
                leaving.spawn(leave(shell.into_channel()));
            }
            if time::timeout(FAREWELL, leaving.join_all()).await.is_err() {
                tracing::debug!(host = self.target.name, "a shell did not end when told to");
            }
        }
        link.close().await;
    }
}

/// Tells a shell to end.
async fn say_farewell(channel: &mut ByteChannel) {
    // On a terminal the end of input is not seen.
    let farewell = channel.writer.write("exit 0\n".into()).await;
    let farewell = farewell.and(channel.writer.finish().await);
    if let Err(reason) = farewell {
        tracing::debug!(reason, "the shell had ended already");
    }
}

/// Tells a shell to end and waits until it has.
async fn leave(mut channel: ByteChannel) {
    say_farewell(&mut channel).await;
    channel.reader.drain().await;
}

/// Takes idle shells away that something comes from although nothing runs in them.
async fn patrol(pool: Weak<Pool>, link: Weak<Link>) {
    loop {
        time::sleep(PATROL).await;
        let (Some(pool), Some(_)) = (pool.upgrade(), link.upgrade()) else {
            return;
        };
        let shells: Vec<(Identity, Shell)> = {
            let mut idle = pool.idle();
            let all = idle.drain();
            all.flat_map(|(identity, shells)| {
                shells
                    .into_iter()
                    .map(move |shell| (identity.clone(), shell))
            })
            .collect()
        };
        for (identity, mut shell) in shells {
            if shell.is_quiet().await {
                pool.give_back(&identity, shell);
            } else {
                pool.retire(shell);
            }
        }
    }
}
