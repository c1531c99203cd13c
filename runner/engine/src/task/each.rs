//! Loops: what is looped over, and one result made of many.

use std::sync::Arc;

use sasrun_model::{EventKind, HostTask, Key, Map, Name, Outcome, Status, Value};
use sasrun_template::{Scope, TemplateError};

use super::{HostRun, mapping, number, result, told};
use crate::looking::{Looking, unknowable, unusable};
use crate::variables::TaskScope;

/// What a task loops over.
pub(crate) struct LoopItems {
    pub items: Arc<Vec<Value>>,
    pub variable: Name,
    pub index_variable: Option<Name>,
    pub extended: bool,
    /// Whether `ansible_loop` holds all items.
    pub with_all: bool,
}

/// One item of a loop, with its variables.
pub(crate) struct LoopItem {
    pub value: Value,
    pub label: String,
    pub id: Name,
    pub variables: Vec<(Name, Value)>,
    pub index_variable: Option<Name>,
}

impl HostRun<'_> {
    /// The items of the task's loop; none when it has no loop.
    pub(crate) fn items(&self, scope: &Arc<TaskScope>) -> Result<Option<LoopItems>, TemplateError> {
        let Some(each) = &self.task.each else {
            return Ok(None);
        };
        let scope: Arc<dyn Scope> = Arc::clone(scope) as _;
        let name = |node: &Option<sasrun_model::Node>| -> Result<Option<Name>, TemplateError> {
            let Some(node) = node else { return Ok(None) };
            let value = self.templates().resolve(node, &scope)?;
            Ok(value.as_str().map(Name::from))
        };
        let question = || format!("loop of {}", self.id(None, 0));
        let items = self
            .run
            .decided(question, || self.looped_over(each, &scope))?;
        let items = match items {
            Value::List(items) => items,
            Value::CannotKnow(reason) => return Err(unknowable(&reason)),
            other => {
                return Err(unusable(format!(
                    "a loop needs a list, this is {}",
                    other.kind_name()
                )));
            }
        };
        let flag = |node: &Option<sasrun_model::Node>, default: bool| match node {
            Some(node) => {
                let value = self.templates().resolve(node, &scope)?;
                Ok::<_, TemplateError>(value.to_boolean().unwrap_or(default))
            }
            None => Ok(default),
        };
        let extended = flag(&each.control.extended, false)?;
        let with_all = flag(&each.control.extended_allitems, true)?;
        Ok(Some(LoopItems {
            items,
            variable: name(&each.control.loop_var)?.unwrap_or_else(|| "item".into()),
            index_variable: name(&each.control.index_var)?,
            extended,
            with_all,
        }))
    }

    fn looped_over(
        &self,
        each: &sasrun_model::Loop,
        scope: &Arc<dyn Scope>,
    ) -> Result<Value, TemplateError> {
        let Some(lookup) = &each.lookup else {
            return self.templates().resolve(&each.items, scope);
        };
        let terms = self.templates().resolve_terms(lookup, &each.items, scope)?;
        let terms = match &terms {
            Value::List(terms) => terms.to_vec(),
            one => vec![one.clone()],
        };
        let found = self.templates().lookup(lookup, &terms, scope)?;
        Ok(Value::list(found))
    }

    /// One item of the loop with all its variables.
    pub(crate) fn item(&self, scope: &Arc<TaskScope>, items: &LoopItems, index: usize) -> LoopItem {
        let value = items.items.get(index).cloned().unwrap_or_default();
        let number = i64::try_from(index).unwrap_or(i64::MAX);
        let mut variables = vec![
            (Arc::clone(&items.variable), value.clone()),
            (
                "ansible_loop_var".into(),
                Value::Text(Arc::clone(&items.variable)),
            ),
        ];
        if let Some(name) = &items.index_variable {
            variables.push((Arc::clone(name), number.into()));
            variables.push(("ansible_index_var".into(), Value::Text(Arc::clone(name))));
        }
        if items.extended {
            variables.push(("ansible_loop".into(), extended(items, index)));
        }
        let control = self.task.each.as_ref().map(|each| &each.control);
        let label = control
            .and_then(|control| control.label.as_ref())
            .map(|node| {
                let scope: Arc<dyn Scope> = Arc::new(scope.with(variables.iter().cloned()));
                self.templates()
                    .resolve(node, &scope)
                    .unwrap_or(Value::Null)
            });
        if let Some(label) = &label {
            variables.push(("ansible_item_label".into(), label.clone()));
        }
        let label = self.templates().display(label.as_ref().unwrap_or(&value));
        LoopItem {
            id: super::replay::item_id(index, &value),
            value,
            label,
            variables,
            index_variable: items.index_variable.clone(),
        }
    }

    /// Carries the task out for each item, one after the other. Also tells whether all that went
    /// wrong is ignored by the items themselves.
    pub(super) async fn each(
        &self,
        scope: &Arc<TaskScope>,
        items: LoopItems,
        no_log: bool,
    ) -> (Outcome, bool) {
        let control = self.task.each.as_ref().map(|each| &each.control);
        let pause = control
            .and_then(|control| control.pause.as_ref())
            .and_then(|node| {
                let scope: Arc<dyn Scope> = Arc::clone(scope) as _;
                self.templates()
                    .resolve(node, &scope)
                    .ok()
                    .as_ref()
                    .and_then(number)
            });
        let mut outcomes = Vec::with_capacity(items.items.len());
        for index in 0..items.items.len() {
            if let Some(seconds) = pause.filter(|_| index > 0) {
                let pause = std::time::Duration::from_secs_f64(seconds.max(0.0));
                let id = self.id(Some(self.item(scope, &items, index).id), 0);
                if self.run.past.item(&id).is_none() {
                    self.run.pause(pause).await;
                }
            }
            let item = self.item(scope, &items, index);
            let id = self.id(Some(Arc::clone(&item.id)), 0);
            let outcome = match self.replayed_item(&id).await {
                Some(outcome) => outcome,
                None => {
                    if self.run.is_stopping() {
                        self.is_left.set(true);
                        break;
                    }
                    let (mut outcome, delegate) = self.one(scope, Some(&item)).await;
                    if self.is_left.get() {
                        break;
                    }
                    let label = self.label(scope, &item, &mut outcome);
                    describe_item(&mut outcome, &items.variable, &item);
                    self.tell_item(id, label, delegate, &outcome, no_log);
                    outcome
                }
            };
            let ignored = self.item_ignores(scope, &items, index, outcome.status);
            // A host that did not answer is asked again only by an item that may do without.
            let ends = match outcome.status {
                Status::Unreachable => !ignored,
                Status::Unknown => true,
                _ => false,
            };
            let ends = ends || self.breaks(scope, index, &items, &outcome);
            outcomes.push((outcome, ignored));
            if ends {
                break;
            }
        }
        merge(outcomes)
    }

    /// What an item is called once it is done: a label may look at its result, and fails the item
    /// where it cannot be told.
    fn label(&self, scope: &TaskScope, item: &LoopItem, outcome: &mut Outcome) -> String {
        let control = self.task.each.as_ref().map(|each| &each.control);
        let label = control.and_then(|control| control.label.as_ref());
        let Some(node) = label.filter(|node| !node.is_static()) else {
            return item.label.clone();
        };
        let result = self.task.register.iter().cloned();
        let result = result.map(|name| (name, outcome.result.clone()));
        let locals = item.variables.iter().cloned().chain(result);
        let scope: Arc<dyn Scope> = Arc::new(scope.with(locals));
        match self.templates().resolve(node, &scope) {
            Ok(label) => self.templates().display(&label),
            Err(error) => {
                if matches!(
                    outcome.status,
                    Status::Ok | Status::Changed | Status::Skipped
                ) {
                    let msg = format!("Failed to template loop_control.label: {error}");
                    *outcome = super::result::failure(msg);
                }
                self.templates().display(&item.value)
            }
        }
    }

    /// Whether an item ignores its end, which may depend on the item.
    fn item_ignores(
        &self,
        scope: &Arc<TaskScope>,
        items: &LoopItems,
        index: usize,
        status: Status,
    ) -> bool {
        if !status.is_bad() {
            return false;
        }
        let variables = self.item(scope, items, index).variables;
        let scope: Arc<dyn Scope> = Arc::new(scope.with(variables));
        self.ignores(status, &scope)
    }

    fn tell_item(
        &self,
        id: HostTask,
        label: String,
        delegate: Option<Name>,
        outcome: &Outcome,
        no_log: bool,
    ) {
        let no_log = no_log || result::hides(&outcome.result);
        let outcome = Arc::new(outcome.clone());
        self.run.dispatcher.emit(EventKind::ItemFinished {
            id,
            label: if no_log {
                "(censored due to no_log)".to_owned()
            } else {
                label
            },
            delegate,
            outcome: told(&outcome, no_log),
            ignored: false,
            no_log,
            kept: self.take_kept(&outcome, no_log),
        });
    }

    /// Whether `break_when` ends the loop after this item. What cannot be told does not.
    fn breaks(
        &self,
        scope: &Arc<TaskScope>,
        index: usize,
        items: &LoopItems,
        outcome: &Outcome,
    ) -> bool {
        let conditions = self
            .task
            .each
            .iter()
            .flat_map(|each| &each.control.break_when);
        let mut conditions = conditions.peekable();
        if conditions.peek().is_none() {
            return false;
        }
        let mut variables = self.item(scope, items, index).variables;
        if let Some(name) = &self.task.register {
            variables.push((Arc::clone(name), outcome.result.clone()));
        }
        let scope: Arc<dyn Scope> = Arc::new(scope.with(variables));
        conditions.all(|condition| {
            matches!(
                self.templates().condition(condition, &scope),
                Ok(sasrun_template::Truth::True)
            )
        })
    }
}

