//! `gate`: goes on only after a person's recorded answer.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, ControllerRequest, Failure, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Outcome, Repetition,
};
use serde_json::Value;

use crate::describe::{example, needed, returns, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        name: "gate".into(),
        summary: "Goes on only after a person's recorded answer.".into(),
        description: vec![
            "A gate stands for something that only a person can see or decide. Its answer is \
             recorded with the run; a run without an answer for one of its gates is refused \
             before it changes anything."
                .into(),
        ],
        arguments: vec![
            needed(text(
                "id",
                "Name of the gate, under which its answer is recorded.",
            )),
            needed(text(
                "text",
                "What the person has to see, decide or confirm.",
            )),
        ],
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[
            ("id", "str", "Name of the gate."),
            ("answer", "raw", "The recorded answer."),
        ]),
        examples: vec![example(
            "Ask for a look by eye",
            "gate:\n  id: smoke-test\n  text: Log in to the console and open a device.",
        )],
        ..ModuleSpec::default()
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let id = arguments.text_or_empty("id");
    let text = arguments.text_or_empty("text");
    let answer = host
        .controller(ControllerRequest::Gate {
            id: id.to_owned(),
            text: text.to_owned(),
        })
        .await?;
    // A recorded answer may say who gave it: `{answer: "no", by: J. Doe}`.
    let is_open = match answer.get("answer").unwrap_or(&answer) {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !matches!(
            text.trim().to_lowercase().as_str(),
            "" | "no" | "n" | "false"
        ),
        _ => true,
    };
    if is_open {
        return Ok(Outcome::unchanged().with("id", id).with("answer", answer));
    }
    let msg = if answer.is_null() {
        format!("the gate {id} has no answer: {text}")
    } else {
        format!("the gate {id} was answered with no: {text}")
    };
    Err(Failure::new(msg).with("id", id).with("answer", answer))
}
