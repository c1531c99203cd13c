//! Results as `register` sees them.

use std::sync::Arc;

use sasrun_model::{Difference, Key, Map, Node, Outcome, Status, Value};
use sasrun_plugin::{Diff, Failure};
use sasrun_template::TemplateError;

use super::{HostRun, mapping};

/// A failure with a message of the engine's own.
pub(crate) fn failure(msg: impl Into<String>) -> Outcome {
    let result = mapping([
        ("changed", false.into()),
        ("failed", true.into()),
        ("msg", msg.into().into()),
    ]);
    outcome(Status::Failed, result)
}

/// A failure over arguments that the module cannot take.
pub(crate) fn wrong_arguments(problems: &[sasrun_plugin::ArgumentError]) -> Outcome {
    let messages: Vec<&str> = problems.iter().map(|one| &*one.message).collect();
    let mut outcome = failure(messages.join("; "));
    let details = problems.iter().find_map(|one| one.details.as_deref());
    if let (Some(details), Value::Map(map)) = (details, &mut outcome.result) {
        Arc::make_mut(map).insert("details".into(), details.into());
    }
    outcome
}

/// A failure because text of the user's could not be rendered.
pub(crate) fn template_failure(run: &HostRun<'_>, what: &str, error: &TemplateError) -> Outcome {
    if let Some(reason) = error.cannot_know() {
        return cannot_know(reason);
    }
    let place = run.run.files.place(run.task.span);
    let at = place.map(|place| format!(" ({place})")).unwrap_or_default();
    // In Ansible's words, which people match.
    let doing = match what {
        "arguments" => format!(
            "Finalization of task args for '{}' failed",
            run.action_name()
        ),
        "when" => "Error while evaluating conditional".to_owned(),
        other => other.to_owned(),
    };
    failure(format!("Task failed: {doing}: {error}{at}"))
}

/// A task that a condition left out.
pub(crate) fn skipped(condition: &Node) -> Outcome {
    let text = match condition.to_static_value() {
        Some(Value::Text(text)) => Value::Text(text),
        Some(other) => other,
        None => Value::from(condition.as_str().unwrap_or_default()),
    };
    let result = mapping([
        ("changed", false.into()),
        ("skipped", true.into()),
        ("skip_reason", "Conditional result was False".into()),
        ("false_condition", text),
    ]);
    outcome(Status::Skipped, result)
}

/// A task that check mode cannot predict. Its result cannot be known either.
pub(crate) fn cannot_know(reason: &str) -> Outcome {
    outcome_of(Status::CannotKnow, Value::CannotKnow(Arc::from(reason)))
}

/// A task whose own `check_mode` kept it from being done, in a run that does things.
pub(crate) fn not_done() -> Outcome {
    let result = mapping([
        ("changed", false.into()),
        ("skipped", true.into()),
        ("msg", "Command would have run if not in check mode".into()),
    ]);
    outcome(Status::Skipped, result)
}

/// Adds the field that failures have in Ansible, where there is no more to tell than the message.
pub(crate) fn mark_exception(outcome: &mut Outcome) {
    if outcome.status == Status::Failed
        && let Value::Map(map) = &mut outcome.result
    {
        let map = Arc::make_mut(map);
        map.entry("exception".into())
            .or_insert_with(|| "(traceback unavailable)".into());
    }
}

/// Whether a module said of its result, or of that of an item, that nothing of it is to be shown.
pub(crate) fn hides(result: &Value) -> bool {
    let says = |result: &Value| result.get("_ansible_no_log").is_some_and(Value::is_true);
    let items = result.get("results").and_then(Value::as_list);
    says(result) || items.is_some_and(|items| items.iter().any(says))
}