fn extended(items: &LoopItems, index: usize) -> Value {
    let length = items.items.len();
    let count = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let mut map = mapping([
        ("index", count(index + 1)),
        ("index0", count(index)),
        ("first", (index == 0).into()),
        ("last", (index + 1 == length).into()),
        ("length", count(length)),
        ("revindex", count(length - index)),
        ("revindex0", count(length - index - 1)),
    ]);
    if items.with_all {
        map.insert("allitems".into(), Value::List(Arc::clone(&items.items)));
    }
    if let Some(next) = items.items.get(index + 1) {
        map.insert("nextitem".into(), next.clone());
    }
    if let Some(previous) = index
        .checked_sub(1)
        .and_then(|before| items.items.get(before))
    {
        map.insert("previtem".into(), previous.clone());
    }
    Value::map(map)
}

/// Adds the item to its own result, as `results` has it.
fn describe_item(outcome: &mut Outcome, variable: &Name, item: &LoopItem) {
    if let Value::Map(map) = &mut outcome.result {
        let map = Arc::make_mut(map);
        map.insert(Key::Text(Arc::clone(variable)), item.value.clone());
        map.insert("ansible_loop_var".into(), Value::Text(Arc::clone(variable)));
        for (name, value) in &item.variables {
            let is_index = item.index_variable.as_ref() == Some(name);
            if is_index || matches!(&**name, "ansible_index_var" | "ansible_loop") {
                map.insert(Key::Text(Arc::clone(name)), value.clone());
            }
        }
    }
}

