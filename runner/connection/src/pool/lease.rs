//! A shell on loan from the pool.

use std::sync::Arc;

use super::Pool;
use crate::connection;
use crate::error::Problem;
use crate::identity::Identity;
use crate::shell::kept::Shell;

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
    /// Lends a shell; one that is alone is not given back.
    pub(super) fn of(pool: &Arc<Pool>, identity: &Identity, shell: Shell, is_alone: bool) -> Self {
        Self {
            pool: Arc::clone(pool),
            identity: identity.clone(),
            shell: Some(shell),
            is_alone,
            is_last_means: false,
        }
    }

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
