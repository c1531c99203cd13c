//! `assert`: fails unless all conditions hold.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, ControllerRequest, Failure,
    FunctionModule, Host, Module, ModuleResult, ModuleSpec, Outcome, Repetition,
};
use serde_json::Value;

use crate::describe::{core, example, raw, returns, switch};

/// Says of a result that it is shown although nobody asked for results. The name is Ansible's.
const SHOWN: &str = "_ansible_verbose_always";

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[
            ("msg", "str", "The message for success or failure."),
            ("assertion", "str", "The condition that does not hold."),
            ("evaluated_to", "bool", "Always false, on failure."),
        ]),
        examples: vec![example(
            "Check a value",
            "ansible.builtin.assert:\n  that:\n    - port | int > 1024\n  fail_msg: the port must be above 1024",
        )],
        ..core(
            "assert",
            "Fails unless all conditions hold.",
            vec![
                ArgumentSpec::required("that", ArgumentType::ExpressionList, "The conditions."),
                raw("fail_msg", "Message if one does not hold.")
                    .alias(&["msg"])
                    .defaults_to("Assertion failed"),
                raw("success_msg", "Message if all hold.").defaults_to("All assertions passed"),
                switch("quiet", "Says nothing of success."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let is_quiet = arguments.flag("quiet");
    for expression in arguments.strings("that") {
        let request = ControllerRequest::Evaluate {
            expression: expression.clone(),
        };
        let value = host
            .controller(request)
            .await
            .map_err(|failure| failure.with("assertion", expression.as_str()))?;
        if !holds(&value) {
            let refusal = refusal(&arguments, &expression);
            return Err(match is_quiet {
                true => refusal,
                false => refusal.with(SHOWN, true),
            });
        }
    }
    let msg = arguments
        .value("success_msg")
        .cloned()
        .unwrap_or(Value::Null);
    let outcome = Outcome::unchanged().with("msg", msg);
    Ok(match is_quiet {
        true => outcome,
        false => outcome.with(SHOWN, true),
    })
}

fn refusal(arguments: &Arguments, expression: &str) -> Failure {
    let msg = arguments.value("fail_msg").cloned().unwrap_or(Value::Null);
    let text = match &msg {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<&str>>()
            .join("\n"),
        other => other.to_string(),
    };
    let failure = Failure::new(text)
        .with("assertion", expression)
        .with("evaluated_to", false);
    if msg.is_array() {
        failure.with("msg", msg)
    } else {
        failure
    }
}

/// Tells whether a value counts as true, as Python does.
fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}
