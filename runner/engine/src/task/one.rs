//! One item of a task on its host: conditions, tries, the conversation, and its judgement.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sasrun_connection::JobId;
use sasrun_model::{
    Action, EventKind, HostTask, KeptEffect, Key, Keyword, Name, Node, Outcome, Status, Value,
};
use sasrun_plugin::{CheckSupport, Effect};
use sasrun_template::{Scope, TemplateError, Truth};

use super::arguments::CallError;
use super::{HostRun, LoopItem, number, result, told};
use crate::jobs::Suspended;
use crate::looking::{Looking, unknowable};
use crate::registry::TaskModule;
use crate::talk::{Ending, Talking};
use crate::variables::TaskScope;

/// Tries after the first when `until` stands without `retries`.
const DEFAULT_RETRIES: u32 = 3;
/// Seconds between tries when `delay` is absent.
const DEFAULT_DELAY: f64 = 5.0;

/// Most seconds that `timeout` may say.
const LONGEST_TIMEOUT: f64 = 100_000_000.0;

/// How long a try of a task may take.
#[derive(Debug, Clone)]
struct TimeLimit {
    deadline: Instant,
    /// As it was written.
    period: Value,
}

impl HostRun<'_> {
    /// Carries out one item, or the task itself when it has no loop. Also names the host that it
    /// was delegated to.
    pub(super) async fn one(
        &self,
        task_scope: &Arc<TaskScope>,
        item: Option<&LoopItem>,
    ) -> (Outcome, Option<Name>) {
        let scope = match item {
            Some(item) => Arc::new(task_scope.with(item.variables.iter().cloned())),
            None => Arc::clone(task_scope),
        };
        let plain: Arc<dyn Scope> = Arc::clone(&scope) as _;
        match self.conditions(&plain) {
            Ok(None) => {}
            Ok(Some(outcome)) => return (outcome, None),
            Err(error) => return (result::template_failure(self, "when", &error), None),
        }
        match self.delegate(&plain) {
            Ok(delegate) => {
                let scope = match &delegate {
                    Some(host) => Arc::new(scope.delegated_to(host)),
                    None => scope,
                };
                let mut outcome = self.tries(&scope, item, delegate.as_ref()).await;
                result::mark_exception(&mut outcome);
                (outcome, delegate)
            }
            Err(error) => (result::template_failure(self, "delegate_to", &error), None),
        }
    }

    /// Tries until the conditions of `until` hold or no tries are left.
    async fn tries(
        &self,
        scope: &Arc<TaskScope>,
        item: Option<&LoopItem>,
        delegate: Option<&Name>,
    ) -> Outcome {
        let (retries, delay) = match self.retries(&(Arc::clone(scope) as _)) {
            Ok(plan) => plan,
            Err(error) => return result::template_failure(self, "retries", &error),
        };
        let item = item.map(|item| Arc::clone(&item.id));
        let mut attempt = self.tried(&self.id(item.clone(), 0)).await;
        loop {
            let id = self.id(item.clone(), attempt);
            if let Some(outcome) = self.begin_try(scope, &id, delegate).await {
                return outcome;
            }
            let mut outcome = self.attempt(scope, &id, delegate).await;
            if self.is_left.get() {
                return outcome;
            }
            if retries > 0 {
                self.count_attempts(&mut outcome, attempt + 1);
            }
            if let Err((judging, error)) = self.judge(scope, &mut outcome) {
                let failure = result::template_failure(self, "condition", &error);
                if error.cannot_know().is_some() {
                    return failure;
                }
                result::unjudged(&mut outcome, &failure, judging);
                return outcome;
            }
            if retries == 0 || matches!(outcome.status, Status::Unreachable | Status::Unknown) {
                return outcome;
            }
            attempt += 1;
            match self.is_enough(scope, &outcome) {
                Ok(true) => return outcome,
                Ok(false) if attempt > retries => return exhausted(outcome, retries),
                Ok(false) => {}
                Err(error) => return result::template_failure(self, "until", &error),
            }
            let no_log = self.flag(Keyword::NoLog, &(Arc::clone(scope) as _));
            let no_log = no_log.unwrap_or(true);
            let outcome = Arc::new(outcome);
            self.run.dispatcher.emit(EventKind::HostRetry {
                id: self.id(item.clone(), attempt),
                left: (retries + 1).saturating_sub(attempt),
                outcome: told(&outcome, no_log),
                kept: self.take_kept(&outcome, no_log),
            });
            if !self.run.pause(delay).await {
                self.is_left.set(true);
                return result::failure("the run is being stopped");
            }
        }
    }

    fn retries(&self, scope: &Arc<dyn Scope>) -> Result<(u32, Duration), TemplateError> {
        let read = |node: &Option<Node>| -> Result<Option<f64>, TemplateError> {
            let Some(node) = node else { return Ok(None) };
            Ok(number(&self.templates().resolve(node, scope)?))
        };
        let delay = read(&self.task.delay)?.unwrap_or(DEFAULT_DELAY).max(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        let retries = match read(&self.task.retries)? {
            Some(count) => count.clamp(0.0, 1e9) as u32,
            None if self.task.until.is_empty() => 0,
            None => DEFAULT_RETRIES,
        };
        Ok((retries, Duration::from_secs_f64(delay)))
    }

    fn count_attempts(&self, outcome: &mut Outcome, attempt: u32) {
        if let Value::Map(map) = &mut outcome.result {
            Arc::make_mut(map).insert("attempts".into(), i64::from(attempt).into());
        }
    }

    /// Whether no further try is needed: `until` holds, or without one the task did not fail.
    fn is_enough(&self, scope: &Arc<TaskScope>, outcome: &Outcome) -> Result<bool, TemplateError> {
        if matches!(outcome.status, Status::Skipped | Status::CannotKnow) {
            return Ok(true);
        }
        if self.task.until.is_empty() {
            return Ok(outcome.status != Status::Failed);
        }
        self.all_hold(&self.task.until, scope, outcome)
    }

    /// Lets `changed_when` and `failed_when` decide; an error comes with the field that tells of it.
    fn judge(
        &self,
        scope: &Arc<TaskScope>,
        outcome: &mut Outcome,
    ) -> Result<(), (&'static str, TemplateError)> {
        if !matches!(
            outcome.status,
            Status::Ok | Status::Changed | Status::Failed
        ) {
            return Ok(());
        }
        if let Some(conditions) = &self.task.changed_when {
            let changed = self.all_hold(conditions, scope, outcome);
            let changed = changed.map_err(|error| ("changed_when_result", error))?;
            result::judge(outcome, Some(changed), None);
        }
        if let Some(conditions) = &self.task.failed_when {
            let failed = self.all_hold(conditions, scope, outcome);
            let failed = failed.map_err(|error| ("failed_when_result", error))?;
            result::judge(outcome, None, Some(failed));
        }
        Ok(())
    }

    /// Whether all conditions hold with the result in scope; an error if that cannot be known.
    fn all_hold(
        &self,
        conditions: &[Node],
        scope: &Arc<TaskScope>,
        outcome: &Outcome,
    ) -> Result<bool, TemplateError> {
        let registered = self.task.register.iter().cloned();
        let scope: Arc<dyn Scope> =
            Arc::new(scope.with(registered.map(|name| (name, outcome.result.clone()))));
        for condition in conditions {
            match self.templates().condition(condition, &scope)? {
                Truth::True => {}
                Truth::False => return Ok(false),
                Truth::CannotKnow(reason) => return Err(unknowable(&reason)),
            }
        }
        Ok(true)
    }

    /// The module that the task carries out; none if it does something else.
    pub(crate) fn module_name(
        &self,
        scope: &Arc<dyn Scope>,
    ) -> Result<Option<Name>, TemplateError> {
        match &self.task.action {
            Action::Module(name) => Ok(Some(Arc::clone(name))),
            Action::Chosen(node) => {
                let value = self.templates().resolve(node, scope)?;
                Ok(Some(self.templates().display(&value).as_str().into()))
            }
            Action::Meta(_) | Action::Include(_) => Ok(None),
        }
    }

    /// One try: the module's call and conversation.
    async fn attempt(
        &self,
        scope: &Arc<TaskScope>,
        step: &HostTask,
        delegate: Option<&Name>,
    ) -> Outcome {
        let plain: Arc<dyn Scope> = Arc::clone(scope) as _;
        let name = match self.module_name(&plain) {
            Ok(Some(name)) => name,
            Ok(None) => return result::failure("this action is not carried out on hosts"),
            Err(error) => return result::template_failure(self, "action", &error),
        };
        let Some(module) = self.run.registry.find(&name) else {
            return result::failure(format!("there is no module {name}"));
        };
        let check = match self.is_check(&plain) {
            Ok(check) => check,
            Err(error) => return result::template_failure(self, "check_mode", &error),
        };
        let call = match self.call(module.spec(), &plain, check) {
            Ok(call) => call,
            Err(CallError::Template(error)) => {
                if error.cannot_know().is_some() && module.spec().answers_to("set_fact") {
                    self.set_as_far_as_known(&plain);
                }
                return result::template_failure(self, "arguments", &error);
            }
            Err(CallError::Arguments(problems)) => {
                return result::wrong_arguments(&problems);
            }
        };
        // What runs on the controller alone has none, as in Ansible.
        let is_told = !module.spec().controller_only;
        let invocation = is_told.then(|| super::told::arguments(module.spec(), &call.arguments));
        let plan = match self.job_plan(&plain) {
            Ok(plan) => plan,
            Err(error) => return result::template_failure(self, "async", &error),
        };
        let limit = match self.time_limit(&plain) {
            Ok(limit) => limit,
            Err(outcome) => return *outcome,
        };
        match self.talking(scope, delegate, module, check, limit.as_ref()) {
            Ok(talking) => {
                let is_diff = call.diff;
                let lists_diff = module.spec().lists_diff;
                let talking = talking.for_step(step.clone(), plan);
                let talk = module.start(call);
                if !self.await_begun().await {
                    return result::failure("the run stopped before its end");
                }
                let (ending, job) = self.limited(talking, talk).await;
                let mut outcome = self.settle(ending, delegate, invocation, lists_diff).await;
                self.describe_job(&mut outcome, plan, step, job);
                if let Some(limit) = limit
                    && Instant::now() >= limit.deadline
                {
                    result::timed_out(&mut outcome, &limit.period);
                }
                if outcome.status == Status::Unknown {
                    self.tell_ways_on(&mut outcome, step);
                }
                if !is_diff {
                    outcome.diff.clear();
                }
                outcome
            }
            Err(error) => result::template_failure(self, "keywords", &error),
        }
    }

    /// Until when a try of the task may take; an outcome when the keyword says nothing sensible.
    fn time_limit(&self, scope: &Arc<dyn Scope>) -> Result<Option<TimeLimit>, Box<Outcome>> {
        let Some(node) = self.keyword_node(Keyword::Timeout) else {
            return Ok(None);
        };
        let failed = |error| Box::new(result::template_failure(self, "timeout", &error));
        let value = self.templates().resolve(node, scope).map_err(failed)?;
        match number(&value) {
            Some(0.0) | None => Ok(None),
            Some(seconds) if (0.0..=LONGEST_TIMEOUT).contains(&seconds) => Ok(Some(TimeLimit {
                deadline: Instant::now() + Duration::from_secs_f64(seconds),
                period: value,
            })),
            Some(_) => Err(Box::new(result::failure(format!(
                "Timeout {} is invalid, it must be between 0 and {LONGEST_TIMEOUT}.",
                self.templates().display(&value)
            )))),
        }
    }

    fn talking<'a>(
        &'a self,
        scope: &Arc<TaskScope>,
        delegate: Option<&Name>,
        module: &Arc<dyn TaskModule>,
        check: bool,
        limit: Option<&TimeLimit>,
    ) -> Result<Talking<'a>, TemplateError> {
        let plain: Arc<dyn Scope> = Arc::clone(scope) as _;
        Ok(Talking::new(
            self,
            Arc::clone(scope),
            delegate.cloned(),
            self.environment(&plain)?,
            check && module.spec().check_mode != CheckSupport::ReadsOnly,
            limit.map(|limit| limit.deadline),
        ))
    }

    /// Talks with the module until it is done, or until what runs is to be left.
    async fn limited(
        &self,
        mut talking: Talking<'_>,
        mut talk: Box<dyn crate::registry::Talk>,
    ) -> (Ending, Option<JobId>) {
        let ending = tokio::select! {
            ending = talking.carry_on(&mut *talk) => {
                talking.close().await;
                ending
            }
            () = self.run.stopped_now() => {
                self.run.left_running(self.id(None, 0));
                Ending::Left
            }
        };
        if let Ending::InBackground(id) = &ending {
            let answered = talking.take_answered();
            self.run.jobs.suspend(id, Suspended { talk, answered });
        }
        (ending, talking.job().cloned())
    }

    /// Turns the end of a conversation into an outcome and lets its effects happen.
    async fn settle(
        &self,
        ending: Ending,
        delegate: Option<&Name>,
        invocation: Option<sasrun_plugin::Object>,
        lists_diff: bool,
    ) -> Outcome {
        let mut outcome = match ending {
            Ending::Done { outcome, declared } => {
                let mut outcome = outcome;
                if outcome.diff.is_empty() && outcome.changed {
                    outcome.diff = declared;
                }
                let before = self.run.shared.revision();
                if let Err(msg) = self.effects(&outcome, delegate).await {
                    return result::failure(msg);
                }
                // What only adds to the inventory changed nothing if all was there.
                let only_adds = !outcome.effects.is_empty()
                    && outcome.effects.iter().all(|effect| {
                        matches!(effect, Effect::AddHost { .. } | Effect::GroupBy { .. })
                    });
                if only_adds && self.run.shared.revision() == before {
                    outcome.changed = false;
                }
                result::from_module(outcome)
            }
            Ending::WouldChange(declaration) => result::would_change(declaration),
            // In a run that is no prediction it is certain that this was not done.
            Ending::CannotKnow(_) if !self.run.options.check => result::not_done(),
            Ending::CannotKnow(reason) => result::cannot_know(&reason),
            Ending::InBackground(_) => result::left_running(),
            Ending::Failed(failure) => result::from_failure(failure),
            Ending::Left => {
                self.is_left.set(true);
                result::failure("the run stopped before its end")
            }
        };
        let scope: Arc<dyn Scope> = self.scope() as _;
        if self.is_diff(&scope).unwrap_or(false) {
            result::show_differences(&mut outcome, lists_diff);
        }
        result::show_warnings(&mut outcome);
        if let (Value::Map(map), Some(invocation)) = (&mut outcome.result, invocation) {
            let invocation = serde_json::json!({ "module_args": invocation });
            Arc::make_mut(map).insert(Key::from("invocation"), invocation.into());
        }
        outcome
    }

    async fn effects(
        &self,
        outcome: &sasrun_plugin::Outcome,
        delegate: Option<&Name>,
    ) -> Result<(), String> {
        let is_for_delegate = self
            .flag(Keyword::DelegateFacts, &(self.scope() as _))
            .unwrap_or(false);
        let other = delegate.filter(|_| is_for_delegate);
        if !outcome.facts.is_empty() {
            let owner = other.unwrap_or(self.host);
            self.run.learn_facts(owner, &outcome.facts);
            self.keep_facts(owner, &outcome.facts);
        }
        for effect in &outcome.effects {
            self.effect(effect, other).await?;
            let asked = serde_json::to_value(effect).map_err(|error| error.to_string())?;
            let owner = other.cloned();
            self.keep(KeptEffect::Module { asked, owner });
        }
        Ok(())
    }
}

/// A task whose condition never held. Whether that is a failure, `failed_when` has decided where
/// there is one; the result says `failed` in any case, as in Ansible.
fn exhausted(mut outcome: Outcome, retries: u32) -> Outcome {
    if outcome.result.get("failed_when_result").is_none() {
        outcome.status = Status::Failed;
    }
    if let Value::Map(map) = &mut outcome.result {
        let map = Arc::make_mut(map);
        map.insert("failed".into(), true.into());
        // The first try is not counted then.
        map.insert("attempts".into(), i64::from(retries).into());
    }
    outcome
}
