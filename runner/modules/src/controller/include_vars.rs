//! `include_vars`: loads variables from files while the play runs.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, ControllerRequest, Effect, Failure, FunctionModule, Host,
    Module, ModuleResult, ModuleSpec, Object, Outcome, Repetition,
};
use serde_json::{Value, json};

use crate::describe::{core, example, integer, path, raw, returns, switch, text, texts};

/// Arguments that go with a directory.
const OF_DIRECTORIES: [&str; 6] = [
    "dir",
    "depth",
    "files_matching",
    "ignore_files",
    "extensions",
    "ignore_unknown_extensions",
];

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        free_form: Some("file".into()),
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[
            ("ansible_facts", "dict", "The variables."),
            (
                "ansible_included_var_files",
                "list",
                "Files they were taken from.",
            ),
        ]),
        examples: vec![example(
            "Load what fits the system",
            "ansible.builtin.include_vars:\n  file: '{{ ansible_os_family }}.yml'",
        )],
        ..core(
            "include_vars",
            "Loads variables from files while the play runs.",
            vec![
                path("file", "The file.").alias(&["_raw_params", "free-form"]),
                path(
                    "dir",
                    "Directory whose files are loaded, in order of their names.",
                ),
                text("name", "Variable that takes all of them, as a dictionary."),
                integer(
                    "depth",
                    "How deep to go below the directory; 0 is all the way.",
                ),
                text("files_matching", "Pattern of names to take."),
                raw("ignore_files", "Names to leave out."),
                texts("extensions", "Ends of names to take.")
                    .defaults_to(json!(["yaml", "yml", "json"])),
                switch(
                    "ignore_unknown_extensions",
                    "Leaves out other ends instead of failing.",
                ),
                text(
                    "hash_behaviour",
                    "How dictionaries meet those that are there.",
                )
                .choices(&["replace", "merge"]),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let by_directory = arguments.has("dir");
    if by_directory == arguments.has("file") {
        return Err(Failure::new(if by_directory {
            "You are mixing file only and dir only arguments, these are incompatible"
        } else {
            "one of the following is required: file, dir"
        }));
    }
    let mut options = call.arguments;
    options.shift_remove("name");
    if !by_directory {
        options.retain(|name, _| !OF_DIRECTORIES.contains(&name.as_str()));
    }
    let loaded = host
        .controller(ControllerRequest::LoadVariables { options })
        .await?;
    let mut loaded = match loaded {
        Value::Object(loaded) => loaded,
        _ => serde_json::Map::new(),
    };
    let is_sealed = loaded.get("is_sealed").is_some_and(|flag| flag == true);
    let (variables, files) = (
        loaded.shift_remove("variables"),
        loaded.shift_remove("files"),
    );
    let Some(Value::Object(variables)) = variables else {
        return Err(Failure::new(
            "the files do not hold a dictionary of variables",
        ));
    };
    let variables = match arguments.text("name").filter(|name| !name.is_empty()) {
        Some(name) => {
            let mut named = Object::new();
            named.insert(name.to_owned(), Value::Object(variables));
            named
        }
        None => variables,
    };
    let outcome = Outcome {
        effects: vec![Effect::IncludeVariables {
            variables: variables.clone(),
        }],
        ..Outcome::unchanged()
    }
    .with("ansible_facts", variables)
    .with(
        "ansible_included_var_files",
        files.unwrap_or_else(|| json!([])),
    );
    // What was in a vault is not shown.
    Ok(match is_sealed {
        true => outcome.with("_ansible_no_log", true),
        false => outcome,
    })
}