/// A result as `register` keeps it: without what it says to the runner alone.
pub(crate) fn registered(result: &Value) -> Value {
    let is_internal = |key: &Key| matches!(key, Key::Text(key) if key.starts_with("_ansible_"));
    let mut kept = result.clone();
    let Value::Map(map) = &mut kept else {
        return kept;
    };
    if map.keys().any(is_internal) {
        Arc::make_mut(map).retain(|key, _| !is_internal(key));
    }
    let items = map.get("results").and_then(Value::as_list);
    let has_internal = |item: &Value| item.as_map().is_some_and(|map| map.keys().any(is_internal));
    if let Some(items) = items.filter(|items| items.iter().any(has_internal)) {
        let items: Vec<Value> = items.iter().map(registered).collect();
        Arc::make_mut(map).insert("results".into(), Value::list(items));
    }
    kept
}

/// Says of a failure that the task's limit of time was what ended it.
pub(crate) fn timed_out(outcome: &mut Outcome, period: &Value) {
    if !matches!(outcome.status, Status::Failed | Status::Unknown) {
        return;
    }
    if let Value::Map(map) = &mut outcome.result {
        let map = Arc::make_mut(map);
        let shown = period.as_str().map_or_else(
            || serde_json::Value::from(period).to_string(),
            str::to_owned,
        );
        map.insert(
            "msg".into(),
            format!("Timed out after {shown} second(s).").into(),
        );
        let ended = mapping([("period", period.clone())]);
        map.insert("timedout".into(), Value::map(ended));
        map.insert("changed".into(), false.into());
    }
}

/// A host that was not reached.
pub(crate) fn unreachable(msg: &str) -> Outcome {
    let result = mapping([
        ("changed", false.into()),
        ("unreachable", true.into()),
        ("msg", msg.into()),
    ]);
    outcome(Status::Unreachable, result)
}

/// What a module's success comes to.
pub(crate) fn from_module(done: sasrun_plugin::Outcome) -> Outcome {
    let mut result = Map::with_capacity(done.result.len() + 3);
    result.insert("changed".into(), done.changed.into());
    if done.skipped {
        result.insert("skipped".into(), true.into());
    }
    extend(&mut result, done.result);
    result.entry("failed".into()).or_insert(Value::Bool(false));
    if !done.facts.is_empty() {
        let facts = serde_json::Value::Object(done.facts).into();
        result.insert("ansible_facts".into(), facts);
    }
    let status = match (done.skipped, done.changed) {
        (true, _) => Status::Skipped,
        (_, true) => Status::Changed,
        _ => Status::Ok,
    };
    Outcome {
        status,
        result: Value::map(result),
        diff: done.diff.into_iter().map(difference).collect(),
        warnings: done.warnings,
    }
}

/// What a module's failure comes to.
pub(crate) fn from_failure(failed: Failure) -> Outcome {
    if failed.unreachable {
        return unreachable(&failed.msg);
    }
    let mut result = mapping([("changed", false.into()), ("failed", true.into())]);
    result.insert("msg".into(), failed.msg.into());
    extend(&mut result, failed.result);
    let status = if failed.unknown {
        Status::Unknown
    } else {
        Status::Failed
    };
    Outcome {
        warnings: failed.warnings,
        ..outcome(status, result)
    }
}

/// What a declared change comes to in check mode.
pub(crate) fn would_change(declaration: sasrun_plugin::Declaration) -> Outcome {
    let mut result = mapping([("changed", true.into()), ("failed", false.into())]);
    if !declaration.summary.is_empty() {
        result.insert("msg".into(), declaration.summary.into());
    }
    extend(&mut result, declaration.result);
    result.insert("changed".into(), true.into());
    let diff = declaration.diff.into_iter().map(difference).collect();
    Outcome {
        diff,
        ..outcome(Status::Changed, result)
    }
}

/// A task that left its job running.
pub(crate) fn left_running() -> Outcome {
    let fields = [("changed", true.into()), ("failed", false.into())];
    outcome(Status::Changed, mapping(fields))
}

