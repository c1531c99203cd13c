//! `debug`: shows a message or a variable.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, ControllerRequest, FunctionModule,
    Host, Module, ModuleResult, ModuleSpec, Outcome, Repetition, Request,
};
use serde_json::Value;

use crate::describe::{core, example, integer, raw, returns, set};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let variable = ArgumentSpec::optional(
        "var",
        ArgumentType::Expression,
        "Name of a variable, or an expression, without braces.",
    );
    ModuleSpec {
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        variables: vec!["ansible_verbosity".into()],
        mutually_exclusive: vec![set(&["msg", "var"])],
        returns: returns(&[(
            "msg",
            "raw",
            "The message; or a field with the name of the variable.",
        )]),
        examples: vec![
            example(
                "Show a message",
                "ansible.builtin.debug:\n  msg: '{{ inventory_hostname }} is ready'",
            ),
            example(
                "Show a variable",
                "ansible.builtin.debug:\n  var: result.stdout_lines",
            ),
        ],
        ..core(
            "debug",
            "Shows a message or a variable.",
            vec![
                raw("msg", "The message.").defaults_to("Hello world!"),
                variable,
                integer(
                    "verbosity",
                    "Least verbosity of the run at which it is shown.",
                )
                .defaults_to(0),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let verbosity = call
        .variables
        .get("ansible_verbosity")
        .and_then(Value::as_i64)
        .unwrap_or(0);
    if arguments.integer("verbosity").unwrap_or(0) > verbosity {
        return Ok(Outcome {
            skipped: true,
            ..Outcome::unchanged()
        }
        .with("skipped_reason", "Verbosity threshold not met."));
    }
    let Some(expression) = arguments.text("var").filter(|text| !text.is_empty()) else {
        let msg = arguments.value("msg").cloned().unwrap_or(Value::Null);
        return Ok(Outcome::unchanged().with("msg", msg));
    };
    let request = Request::Controller {
        request: ControllerRequest::Evaluate {
            expression: expression.to_owned(),
        },
    };
    match host.ask(request).await {
        sasrun_plugin::Answer::Value { value } => Ok(Outcome::unchanged().with(expression, value)),
        sasrun_plugin::Answer::Refused { refusal } if refusal.kind == "undefined" => {
            Ok(Outcome::unchanged().with(expression, "VARIABLE IS NOT DEFINED!"))
        }
        sasrun_plugin::Answer::Refused { refusal } => {
            Err(sasrun_plugin::Failure::new(refusal.message))
        }
        _ => Err(sasrun_plugin::Failure::new("the run is being stopped")),
    }
}
