//! `fail`: fails with a message.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Repetition,
};

use crate::describe::{core, example, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        examples: vec![example(
            "Stop where the system is not known",
            "ansible.builtin.fail:\n  msg: this system is not supported\nwhen: ansible_system != 'Linux'",
        )],
        ..core(
            "fail",
            "Fails with a message.",
            vec![text("msg", "The message.").defaults_to("Failed as requested from task")],
        )
    }
}

async fn run(call: Call, _: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    Err(Failure::new(arguments.text_or_empty("msg")))
}
