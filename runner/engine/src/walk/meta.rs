//! `meta`: tasks that change the course of the play itself.

use std::sync::Arc;

use sasrun_model::{Name, Task};
use sasrun_template::Scope;

use super::{Failed, Walk};
use crate::variables::Level;

impl<'a> Walk<'a> {
    pub(super) async fn meta(
        self,
        meta: &str,
        task: &'a Arc<Task>,
        level: &Arc<Level>,
        hosts: &[Name],
    ) -> Failed {
        let mut meant = Vec::new();
        for host in hosts {
            let host_run = self.host_run(task, level, host);
            let scope: Arc<dyn Scope> = host_run.scope();
            self.run.comes_to(host, task);
            match host_run.decided_conditions(0, &scope) {
                Ok(None) => meant.push(Arc::clone(host)),
                Ok(Some(_)) => {}
                Err(error) => {
                    self.run
                        .warn(format!("the condition of meta {meta}: {error}"));
                }
            }
        }
        if meant.is_empty() {
            return Failed::new();
        }
        match meta {
            "flush_handlers" => return self.flush_handlers(&meant, level.is_caught()).await,
            "end_play" => {
                self.play.end(hosts);
                self.play.end_all_batches();
            }
            "end_batch" => self.play.end(hosts),
            "end_host" => self.play.end(&meant),
            "end_role" => {
                if let Some(role) = level.roles().next() {
                    self.play.end_role(role, &meant);
                }
            }
            "clear_facts" => meant.iter().for_each(|host| self.run.clear_facts(host)),
            "clear_host_errors" => self.play.clear_errors(self.run),
            "reset_connection" => {
                for host in &meant {
                    let host_run = self.host_run(task, level, host);
                    self.run.reset_connection(&host_run).await;
                }
            }
            "refresh_inventory" => self.run.refresh_inventory(),
            _ => {}
        }
        Failed::new()
    }
}
