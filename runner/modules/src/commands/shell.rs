//! `shell`: runs text by the host's shell.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Repetition,
};
use serde_json::json;

use super::command::{Request, carry_out, command_returns, shared_arguments};
use super::guard;
use crate::describe::{core, example, set, with};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let arguments = with(shared_arguments(), guard::arguments());
    ModuleSpec {
        description: vec![
            "The text goes to `/bin/sh`, or to the shell that `executable` names, with all its \
             pipes, redirections and variables."
                .into(),
        ],
        free_form: Some("_raw_params".into()),
        check_mode: CheckSupport::CannotKnow,
        repetition: Repetition::Once,
        mutually_exclusive: vec![set(&["_raw_params", "cmd"])],
        required_one_of: vec![set(&["_raw_params", "cmd"])],
        returns: command_returns(),
        examples: vec![example(
            "Keep what a script prints",
            "ansible.builtin.shell:\n  cmd: ./report.sh | sort > /var/tmp/report\n  chdir: /opt/app",
        )],
        ..core("shell", "Runs shell text on the host.", arguments)
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let text = arguments
        .text("_raw_params")
        .or(arguments.text("cmd"))
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| Failure::new("no command given").with("rc", 256))?;
    let request = Request {
        script: text.to_owned(),
        shown: json!(text),
        program: None,
        executable: arguments.text("executable").map(str::to_owned),
    };
    carry_out(&arguments, &host, request).await
}
