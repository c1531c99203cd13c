//! `set_fact`: sets variables of the host.

use sasrun_plugin::{
    ArgumentSpec, Call, CheckSupport, Effect, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Outcome, Repetition, truth,
};

use crate::describe::{core, example, returns, switch};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let cacheable: ArgumentSpec = switch("cacheable", "Keeps the variables as facts too.");
    ModuleSpec {
        open: true,
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[("ansible_facts", "dict", "The variables that were set.")]),
        examples: vec![example(
            "Set two variables",
            "ansible.builtin.set_fact:\n  one: 1\n  two: '{{ other }}'",
        )],
        ..core("set_fact", "Sets variables of the host.", vec![cacheable])
    }
}

async fn run(call: Call, _: Host) -> ModuleResult {
    let mut variables = call.arguments;
    let cacheable = variables
        .shift_remove("cacheable")
        .as_ref()
        .and_then(truth)
        .unwrap_or(false);
    if variables.is_empty() {
        return Err(Failure::new(
            "No key/value pairs provided, at least one is required for this action to succeed",
        ));
    }
    if let Some(name) = variables.keys().find(|name| !is_name(name)) {
        return Err(Failure::new(format!(
            "Invalid variable name '{name}'. Variables must start with a letter or \
             underscore character, and contain only letters, numbers and underscores."
        )));
    }
    Ok(Outcome {
        effects: vec![Effect::SetVariables {
            variables: variables.clone(),
            cacheable,
        }],
        ..Outcome::unchanged()
    }
    .with("ansible_facts", variables))
}

/// Words that expressions keep for themselves.
const WORDS: [&str; 14] = [
    "true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else",
    "for",
];

fn is_name(text: &str) -> bool {
    !WORDS.contains(&text)
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
