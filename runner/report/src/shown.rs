//! What is shown of a result: not what only the runner needs, and of `debug` only what it was asked to say.

use sasrun_model::{Outcome, Status, Value};

/// Fields that say nothing beside the value that `debug` shows.
const BESIDE_A_VALUE: &[&str] = &[
    "ansible_index_var",
    "ansible_loop",
    "ansible_loop_var",
    "changed",
    "invocation",
    "skip_reason",
    "skipped",
];

/// What is shown of a result that must not be: that there is one, and whether something changed.
pub(crate) fn hidden(outcome: &Outcome) -> serde_json::Value {
    let censored = "the output has been hidden due to the fact that 'no_log: true' was specified \
                    for this result";
    let changed = outcome.result.get("changed").is_some_and(Value::is_true);
    serde_json::json!({ "censored": censored, "changed": changed })
}

/// The fields of an action's result that are shown.
pub(crate) fn shown(result: &Value, action: &str, verbosity: u8) -> serde_json::Value {
    let mut json = serde_json::Value::from(result);
    if let Some(object) = json.as_object_mut() {
        object.retain(|key, _| !key.starts_with("_ansible_"));
        // Differences are shown in their own form.
        object.shift_remove("diff");
        // Says nothing that the message does not, nor that the word in front does not.
        object.shift_remove("exception");
        object.shift_remove("failed");
        if verbosity < 3 {
            object.shift_remove("invocation");
        }
        match is_debug(action) {
            true if object.contains_key("msg") => object.retain(|key, _| key == "msg"),
            true => object.retain(|key, _| !BESIDE_A_VALUE.contains(&key.as_str())),
            false => {}
        }
    }
    json
}

/// Whether a result is shown although nobody asked for results: it is what the task is there for.
pub(crate) fn is_always_shown(outcome: &Outcome, action: &str) -> bool {
    let says_so = outcome.result.get("_ansible_verbose_always");
    match outcome.status {
        Status::Skipped => false,
        status if status.is_bad() => says_so.is_some_and(Value::is_true),
        _ => is_debug(action) || says_so.is_some_and(Value::is_true),
    }
}

fn is_debug(action: &str) -> bool {
    matches!(
        action,
        "debug" | "ansible.builtin.debug" | "ansible.legacy.debug"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(action: &str, json: serde_json::Value) -> Vec<String> {
        let json = shown(&Value::from(json), action, 0);
        json.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn debug_shows_what_it_was_asked_to_say() {
        let item = serde_json::json!({
            "ansible_loop_var": "item", "changed": false, "failed": false, "item": 1, "msg": "said"
        });
        assert_eq!(fields("ansible.builtin.debug", item), ["msg"]);
        let value = serde_json::json!({"changed": false, "failed": false, "item": 1, "port": 80});
        assert_eq!(fields("debug", value), ["item", "port"]);
    }

    #[test]
    fn other_results_are_shown_without_what_only_the_runner_needs() {
        let result = serde_json::json!({
            "_ansible_verbose_always": true, "changed": false, "diff": {}, "exception": "x",
            "failed": true, "invocation": {}, "msg": "no", "rc": 1
        });
        for action in ["ansible.builtin.assert", "community.general.my_debug"] {
            assert_eq!(fields(action, result.clone()), ["changed", "msg", "rc"]);
        }
    }
}
