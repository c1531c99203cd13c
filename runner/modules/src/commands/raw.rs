//! `raw`: shell text without guards, for hosts on which nothing else can be relied on.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Command, Failure, FunctionModule, Host, JobWish, Module,
    ModuleResult, ModuleSpec, Outcome, Repetition,
};

use crate::describe::{core, example, needed, returns, text};
use crate::lines::{exit_status, split_lines};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        free_form: Some("_raw_params".into()),
        check_mode: CheckSupport::CannotKnow,
        repetition: Repetition::Once,
        returns: returns(&[
            ("rc", "int", "Exit status."),
            ("stdout", "str", "What it wrote to standard output."),
            ("stdout_lines", "list", "The same, line by line."),
            ("stderr", "str", "What it wrote to standard error."),
        ]),
        examples: vec![example(
            "Look at the kernel",
            "ansible.builtin.raw: uname -a",
        )],
        ..core(
            "raw",
            "Runs shell text as it is.",
            vec![
                needed(text("_raw_params", "The text.")),
                text("executable", "Shell to use instead of `/bin/sh`."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let script = arguments.text_or_empty("_raw_params").to_owned();
    host.cannot_know("only running it tells what it changes")
        .await?;
    let output = host
        .run(Command {
            script,
            executable: arguments.text("executable").map(str::to_owned),
            job: JobWish::OnRequest,
            ..Command::default()
        })
        .await?;
    let fields = Outcome::changed()
        .with("rc", exit_status(&output))
        .with("stdout_lines", split_lines(&output.stdout))
        .with("stdout", output.stdout.clone())
        .with("stderr_lines", split_lines(&output.stderr))
        .with("stderr", output.stderr.clone());
    if output.succeeded() {
        return Ok(fields);
    }
    Err(Failure {
        result: fields.with("changed", true).result,
        ..Failure::new("non-zero return code")
    })
}
