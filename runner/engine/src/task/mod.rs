//! One task on one host: its loop, its conditions, its tries, and what follows from the result.

mod arguments;
mod background;
mod each;
mod one;
mod replay;
mod result;
mod told;
mod unfinished;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use sasrun_model::{
    Action, EventKind, HostTask, KeptEffect, Key, Keyword, Map, Name, Node, Outcome, Status, Task,
    Value,
};
use sasrun_template::{Scope, TemplateError, Truth};

use crate::dispatcher::BecomesDurable;
use crate::run::{PlayRun, Reaction, Run};
use crate::variables::{Level, PlayVariables, ScopeParts, TaskScope};

pub(crate) use arguments::unrendered;
pub(crate) use each::LoopItem;
pub(crate) use result::{failure, registered, template_failure};

/// A task, on a host, at a place of a play.
pub(crate) struct HostRun<'a> {
    pub run: &'a Run,
    pub play: &'a PlayRun,
    pub task: &'a Arc<Task>,
    pub level: &'a Arc<Level>,
    pub host: &'a Name,
    pub occurrence: u32,
    /// What the step did to the state of the run so far, for the journal.
    pub effects: RefCell<Vec<KeptEffect>>,
    /// Whether the step was left before its end, for the run stops: it has no outcome then.
    pub is_left: Cell<bool>,
    /// The record of the step's beginning on its way to the disk, until someone waited for it.
    pub intent: RefCell<Option<BecomesDurable>>,
}

/// What came of a task on a host, for the walk to decide on.
#[derive(Debug, Clone)]
pub(crate) struct HostOutcome {
    pub outcome: Arc<Outcome>,
    pub ignored: bool,
}

impl HostOutcome {
    /// Whether the host must not go on with what follows.
    pub(crate) fn stops_host(&self) -> bool {
        self.outcome.status.is_bad() && !self.ignored
    }
}

