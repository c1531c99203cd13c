//! Handlers: run once for each host that notified them, in the order they are written.

use std::sync::Arc;

use futures::future::LocalBoxFuture;
use sasrun_model::Name;

use super::{Failed, Walk};
use crate::variables::Level;

/// Rounds after which handlers that notify each other are given up on.
const MOST_ROUNDS: usize = 100;

impl Walk<'_> {
    /// Runs the handlers that these hosts are owed; a rescue around the place where they run may catch
    /// their failures.
    pub(crate) async fn flush_handlers(self, hosts: &[Name], is_caught: bool) -> Failed {
        let mut failed = Failed::new();
        let _flushing = self.play.begin_flush();
        for _ in 0..MOST_ROUNDS {
            self.play.resolve_notified(self.run, hosts);
            let Some(index) = self.play.first_owed(hosts) else {
                return failed;
            };
            let owed: Vec<Name> = self
                .play
                .take_owed(index, hosts)
                .into_iter()
                .filter(|host| !failed.contains(host) && self.is_going(host))
                .collect();
            let Some((handler, level)) = self.play.handler(index) else {
                return failed;
            };
            if owed.is_empty() {
                continue;
            }
            let level = match is_caught {
                true => Level::caught(&level),
                false => level,
            };
            failed.extend(self.handler(&handler, &level, &owed).await);
        }
        self.run
            .warn("handlers notify each other without end; the rest is left".into());
        failed
    }

    fn handler<'b>(
        self,
        handler: &'b Arc<sasrun_model::Task>,
        level: &'b Arc<Level>,
        owed: &'b [Name],
    ) -> LocalBoxFuture<'b, Failed>
    where
        Self: 'b,
    {
        Box::pin(self.owned_task(handler, level, owed))
    }
}
