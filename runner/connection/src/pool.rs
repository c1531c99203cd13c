//! The shells of one connection: kept per identity, few at a time, replaced when in doubt.
//!
//! Must not: hand out a shell that a process of an earlier command could still write to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time;

use crate::r#become;
use crate::command::Command;
use crate::connection;
use crate::error::{Problem, excerpt};
use crate::identity::{Become, Identity};
use crate::shell::kept::{Frame, Shell};
use crate::target::{Target, Transport};
use crate::transport::local::LocalLink;
use crate::transport::ssh::SshLink;
use crate::transport::{ByteChannel, Link, Program, TerminalSize};

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
        Ok(self.lease(identity, shell, false))
    }

    /// A new shell that is not given back.
    pub(crate) async fn take_alone(
        self: &Arc<Self>,
        identity: &Identity,
    ) -> Result<Lease, Problem> {
        let permit = self.permit().await?;
        let shell = self.open_shell(identity, permit).await?;
        Ok(self.lease(identity, shell, true))
    }

    fn lease(self: &Arc<Self>, identity: &Identity, shell: Shell, is_alone: bool) -> Lease {
        Lease {
            pool: Arc::clone(self),
            identity: identity.clone(),
            shell: Some(shell),
            is_alone,
            is_last_means: false,
        }
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

    async fn open_shell(
        self: &Arc<Self>,
        identity: &Identity,
        permit: OwnedSemaphorePermit,
    ) -> Result<Shell, Problem> {
        let link = self.link().await?;
        let limit = self.target.limits.shell_start;
        let starting = start_shell(&link, identity, permit);
        match time::timeout(limit, starting).await {
            Ok(Ok(shell)) => Ok(shell),
            Ok(Err(problem)) => Err(self.explained(problem).await),
            Err(_) => Err(Problem::Timeout {
                phase: "starting a shell",
                limit,
            }),
        }
    }

    /// What kept a shell from starting: where the connection was lost under it, why that was.
    async fn explained(&self, problem: Problem) -> Problem {
        match problem {
            Problem::Lost { reason } => Problem::Lost {
                reason: self.why_lost().await.unwrap_or(reason),
            },
            Problem::ShellStart { .. } | Problem::BecomeRefused { .. } => {
                match self.why_lost().await {
                    Some(why) => Problem::ShellStart {
                        reason: format!("the connection was lost: {why}"),
                    },
                    None => problem,
                }
            }
            _ => problem,
        }
    }

    /// Starts a program on a terminal of its own.
    pub(crate) async fn open_terminal(
        self: &Arc<Self>,
        identity: &Identity,
        size: TerminalSize,
        program: &str,
    ) -> Result<(ByteChannel, bytes::Bytes), Problem> {
        let permit = self.permit().await?;
        let link = self.link().await?;
        let limit = self.target.limits.shell_start;
        let starting = async {
            match identity {
                Identity::Login => {
                    let line = Program::Line(program.to_owned());
                    Ok((link.open(&line, Some(size)).await?, bytes::Bytes::new()))
                }
                Identity::Become(who) => {
                    let entered = r#become::enter_terminal(&link, who, size, program).await?;
                    Ok((entered.channel, entered.rest))
                }
            }
        };
        let (mut channel, rest) = match time::timeout(limit, starting).await {
            Ok(Ok(started)) => started,
            Ok(Err(problem)) => return Err(self.explained(problem).await),
            Err(_) => {
                return Err(Problem::Timeout {
                    phase: "starting a program on a terminal",
                    limit,
                });
            }
        };
        channel.permit = Some(permit);
        Ok((channel, rest))
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

async fn start_shell(
    link: &Link,
    identity: &Identity,
    permit: OwnedSemaphorePermit,
) -> Result<Shell, Problem> {
    let who = match identity {
        Identity::Login => {
            let mut channel = link.open(&Program::Shell, None).await?;
            channel.permit = Some(permit);
            return Shell::greet(channel, false).await;
        }
        Identity::Become(who) => who,
    };
    let mut entered = r#become::enter_shell(link, who).await?;
    entered.channel.permit = Some(permit);
    let mut shell = Shell::greet(entered.channel, entered.is_on_terminal).await?;
    verify(&mut shell, who).await?;
    Ok(shell)
}

/// Asks a shell who it is before it is given anything to do.
async fn verify(shell: &mut Shell, who: &Become) -> Result<(), Problem> {
    let user = crate::shell::quote::word(&who.user);
    let command = Command::shell(format!("id; id {user}"));
    let frame = Frame {
        command: &command,
        output_bytes: 16 << 10,
        is_own: false,
    };
    let Ok(answer) = shell.run(&frame, None).await else {
        return Err(Problem::ShellStart {
            reason: "it does not say who it is".to_owned(),
        });
    };
    let text = answer.stdout.text().into_owned();
    let mut lines = text.lines();
    let uid = |line: Option<&str>| {
        let rest = line?.split_once("uid=")?.1;
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        rest.get(..digits).map(str::to_owned)
    };
    let actual = uid(lines.next());
    let wanted = uid(lines.next()).unwrap_or_else(|| who.user.clone());
    if actual.as_deref() == Some(wanted.trim_start_matches('#')) {
        return Ok(());
    }
    Err(Problem::BecomeIdentity {
        user: who.user.clone(),
        actual: excerpt(text.lines().next().unwrap_or_default().as_bytes()),
    })
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

/// A shell on loan; dropped while a command runs in it, it ends that command.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    identity: Identity,
    shell: Option<Shell>,
    is_alone: bool,
    /// Says that it is itself the means to end a command, so that nothing is left to end it with.
    is_last_means: bool,
}

impl Lease {
    /// Takes the shell for ending what runs in another one.
    pub(crate) fn for_ending(mut self) -> Self {
        self.is_last_means = true;
        self
    }

    pub(crate) fn shell(&mut self) -> Result<&mut Shell, Problem> {
        self.shell
            .as_mut()
            .ok_or_else(|| Problem::lost("the shell is gone"))
    }

    /// Gives the shell back after its command ended.
    pub(crate) fn finish(mut self, is_leaving_processes: bool) {
        let Some(shell) = self.shell.take() else {
            return;
        };
        if is_leaving_processes || self.is_alone {
            self.pool.retire(shell);
        } else {
            self.pool.give_back(&self.identity, shell);
        }
    }

    /// Drops a shell that has ended.
    pub(crate) fn discard(mut self) {
        self.shell = None;
    }

    /// Hands over the shell for good.
    pub(crate) fn give_away(&mut self) -> Option<(Identity, Shell)> {
        Some((self.identity.clone(), self.shell.take()?))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((identity, shell)) = self.give_away() else {
            return;
        };
        if self.is_last_means {
            return;
        }
        let pool = Arc::clone(&self.pool);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let end = connection::end_processes(&pool, &identity, shell).await;
                tracing::debug!(
                    host = pool.target.name,
                    ?end,
                    "an abandoned command was ended"
                );
            });
        }
    }
}