impl HostRun<'_> {
    /// The scope of the task on its host.
    pub(crate) fn scope(&self) -> Arc<TaskScope> {
        Arc::new(TaskScope::new(ScopeParts {
            shared: Arc::clone(&self.run.shared),
            play: self.play.facts(),
            play_variables: self
                .play_variables()
                .unwrap_or_else(|_| self.play.variables()),
            level: Some(Arc::clone(self.level)),
            task: Some(Arc::clone(self.task)),
            host: Arc::clone(self.host),
        }))
    }

    /// What the play gives this host; why it cannot, if its files of variables are at fault.
    fn play_variables(&self) -> Result<Arc<PlayVariables>, String> {
        self.play.variables_of(self.run, self.host)
    }

    /// Carries the task out and tells of it. Every host that begins a task gets an outcome, unless
    /// the run stops before its end.
    pub(crate) async fn carry_out(&self) -> Option<HostOutcome> {
        let began = Instant::now();
        let id = self.id(None, 0);
        self.run.comes_to(self.host, self.task);
        if let Some(done) = self.replayed(&id).await {
            return Some(done);
        }
        let scope = self.scope();
        let no_log = self
            .flag(Keyword::NoLog, &(Arc::clone(&scope) as _))
            .unwrap_or(true);
        self.run.dispatcher.emit(EventKind::HostStarted {
            id: id.clone(),
            class: self.class(),
            content: self.run.content_of(self.task),
            job: self.job_name(&scope, &id),
        });
        // What can be worked out here is worked out while the disk works.
        match self.run.dispatcher.begin_durable().await {
            Ok(intent) => *self.intent.borrow_mut() = Some(intent),
            Err(lost) => {
                tracing::warn!(%lost, "a step does not begin");
                return None;
            }
        }
        self.run.jobs.sweep();
        if let Err(msg) = self.play_variables() {
            return Some(self.finish(failure(msg), no_log, None, began, None));
        }
        let items = match self.items(&scope) {
            Ok(items) => items,
            // A loop over something undefined is no failure where the task is skipped anyway.
            Err(error) => {
                let outcome = match self.conditions(&(Arc::clone(&scope) as _)) {
                    Ok(Some(skip)) => skip,
                    _ => template_failure(self, "loop", &error),
                };
                return Some(self.finish(outcome, no_log, None, began, None));
            }
        };
        let (outcome, delegate, of_items) = match items {
            None => {
                let (outcome, delegate) = self.one(&scope, None).await;
                (outcome, delegate, None)
            }
            Some(items) => {
                let (outcome, ignored) = self.each(&scope, items, no_log).await;
                (outcome, None, Some(ignored))
            }
        };
        if self.is_left.get() {
            return None;
        }
        Some(self.finish(outcome, no_log, of_items, began, delegate))
    }

    /// Waits until the record of the step's beginning is durable: before that, nothing is done on
    /// a host. False when it cannot be; the step is left then.
    async fn await_begun(&self) -> bool {
        let intent = self.intent.borrow_mut().take();
        let Some(intent) = intent else { return true };
        match self.run.dispatcher.until(intent).await {
            Ok(()) => true,
            Err(lost) => {
                tracing::warn!(%lost, "a step does not begin");
                self.is_left.set(true);
                false
            }
        }
    }

    /// Tells of an including task that included nothing on this host.
    pub(crate) fn finish_include(&self, outcome: Outcome) -> HostOutcome {
        if let Some(done) = self.run.past.finished(&self.id(None, 0)) {
            let ignored = done.ignored;
            let outcome = Arc::new(outcome);
            return HostOutcome { outcome, ignored };
        }
        self.finish(outcome, false, None, Instant::now(), None)
    }

    /// Registers and tells the result; notifies handlers. What a loop came to brings along whether
    /// its items ignore it.
    fn finish(
        &self,
        mut outcome: Outcome,
        no_log: bool,
        of_items: Option<bool>,
        began: Instant,
        delegate: Option<Name>,
    ) -> HostOutcome {
        let no_log = no_log || result::hides(&outcome.result);
        let scope: Arc<dyn Scope> = self.scope();
        let mut ignored = of_items.unwrap_or_else(|| self.ignores(outcome.status, &scope));
        if let Some(name) = &self.task.register {
            self.set_variable(Arc::clone(name), registered(&outcome.result));
        }
        if outcome.status == Status::Changed
            && let Err(message) = self.notify(&scope)
        {
            outcome = failure(message);
            ignored = false;
        }
        let outcome = Arc::new(outcome);
        let kept = self.take_kept(&outcome, no_log);
        let bad = outcome.status.is_bad() && !ignored;
        self.run.dispatcher.emit(EventKind::HostFinished {
            id: self.id(None, 0),
            delegate,
            outcome: told(&outcome, no_log),
            ignored,
            rescued: bad && self.is_rescued(outcome.status),
            looped: of_items.is_some(),
            no_log,
            action: self.action_name(),
            took: began.elapsed(),
            kept,
        });
        self.run.jobs.is_told(&self.id(None, 0));
        HostOutcome { outcome, ignored }
    }

    /// Whether the task says that an end of this kind does not matter.
    fn ignores(&self, status: Status, scope: &Arc<dyn Scope>) -> bool {
        let keyword = match status {
            Status::Unreachable => Keyword::IgnoreUnreachable,
            Status::Failed => Keyword::IgnoreErrors,
            other if self.takes_unknown_for_failed(other) => Keyword::IgnoreErrors,
            _ => return false,
        };
        self.flag(keyword, scope).unwrap_or(false)
    }

    /// Whether a `rescue` around takes a failure of this kind.
    pub(crate) fn is_rescued(&self, status: Status) -> bool {
        let may_be = status == Status::Failed || self.takes_unknown_for_failed(status);
        may_be && self.level.is_caught()
    }

    /// Whether an unknown end counts as a failure here, and no decision is waited for.
    fn takes_unknown_for_failed(&self, status: Status) -> bool {
        status == Status::Unknown && self.reaction(status) == Reaction::Continue
    }

    /// What follows for the run when the step takes its host out.
    pub(crate) fn reaction(&self, status: Status) -> Reaction {
        let scope: Arc<dyn Scope> = self.scope();
        let said = self.keyword(Keyword::OnFailure, &scope).ok().flatten();
        let said = said.as_ref().and_then(Value::as_str);
        said.and_then(Reaction::named)
            .unwrap_or_else(|| Reaction::to(status))
    }

    /// Sets a variable of the host, in the branch around if there is one.
    pub(crate) fn set_variable(&self, name: Name, value: Value) {
        match self.level.branch() {
            Some((_, overlay)) => overlay.set(self.host, name, value),
            None => self.run.shared.change_host(self.host, |host| {
                Arc::make_mut(&mut host.set).insert(name, value);
            }),
        }
    }

    fn notify(&self, scope: &Arc<dyn Scope>) -> Result<(), String> {
        for node in self.task.notify.iter().chain(self.level.notifies()) {
            let value = self
                .templates()
                .resolve(node, scope)
                .map_err(|error| error.to_string())?;
            let names: Vec<Value> = match value {
                Value::List(names) => names.to_vec(),
                one => vec![one],
            };
            for name in names.iter().filter_map(Value::as_str) {
                self.play.notify(self.run, name, self.host)?;
            }
        }
        Ok(())
    }

    /// Evaluates the conditions around and of the task; an outcome if it is not to be done.
    pub(crate) fn conditions(
        &self,
        scope: &Arc<dyn Scope>,
    ) -> Result<Option<Outcome>, TemplateError> {
        for condition in self.level.conditions().into_iter().chain(&self.task.when) {
            match self.templates().condition(condition, scope)? {
                Truth::True => {}
                Truth::False => return Ok(Some(result::skipped(condition))),
                Truth::CannotKnow(reason) => return Ok(Some(result::cannot_know(&reason))),
            }
        }
        Ok(None)
    }

    /// Evaluates the conditions of a task that decides the course of the play, for one item of its
    /// loop; the same again when the run goes on.
    pub(crate) fn decided_conditions(
        &self,
        index: usize,
        scope: &Arc<dyn Scope>,
    ) -> Result<Option<Outcome>, TemplateError> {
        let mut found = None;
        let question = || format!("conditions {index} of {}", self.id(None, 0));
        let holds = self.run.decided(question, || {
            found = self.conditions(scope)?;
            Ok(Value::Bool(found.is_none()))
        })?;
        Ok(match (holds.is_true(), found) {
            (true, _) => None,
            (false, Some(outcome)) => Some(outcome),
            (false, None) => {
                let conditions = self.level.conditions();
                let first = conditions.into_iter().chain(&self.task.when).next();
                first.map(result::skipped)
            }
        })
    }

    /// The value of a boolean keyword; false when it is not given.
    pub(crate) fn flag(
        &self,
        keyword: Keyword,
        scope: &Arc<dyn Scope>,
    ) -> Result<bool, TemplateError> {
        Ok(self
            .keyword(keyword, scope)?
            .and_then(|value| value.to_boolean())
            .unwrap_or(false))
    }

    /// The value of a keyword, at the innermost level that has it.
    pub(crate) fn keyword(
        &self,
        keyword: Keyword,
        scope: &Arc<dyn Scope>,
    ) -> Result<Option<Value>, TemplateError> {
        let own = self.task.keywords.get(keyword);
        for node in own.into_iter().chain(self.level.keywords(keyword)) {
            // What is left out here is as it is further out.
            match self.templates().resolve(node, scope)? {
                Value::Omit => {}
                Value::Null => return Ok(None),
                value => return Ok(Some(value)),
            }
        }
        Ok(None)
    }

    pub(crate) fn keyword_node(&self, keyword: Keyword) -> Option<&Node> {
        self.task
            .keywords
            .get(keyword)
            .or_else(|| self.level.keyword(keyword))
    }

    /// Whether this task predicts only.
    pub(crate) fn is_check(&self, scope: &Arc<dyn Scope>) -> Result<bool, TemplateError> {
        let wish = self.keyword(Keyword::CheckMode, scope)?;
        Ok(wish
            .and_then(|value| value.to_boolean())
            .unwrap_or(self.run.options.check))
    }

    /// Whether differences of this task are wanted.
    pub(crate) fn is_diff(&self, scope: &Arc<dyn Scope>) -> Result<bool, TemplateError> {
        let wish = self.keyword(Keyword::Diff, scope)?;
        Ok(wish
            .and_then(|value| value.to_boolean())
            .unwrap_or(self.run.options.diff))
    }

    pub(crate) fn id(&self, item: Option<Name>, attempt: u32) -> HostTask {
        HostTask {
            host: Arc::clone(self.host),
            task: Arc::clone(&self.task.path),
            occurrence: self.occurrence,
            item,
            attempt,
        }
    }

    pub(crate) fn templates(&self) -> &sasrun_template::Templates {
        &self.run.templates
    }

    pub(crate) fn action_name(&self) -> Name {
        match &self.task.action {
            Action::Module(name) | Action::Meta(name) => Arc::clone(name),
            Action::Chosen(name) => name.as_str().unwrap_or_default().into(),
            Action::Include(sasrun_model::Include::Tasks) => "include_tasks".into(),
            Action::Include(sasrun_model::Include::Role) => "include_role".into(),
        }
    }
}

/// A number, also one written as text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "seconds and counts are small")]
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A mapping with text keys.
pub(crate) fn mapping<const N: usize>(entries: [(&str, Value); N]) -> Map {
    entries
        .into_iter()
        .map(|(key, value)| (Key::from(key), value))
        .collect()
}

/// An outcome as events tell it: of one that must not be logged, only its status and that it is hidden.
pub(crate) fn told(outcome: &Arc<Outcome>, no_log: bool) -> Arc<Outcome> {
    if !no_log || outcome.result.as_map().is_none() {
        return Arc::clone(outcome);
    }
    let censored = "the output has been hidden due to the fact that 'no_log: true' was specified \
                    for this result";
    let mut map = mapping([("censored", censored.into())]);
    for key in ["changed", "failed", "skipped", "unreachable"] {
        if let Some(value) = outcome.result.get(key) {
            map.insert(Key::from(key), value.clone());
        }
    }
    Arc::new(Outcome {
        status: outcome.status,
        result: Value::map(map),
        diff: Vec::new(),
        warnings: Vec::new(),
    })
}
