//! Steps that were begun before the run went on, and whose end is not recorded.
//!
//! What may be done again is done again. What must not be done twice is done again only when a
//! person said so or the host can show that it was not done; otherwise its end stays unknown.

use std::sync::Arc;

use sasrun_model::{
    Action, Decision, EventKind, HostTask, Key, Keyword, Name, Outcome, Status, StepClass, Value,
};
use sasrun_plugin::Repetition;
use sasrun_template::Scope;

use super::{HostRun, mapping, result};
use crate::looking::Looking;
use crate::talk::Talking;
use crate::variables::TaskScope;

/// Arguments by which a command itself sees whether it is done.
const OWN_PROBES: [&str; 2] = ["creates", "removes"];

impl HostRun<'_> {
    /// What may be done with the step when its end stays unknown.
    pub(crate) fn class(&self) -> StepClass {
        let repetition = match &self.task.action {
            Action::Module(name) => {
                let declared = self.run.registry.find(name);
                declared.map(|module| module.spec().repetition)
            }
            // Which one it is, each item of a loop says.
            Action::Chosen(_) => Some(Repetition::Once),
            Action::Meta(_) | Action::Include(_) => return StepClass::Read,
        };
        let scope: Arc<dyn Scope> = self.scope();
        if self.is_check(&scope).unwrap_or(false) {
            return StepClass::Read;
        }
        match repetition {
            Some(Repetition::Read) => StepClass::Read,
            Some(Repetition::Once) if !self.may_repeat(&scope) => StepClass::Once,
            _ => StepClass::Repeat,
        }
    }

    fn may_repeat(&self, scope: &Arc<dyn Scope>) -> bool {
        let has_probe = self.task.arguments.entries().iter().any(|entry| {
            let name = entry.key.as_str().unwrap_or_default();
            OWN_PROBES.contains(&name)
        });
        has_probe || self.flag(Keyword::Repeatable, scope).unwrap_or(false)
    }

    /// Begins a try. Gives an outcome when the try must not be made.
    pub(super) async fn begin_try(
        &self,
        scope: &Arc<TaskScope>,
        id: &HostTask,
        delegate: Option<&Name>,
    ) -> Option<Outcome> {
        if self.class() != StepClass::Once {
            return None;
        }
        if self.run.past.was_begun(id)
            && let Some(outcome) = self.how_it_ended(scope, id, delegate).await
        {
            return Some(outcome);
        }
        if id.item.is_none() && id.attempt == 0 {
            return None;
        }
        let begins = EventKind::ItemStarted { id: id.clone() };
        self.run.dispatcher.emit(begins);
        let lost = self.run.dispatcher.durable().await.err()?;
        Some(result::failure(lost.to_string()))
    }

    /// The end of a step that must not be done twice; none when it is to be done.
    async fn how_it_ended(
        &self,
        scope: &Arc<TaskScope>,
        id: &HostTask,
        delegate: Option<&Name>,
    ) -> Option<Outcome> {
        match self.run.past.decision(id) {
            // The host knows what came of a job: asking for it again finds the one that is there.
            None if self.is_job(scope) => return None,
            Some(Decision::Repeat) => return None,
            Some(Decision::Done) => return Some(done("a person said that it is done")),
            None => {}
        }
        let Some(probe) = self.task.keywords.get(Keyword::DoneWhen) else {
            return Some(self.unknown(id, "its end was not recorded"));
        };
        let plain: Arc<dyn Scope> = Arc::clone(scope) as _;
        let script = match self.templates().resolve(probe, &plain) {
            Ok(script) => self.templates().display(&script),
            Err(error) => return Some(result::template_failure(self, "done_when", &error)),
        };
        match self.probe(scope, delegate, script).await {
            Some(0) => Some(done("`done_when` says that it is")),
            Some(_) => None,
            None => Some(self.unknown(id, "`done_when` could not be asked of the host")),
        }
    }

    /// A step whose end is not known, and the ways on.
    fn unknown(&self, id: &HostTask, known: &str) -> Outcome {
        let msg = format!("it was begun before and it is not known how it ended: {known}");
        let fields = mapping([
            ("changed", false.into()),
            ("failed", true.into()),
            ("msg", msg.into()),
        ]);
        let mut outcome = result::outcome(Status::Unknown, fields);
        self.tell_ways_on(&mut outcome, id);
        outcome
    }

    /// Says of a step whose end is not known which it is, and how to go on.
    pub(super) fn tell_ways_on(&self, outcome: &mut Outcome, id: &HostTask) {
        let Value::Map(map) = &mut outcome.result else {
            return;
        };
        let scope: Arc<dyn Scope> = self.scope() as _;
        let name = self.task.name.as_ref();
        let name = name.and_then(|node| self.templates().resolve(node, &scope).ok());
        let name = name.map(|name| self.templates().display(&name));
        let map = Arc::make_mut(map);
        let known = map.get(&Key::from("msg"));
        let known = known.map(|msg| self.templates().display(msg));
        let msg = format!(
            "{}. Look at the host, then decide: `sasrun resume {} --mark-done {id}`, \
             `--repeat {id}`, or `--abort`",
            known.unwrap_or_default(),
            self.run.id
        );
        map.insert(Key::from("msg"), msg.into());
        map.insert(Key::from("step"), id.to_string().into());
        map.insert(Key::from("task"), name.unwrap_or_default().into());
    }

    async fn probe(
        &self,
        scope: &Arc<TaskScope>,
        delegate: Option<&Name>,
        script: String,
    ) -> Option<i32> {
        let plain: Arc<dyn Scope> = Arc::clone(scope) as _;
        let environment = self.environment(&plain).ok()?;
        if !self.await_begun().await {
            return None;
        }
        let mut talking = Talking::new(
            self,
            Arc::clone(scope),
            delegate.cloned(),
            environment,
            false,
            None,
        );
        talking.probe(script).await
    }
}

/// A step that is taken for done.
fn done(why: &str) -> Outcome {
    let fields = mapping([
        ("changed", true.into()),
        ("failed", false.into()),
        ("msg", format!("not done again: {why}").into()),
    ]);
    result::outcome(Status::Changed, fields)
}
