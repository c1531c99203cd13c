//! `ping`: tells whether the host can be worked on.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Outcome, Repetition,
};

use crate::describe::{core, example, returns, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        description: vec![
            "It logs in, starts the shell and hears it answer; it sends no ICMP.".into(),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[("ping", "str", "The value of `data`.")]),
        examples: vec![example("Try a host", "ansible.builtin.ping:")],
        ..core(
            "ping",
            "Tells whether the host can be worked on.",
            vec![text("data", "What to answer; `crash` fails, for tests.").defaults_to("pong")],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let data = arguments.text_or_empty("data");
    if data == "crash" {
        return Err(Failure::new("Task failed: Module failed: boom"));
    }
    let output = host.read_script(":").await?;
    if !output.succeeded() {
        return Err(Failure::new("the shell of the host does not work").with("rc", output.rc));
    }
    Ok(Outcome::unchanged().with("ping", data))
}
