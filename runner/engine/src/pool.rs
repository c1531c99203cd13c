//! Connections of a run: one for each way to reach a host, opened when first needed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use sasrun_connection::{Connection, ConnectionError, Target};
use tokio::sync::OnceCell;

type Slot = Rc<OnceCell<Connection>>;

/// Keeps connections open until the run ends or a task asks to log in anew.
#[derive(Default)]
pub(crate) struct Pool {
    slots: RefCell<HashMap<String, Slot>>,
}

impl Pool {
    /// The connection to a target; several tasks that need it wait for one login.
    pub(crate) async fn connection(&self, target: &Target) -> Result<Connection, ConnectionError> {
        let slot = {
            let mut slots = self.slots.borrow_mut();
            Rc::clone(slots.entry(key(target)).or_default())
        };
        slot.get_or_try_init(|| Connection::connect(target.clone()))
            .await
            .cloned()
    }

    /// Forgets the connection to a target, so that the next task logs in anew.
    pub(crate) async fn reset(&self, target: &Target) {
        let slot = self.slots.borrow_mut().remove(&key(target));
        if let Some(connection) = slot.and_then(|slot| slot.get().cloned()) {
            connection.close().await;
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        let slots: Vec<Slot> = self
            .slots
            .borrow_mut()
            .drain()
            .map(|(_, slot)| slot)
            .collect();
        let closing = slots
            .iter()
            .filter_map(|slot| slot.get())
            .map(Connection::close);
        futures::future::join_all(closing).await;
    }
}

/// What makes two targets the same. Secrets print as stars, so they play no part.
fn key(target: &Target) -> String {
    format!("{} {:?}", target.name, target.transport)
}
