//! `pause`: waits for a time or for a person.

use std::time::{Duration, SystemTime};

use sasrun_plugin::{
    Arguments, Call, CheckSupport, ControllerRequest, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Outcome, Repetition,
};
use serde_json::Value;

use crate::describe::{ONCE_FOR_ALL, choice, core, example, returns, set, text};
use crate::lines::moment;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let number = |name: &str, description: &str| {
        sasrun_plugin::ArgumentSpec::optional(name, sasrun_plugin::ArgumentType::Float, description)
    };
    ModuleSpec {
        controller_only: true,
        once_for_all: true,
        description: vec![ONCE_FOR_ALL.into()],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        mutually_exclusive: vec![set(&["minutes", "seconds"])],
        returns: returns(&[
            ("user_input", "str", "What the person typed."),
            ("start", "str", "When it began."),
            ("stop", "str", "When it ended."),
            ("delta", "int", "How long it took, in seconds."),
            ("stdout", "str", "The same in words."),
        ]),
        examples: vec![example(
            "Wait a little",
            "ansible.builtin.pause:\n  seconds: 30",
        )],
        ..core(
            "pause",
            "Waits for a time or for a person.",
            vec![
                number("minutes", "How long to wait."),
                number("seconds", "How long to wait."),
                text("prompt", "What to ask."),
                choice("echo", "Shows what is typed.").defaults_to(true),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let minutes = arguments.number("minutes");
    // As Ansible: whole units, and never less than a second.
    let limit = minutes
        .map(|minutes| minutes.trunc() * 60.0)
        .or(arguments.number("seconds").map(f64::trunc))
        .map(|seconds| Duration::from_secs_f64(seconds.clamp(1.0, 1e9)));
    let echo = arguments.flag("echo");
    let start = SystemTime::now();
    let mut typed = Value::from("");
    match limit {
        Some(limit) => {
            let words = arguments.text("prompt").map_or_else(
                || format!("waiting {} seconds", limit.as_secs()),
                str::to_owned,
            );
            host.progress(words).await?;
            host.sleep(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
                .await?;
        }
        None => {
            let text = arguments
                .text("prompt")
                .unwrap_or("Press enter to continue, Ctrl+C to interrupt");
            typed = host
                .controller(ControllerRequest::Prompt {
                    text: text.to_owned(),
                    echo,
                    timeout_ms: None,
                })
                .await?;
        }
    }
    let stop = SystemTime::now();
    let seconds = stop.duration_since(start).unwrap_or_default().as_secs_f64();
    let (amount, unit) = if minutes.is_some() {
        (seconds / 60.0, "minutes")
    } else {
        (seconds, "seconds")
    };
    let rounded = (amount * 100.0).round() / 100.0;
    Ok(Outcome::unchanged()
        .with("user_input", typed)
        .with("echo", echo)
        .with("start", moment(start))
        .with("stop", moment(stop))
        .with("delta", seconds as u64)
        .with("stdout", format!("Paused for {rounded} {unit}"))
        .with("stderr", "")
        .with("rc", 0))
}
