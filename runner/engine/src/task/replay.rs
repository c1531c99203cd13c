//! Steps that ended before the run went on: their outcome and effects come from the journal.

use std::sync::Arc;

use sasrun_model::{HostTask, Kept, KeptEffect, Name, Outcome, Status, Value};
use sasrun_plugin::Effect;
use sasrun_template::Scope;

use super::{HostOutcome, HostRun, registered, told};
use crate::replay::Finished;

impl HostRun<'_> {
    /// What came of the step before; none when it did not end. Touches no host.
    pub(super) async fn replayed(&self, id: &HostTask) -> Option<HostOutcome> {
        let Finished {
            outcome,
            kept,
            ignored,
            looped,
            ..
        } = self.run.past.finished(id)?.clone();
        if looped {
            for item in self.run.past.items(id) {
                self.restore(item.kept.as_ref(), &item.outcome).await;
            }
        }
        self.restore(kept.as_ref(), &outcome).await;
        if let Some(name) = &self.task.register {
            self.set_variable(Arc::clone(name), registered(&outcome.result));
        }
        if outcome.status == Status::Changed {
            let scope: Arc<dyn Scope> = self.scope();
            // What it notified, it notified when it ended; a name that cannot be found failed it.
            if let Err(message) = self.notify(&scope) {
                tracing::warn!(%message, "a step that is replayed notifies nobody");
            }
        }
        Some(HostOutcome { outcome, ignored })
    }

    /// Whether the step ended before the run went on.
    pub(crate) fn is_done_before(&self) -> bool {
        self.run.past.finished(&self.id(None, 0)).is_some()
    }

    /// What came of an item of the step's loop before; none when it did not end.
    pub(super) async fn replayed_item(&self, id: &HostTask) -> Option<Outcome> {
        let done = self.run.past.item(id)?.clone();
        self.restore(done.kept.as_ref(), &done.outcome).await;
        self.effects.borrow_mut().clear();
        Some(Outcome::clone(&done.outcome))
    }

    /// How many tries of a step failed before; what they did to the run is done again.
    pub(super) async fn tried(&self, id: &HostTask) -> u32 {
        let tries = self.run.past.tries(id).to_vec();
        let nothing = super::failure("");
        for kept in &tries {
            self.restore(kept.as_ref(), &nothing).await;
        }
        self.effects.borrow_mut().clear();
        u32::try_from(tries.len()).unwrap_or(u32::MAX)
    }

    /// Lets the effects of a finished step happen again.
    async fn restore(&self, kept: Option<&Arc<Kept>>, outcome: &Outcome) {
        for effect in kept.iter().flat_map(|kept| &kept.effects) {
            if let Err(message) = self.restore_one(effect, outcome).await {
                self.run
                    .warn(format!("{}: {}: {message}", self.host, self.task.path));
            }
        }
    }

    async fn restore_one(&self, effect: &KeptEffect, outcome: &Outcome) -> Result<(), String> {
        match effect {
            KeptEffect::Facts { host, facts } => {
                let facts = match facts {
                    Some(facts) => Some(facts.clone()),
                    None => outcome.result.get("ansible_facts").map(Into::into),
                };
                if let Some(serde_json::Value::Object(facts)) = facts {
                    self.run.learn_facts(host, &facts.into_iter().collect());
                }
                Ok(())
            }
            KeptEffect::Files { paths, merged } => {
                crate::talk::learn_files(self, &self.scope(), paths, *merged).map(|_| ())
            }
            KeptEffect::Module { asked, owner } => {
                let effect: Effect =
                    serde_json::from_value(asked.clone()).map_err(|error| error.to_string())?;
                self.effect(&effect, owner.as_ref()).await
            }
        }
    }

    /// Lets one effect of a module happen, for the step's host or for another one.
    pub(super) async fn effect(&self, effect: &Effect, owner: Option<&Name>) -> Result<(), String> {
        match (effect, owner) {
            (Effect::SetVariables { variables, .. }, Some(owner)) => {
                self.run.shared.change_host(owner, |learnt| {
                    let set = variables
                        .iter()
                        .map(|(name, value)| (name.as_str().into(), value.clone().into()));
                    Arc::make_mut(&mut learnt.set).extend(set);
                });
                Ok(())
            }
            (Effect::SetVariables { variables, .. }, None) => {
                for (name, value) in variables {
                    self.set_variable(name.as_str().into(), value.clone().into());
                }
                Ok(())
            }
            (other, _) => self.run.effect(self.host, other).await,
        }
    }

    /// Keeps an effect for a replay.
    pub(crate) fn keep(&self, effect: KeptEffect) {
        self.effects.borrow_mut().push(effect);
    }

    /// Keeps that facts were learnt about a host.
    pub(super) fn keep_facts(&self, host: &Name, facts: &sasrun_plugin::Object) {
        let facts = facts.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        self.keep(KeptEffect::Facts {
            host: Arc::clone(host),
            facts: Some(serde_json::Value::Object(facts)),
        });
    }

    /// What a replay needs of what just ended.
    pub(super) fn take_kept(&self, outcome: &Arc<Outcome>, no_log: bool) -> Option<Arc<Kept>> {
        let mut effects = self.effects.take();
        let in_result = outcome
            .result
            .get("ansible_facts")
            .map(serde_json::Value::from);
        for effect in &mut effects {
            if let KeptEffect::Facts { facts, .. } = effect
                && *facts == in_result
            {
                *facts = None;
            }
        }
        let censored = !Arc::ptr_eq(&told(outcome, no_log), outcome);
        if effects.is_empty() && !censored {
            return None;
        }
        Some(Arc::new(Kept {
            outcome: censored.then(|| Arc::clone(outcome)),
            effects,
        }))
    }
}

/// Identity of a loop's item: its index, and the hash of what it is.
pub(super) fn item_id(index: usize, value: &Value) -> Name {
    format!("{index}-{}", crate::content::hash_of(value)).into()
}
