//! `setup`: facts of the host, gathered by one script with only the parts that are asked for.

mod distribution;
mod hardware;
mod local;
mod moment;
mod network;
mod platform;
mod sections;
mod subset;
mod system;

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object, Outcome, Repetition,
};
use serde_json::{Value, json};

use crate::describe::{core, example, integer, path, returns, texts};
use crate::files::shell_pattern;
use crate::python_regex::{Flags, PythonRegex};
use sections::Sections;
use subset::{Part, wanted};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let mut spec = ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[(
            "ansible_facts",
            "dict",
            "The facts, each with the prefix `ansible_`.",
        )]),
        examples: vec![
            example("Gather everything", "ansible.builtin.setup:"),
            example(
                "Gather only what is cheap",
                "ansible.builtin.setup:\n  gather_subset:\n    - '!all'\n    - network",
            ),
        ],
        ..core(
            "setup",
            "Gathers facts of the host.",
            vec![
                texts("gather_subset", "Parts to gather; `!` leaves one out.")
                    .defaults_to(json!(["all"])),
                integer("gather_timeout", "Accepted; the task's own limit holds.").defaults_to(10),
                texts("filter", "Shell patterns of facts to keep.").defaults_to(json!([])),
                path("fact_path", "Directory with the host's own facts.")
                    .defaults_to("/etc/ansible/facts.d"),
            ],
        )
    };
    spec.aliases
        .extend(["ansible.builtin.gather_facts".into(), "gather_facts".into()]);
    spec
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let subset = arguments.strings("gather_subset");
    let parts = wanted(&subset).map_err(|name| {
        Failure::new(format!("Bad subset '{name}' given to Ansible. gather_subset options allowed: all, !all, min, hardware, network, virtual, …"))
    })?;
    let output = host
        .read_script(script(&parts, arguments.text_or_empty("fact_path")))
        .await?;
    let sections = Sections::of(&output.stdout);
    if sections.first("platform").is_none() {
        return Err(Failure::new(format!(
            "no facts could be gathered: {}",
            output.stderr.trim()
        )));
    }
    let mut facts = interpret(&sections, &parts);
    facts.insert("gather_subset".into(), json!(subset));
    facts.insert("module_setup".into(), true.into());
    let facts = prefixed(facts, &arguments.strings("filter"));
    Ok(Outcome {
        facts,
        ..Outcome::unchanged()
    })
}

/// Prints the files that the parts asked for, all by one program.
const FILES: &str = include_str!("files.sh");

/// Writes the script that gathers the parts; the environment comes last, for its values may hold
/// anything.
fn script(parts: &[Part], fact_path: &str) -> String {
    let mut script = String::from("umask 077\nLC_ALL=C; export LC_ALL\n");
    script.push_str(&format!("fact_path={}\nfiles=\n", Host::quote(fact_path)));
    let mut parts = parts.to_vec();
    parts.sort();
    for part in parts.into_iter().filter(|part| *part != Part::Env) {
        script.push_str(part.script());
    }
    script.push_str(FILES);
    script.push_str(Part::Env.script());
    script
}

fn interpret(sections: &Sections, parts: &[Part]) -> Object {
    let mut facts = Object::new();
    for part in parts {
        facts.extend(match part {
            Part::Platform => platform::facts(sections),
            Part::User => platform::user(sections),
            Part::Distribution => distribution::facts(sections),
            Part::Managers => distribution::managers(sections),
            Part::DateTime => moment::facts(sections),
            Part::System => system::facts(sections),
            Part::Hardware => hardware::facts(sections),
            Part::Network => network::facts(sections),
            Part::Virtual => system::virtualization(sections),
            Part::Local => local::facts(sections),
            Part::Env => system::environment(sections),
        });
    }
    facts
}

/// Adds the prefix and keeps what the filter asks for.
fn prefixed(facts: Object, filter: &[String]) -> Object {
    let patterns: Vec<PythonRegex> = filter
        .iter()
        .filter(|pattern| !pattern.is_empty())
        .filter_map(|pattern| PythonRegex::new(&shell_pattern(pattern), Flags::default()).ok())
        .collect();
    facts
        .into_iter()
        .map(|(name, value)| match name.as_str() {
            "gather_subset" | "module_setup" => (name, value),
            _ => (format!("ansible_{name}"), value),
        })
        .filter(|(name, _)| {
            let short = name.trim_start_matches("ansible_");
            let hits = |regex: &PythonRegex| {
                regex.is_match(name) == Ok(true) || regex.is_match(short) == Ok(true)
            };
            patterns.is_empty() || patterns.iter().any(hits)
        })
        .collect::<Object>()
}

/// Makes an object of a JSON literal.
fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_keeps_what_it_names() {
        let facts =
            object(json!({"distribution": "Debian", "kernel": "6", "distribution_version": "12"}));
        let kept = prefixed(facts, &["ansible_distribution*".to_owned()]);
        let names: Vec<&String> = kept.keys().collect();
        assert_eq!(
            names,
            ["ansible_distribution", "ansible_distribution_version"]
        );
    }
}
