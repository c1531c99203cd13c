//! `meta`: tells the engine to do something with the run itself. Only the description is here;
//! the engine carries it out.

use sasrun_plugin::{
    Call, CheckSupport, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Repetition,
};

use crate::describe::{core, example, needed, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        free_form: Some("free_form".into()),
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        examples: vec![example(
            "Run handlers now",
            "ansible.builtin.meta: flush_handlers",
        )],
        ..core(
            "meta",
            "Tells the run to do something with itself.",
            vec![
                needed(text("free_form", "What to do."))
                    .alias(&["_raw_params"])
                    .choices(&[
                        "clear_facts",
                        "clear_host_errors",
                        "end_batch",
                        "end_host",
                        "end_play",
                        "end_role",
                        "flush_handlers",
                        "noop",
                        "refresh_inventory",
                        "reset_connection",
                    ]),
            ],
        )
    }
}

async fn run(_: Call, _: Host) -> ModuleResult {
    Err(Failure::new(
        "meta is carried out by the run itself, not by a module",
    ))
}