/// Adds the differences to the result, as `register` sees them, unless the module did: one by
/// itself, several as a list.
pub(crate) fn show_differences(outcome: &mut Outcome, as_list: bool) {
    let mut shown: Vec<Value> = outcome.diff.iter().map(shown_difference).collect();
    let shown = match shown.pop() {
        Some(single) if shown.is_empty() && !as_list => single,
        Some(last) => {
            shown.push(last);
            Value::list(shown)
        }
        None => return,
    };
    if let Value::Map(map) = &mut outcome.result {
        Arc::make_mut(map).entry("diff".into()).or_insert(shown);
    }
}

fn shown_difference(diff: &Difference) -> Value {
    let mut shown = mapping([]);
    for (name, header) in [
        ("before_header", &diff.before_header),
        ("after_header", &diff.after_header),
    ] {
        if !header.is_empty() {
            shown.insert(name.into(), header.as_str().into());
        }
    }
    shown.insert("before".into(), side(&diff.before));
    shown.insert("after".into(), side(&diff.after));
    Value::map(shown)
}

/// A side that a module wrote as an object is one.
fn side(text: &str) -> Value {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(object @ serde_json::Value::Object(_)) => object.into(),
        _ => text.into(),
    }
}

/// Adds the warnings to the result, as `register` sees them, unless the module did.
pub(crate) fn show_warnings(outcome: &mut Outcome) {
    if outcome.warnings.is_empty() {
        return;
    }
    let warnings = outcome.warnings.iter().map(|text| text.as_str().into());
    let warnings = Value::list(warnings.collect());
    if let Value::Map(map) = &mut outcome.result {
        Arc::make_mut(map)
            .entry("warnings".into())
            .or_insert(warnings);
    }
}

/// Sets the fields that conditions of the task decide.
pub(crate) fn judge(outcome: &mut Outcome, changed: Option<bool>, failed: Option<bool>) {
    let Value::Map(map) = &mut outcome.result else {
        return;
    };
    let map = Arc::make_mut(map);
    if failed == Some(false) && outcome.status == Status::Failed {
        map.shift_remove(&Key::from("exception"));
        let none = "(traceback unavailable)";
        map.insert("failed_when_suppressed_exception".into(), none.into());
    }
    if let Some(changed) = changed {
        map.insert("changed".into(), changed.into());
    }
    if let Some(failed) = failed {
        map.insert("failed".into(), failed.into());
        map.insert("failed_when_result".into(), failed.into());
    }
    let is = |key: &str| map.get(key).is_some_and(Value::is_true);
    outcome.status = if is("failed") {
        Status::Failed
    } else if is("changed") {
        Status::Changed
    } else {
        Status::Ok
    };
}

/// Fails a result that its conditions could not judge, and tells so in a field; what the module
/// gave stays, also why it failed itself.
pub(crate) fn unjudged(outcome: &mut Outcome, failure: &Outcome, field: &'static str) {
    let had_failed = outcome.status == Status::Failed;
    outcome.status = failure.status;
    let (Value::Map(map), Some(msg)) = (&mut outcome.result, failure.result.get("msg")) else {
        return;
    };
    let map = Arc::make_mut(map);
    map.insert("failed".into(), true.into());
    map.insert(field.into(), msg.clone());
    if !had_failed || map.get("msg").is_none() {
        map.insert("msg".into(), msg.clone());
    }
}

pub(crate) fn difference(diff: Diff) -> Difference {
    Difference {
        before_header: diff.before_header.unwrap_or_default(),
        after_header: diff.after_header.unwrap_or_default(),
        before: diff.before,
        after: diff.after,
    }
}

pub(crate) fn outcome(status: Status, result: Map) -> Outcome {
    outcome_of(status, Value::map(result))
}

fn outcome_of(status: Status, result: Value) -> Outcome {
    Outcome {
        status,
        result,
        diff: Vec::new(),
        warnings: Vec::new(),
    }
}

fn extend(result: &mut Map, object: sasrun_plugin::Object) {
    for (key, value) in object {
        result.insert(Key::Text(key.into()), value.into());
    }
}
