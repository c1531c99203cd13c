//! `set_stats`: adds to the figures of the run.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Effect, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Outcome, Repetition,
};
use serde_json::json;

use crate::describe::{choice, core, dictionary, example, needed, returns, switch};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[("ansible_stats", "dict", "What was added.")]),
        examples: vec![example(
            "Count hosts",
            "ansible.builtin.set_stats:\n  data:\n    packages_count: 7",
        )],
        ..core(
            "set_stats",
            "Adds to the figures of the run.",
            vec![
                needed(dictionary("data", "The figures by name.")),
                switch("per_host", "Keeps them for each host apart."),
                choice(
                    "aggregate",
                    "Adds to figures that are there, instead of replacing them.",
                )
                .defaults_to(true),
            ],
        )
    }
}

async fn run(call: Call, _: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let data = arguments.dictionary("data").cloned().unwrap_or_default();
    let (per_host, aggregate) = (arguments.flag("per_host"), arguments.flag("aggregate"));
    Ok(Outcome {
        effects: vec![Effect::SetStats {
            data: data.clone(),
            per_host,
            aggregate,
        }],
        ..Outcome::unchanged()
    }
    .with(
        "ansible_stats",
        json!({"data": data, "per_host": per_host, "aggregate": aggregate}),
    ))
}
