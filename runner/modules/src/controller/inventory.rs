//! `add_host` and `group_by`: change the inventory of this run.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Effect, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Outcome, Repetition,
};
use serde_json::json;

use crate::describe::{ONCE_FOR_ALL, core, example, needed, returns, text, texts};

pub(crate) fn add_host() -> Box<dyn Module> {
    let spec = ModuleSpec {
        open: true,
        controller_only: true,
        once_for_all: true,
        description: vec![ONCE_FOR_ALL.into()],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[(
            "add_host",
            "dict",
            "Name, groups and variables of the host.",
        )]),
        examples: vec![example(
            "Add a host",
            "ansible.builtin.add_host:\n  name: '{{ new_address }}'\n  groups: [just_made]\n  role: web",
        )],
        ..core(
            "add_host",
            "Adds a host to the inventory of this run.",
            vec![
                needed(text("name", "Name of the host.")).alias(&["host", "hostname"]),
                texts("groups", "Groups it belongs to.").alias(&["group", "groupname"]),
            ],
        )
    };
    FunctionModule::boxed(spec, run_add_host)
}

async fn run_add_host(call: Call, _: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let name = arguments.text_or_empty("name").to_owned();
    if name.is_empty() {
        return Err(Failure::new("name, host or hostname needs to be provided"));
    }
    let (name, port) = match name.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            match port.parse::<u16>() {
                Ok(port) => (host.trim_matches(['[', ']']).to_owned(), Some(port)),
                Err(_) => (name, None),
            }
        }
        _ => (name, None),
    };
    let groups: Vec<String> = arguments
        .strings("groups")
        .into_iter()
        .filter(|group| !group.is_empty())
        .collect();
    let mut variables = call.arguments;
    variables.shift_remove("name");
    variables.shift_remove("groups");
    if let Some(port) = port {
        variables.insert("ansible_ssh_port".into(), port.into());
    }
    let shown = json!({"host_name": name, "groups": groups, "host_vars": variables});
    Ok(Outcome {
        effects: vec![Effect::AddHost {
            name,
            groups,
            variables,
        }],
        ..Outcome::changed()
    }
    .with("add_host", shown))
}

pub(crate) fn group_by() -> Box<dyn Module> {
    let spec = ModuleSpec {
        controller_only: true,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        examples: vec![example(
            "Group by system",
            "ansible.builtin.group_by:\n  key: os_{{ ansible_distribution }}",
        )],
        ..core(
            "group_by",
            "Puts the host into a group that its variables name.",
            vec![
                needed(text("key", "Name of the group.")),
                texts("parents", "Groups above it.").defaults_to(json!(["all"])),
            ],
        )
    };
    FunctionModule::boxed(spec, run_group_by)
}

async fn run_group_by(call: Call, _: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let safe = |name: &str| name.replace(' ', "-");
    let group = safe(arguments.text_or_empty("key"));
    let parents: Vec<String> = arguments
        .strings("parents")
        .iter()
        .map(|name| safe(name))
        .collect();
    Ok(Outcome {
        effects: vec![Effect::GroupBy {
            groups: vec![group.clone()],
            parents: parents.clone(),
        }],
        ..Outcome::changed()
    }
    .with("add_group", group)
    .with("parent_groups", parents))
}