/// One result of all items: failed if any failed, changed if any changed, skipped if all were. And
/// whether each of them that ended badly is ignored; if not, those decide that are not.
fn merge(items: Vec<(Outcome, bool)>) -> (Outcome, bool) {
    let mut bad = items
        .iter()
        .filter(|(outcome, _)| outcome.status.is_bad())
        .peekable();
    let ignored = bad.peek().is_some() && bad.all(|(_, ignored)| *ignored);
    let has = |status: Status| {
        items.iter().any(|(outcome, item_ignored)| {
            let counts = ignored || !(status.is_bad() && *item_ignored);
            outcome.status == status && counts
        })
    };
    let all_skipped = items
        .iter()
        .all(|(outcome, _)| outcome.status == Status::Skipped);
    let status = if has(Status::Unreachable) {
        Status::Unreachable
    } else if has(Status::Unknown) {
        Status::Unknown
    } else if has(Status::Failed) {
        Status::Failed
    } else if has(Status::CannotKnow) {
        Status::CannotKnow
    } else if has(Status::Changed) {
        Status::Changed
    } else if all_skipped {
        Status::Skipped
    } else {
        Status::Ok
    };
    let msg = match status {
        _ if items.is_empty() => "No items in the list",
        Status::Failed => "One or more items failed",
        Status::Skipped => "All items skipped",
        _ => "All items completed",
    };
    let mut map: Map = mapping([
        ("changed", has(Status::Changed).into()),
        ("msg", msg.into()),
    ]);
    match status {
        Status::Unreachable => map.insert("unreachable".into(), true.into()),
        bad if bad.is_bad() => map.insert("failed".into(), true.into()),
        _ => None,
    };
    if all_skipped {
        map.insert("skipped".into(), true.into());
        if items.is_empty() {
            map.insert("skipped_reason".into(), "No items in the list".into());
        }
    }
    let warnings = items
        .iter()
        .flat_map(|(outcome, _)| outcome.warnings.clone())
        .collect();
    let results = items.into_iter().map(|(outcome, _)| outcome.result);
    map.insert("results".into(), Value::list(results.collect()));
    let merged = Outcome {
        warnings,
        ..result::outcome(status, map)
    };
    (merged, ignored)
}
