//! Short words for writing specs.

use sasrun_plugin::{ArgumentSpec, ArgumentType, Example, ModuleSpec, Returned};

/// Said of modules that do not ask each host.
pub(crate) const ONCE_FOR_ALL: &str = "Runs once for all hosts that come to it together, as if the task said `run_once`: \
    for the first of them, with its variables.";

/// Begins the spec of a module of `ansible.builtin`.
pub(crate) fn core(name: &str, summary: &str, arguments: Vec<ArgumentSpec>) -> ModuleSpec {
    ModuleSpec {
        name: format!("ansible.builtin.{name}"),
        aliases: vec![format!("ansible.legacy.{name}")],
        summary: summary.to_owned(),
        arguments,
        ..ModuleSpec::default()
    }
}

/// Begins the spec of a module of another collection, such as `community.general`.
pub(crate) fn of_collection(
    collection: &str,
    name: &str,
    summary: &str,
    arguments: Vec<ArgumentSpec>,
) -> ModuleSpec {
    ModuleSpec {
        name: format!("{collection}.{name}"),
        summary: summary.to_owned(),
        arguments,
        ..ModuleSpec::default()
    }
}

/// The argument `state` of a thing that is there or not.
pub(crate) fn presence() -> ArgumentSpec {
    text("state", "Whether it shall be there.")
        .choices(&["absent", "present"])
        .defaults_to("present")
}

pub(crate) fn text(name: &str, description: &str) -> ArgumentSpec {
    ArgumentSpec::optional(name, ArgumentType::String, description)
}

pub(crate) fn path(name: &str, description: &str) -> ArgumentSpec {
    ArgumentSpec::optional(name, ArgumentType::Path, description)
}

pub(crate) fn integer(name: &str, description: &str) -> ArgumentSpec {
    ArgumentSpec::optional(name, ArgumentType::Integer, description)
}

pub(crate) fn texts(name: &str, description: &str) -> ArgumentSpec {
    ArgumentSpec::optional(name, ArgumentType::StringList, description)
}

pub(crate) fn dictionary(name: &str, description: &str) -> ArgumentSpec {
    ArgumentSpec::optional(name, ArgumentType::Dictionary, description)
}

pub(crate) fn raw(name: &str, description: &str) -> ArgumentSpec {
    ArgumentSpec::optional(name, ArgumentType::Raw, description)
}

/// A boolean without a default: absent means that nothing is asked for.
pub(crate) fn choice(name: &str, description: &str) -> ArgumentSpec {
    ArgumentSpec::optional(name, ArgumentType::Boolean, description)
}

/// A boolean that is false unless given.
pub(crate) fn switch(name: &str, description: &str) -> ArgumentSpec {
    choice(name, description).defaults_to(false)
}

/// Makes an argument one that must be given.
pub(crate) fn needed(argument: ArgumentSpec) -> ArgumentSpec {
    ArgumentSpec {
        required: true,
        ..argument
    }
}

/// Arguments about owner, group and mode that all modules share that write files.
pub(crate) fn file_arguments() -> Vec<ArgumentSpec> {
    vec![
        ArgumentSpec::optional(
            "mode",
            ArgumentType::Mode,
            "Permission bits, octal in quotes or symbolic (`u=rw,g=r`).",
        ),
        text("owner", "User who shall own it."),
        text("group", "Group that shall own it."),
        switch(
            "unsafe_writes",
            "Writes in place where a rename is impossible, such as on a mounted file.",
        ),
        text(
            "attributes",
            "Flags as for `chattr`; accepted and not applied.",
        )
        .alias(&["attr"]),
        text("seuser", "SELinux user; accepted and not applied."),
        text("serole", "SELinux role; accepted and not applied."),
        text("setype", "SELinux type; accepted and not applied."),
        text("selevel", "SELinux level; accepted and not applied."),
    ]
}

pub(crate) fn with(mut arguments: Vec<ArgumentSpec>, more: Vec<ArgumentSpec>) -> Vec<ArgumentSpec> {
    arguments.extend(more);
    arguments
}

pub(crate) fn returns(fields: &[(&str, &str, &str)]) -> Vec<Returned> {
    fields
        .iter()
        .map(|(name, kind, description)| Returned::new(name, kind, description))
        .collect()
}

/// Result fields of a module that leaves a file behind.
pub(crate) fn file_returns() -> Vec<Returned> {
    returns(&[
        ("dest", "path", "The file."),
        ("owner", "str", "Name of its owner."),
        ("group", "str", "Name of its group."),
        ("uid", "int", "Number of its owner."),
        ("gid", "int", "Number of its group."),
        ("mode", "str", "Permission bits, such as `0644`."),
        ("size", "int", "Size in bytes."),
        (
            "state",
            "str",
            "What it is: `file`, `directory`, `link`, `hard` or `absent`.",
        ),
    ])
}

pub(crate) fn example(title: &str, yaml: &str) -> Example {
    Example {
        title: title.to_owned(),
        yaml: yaml.to_owned(),
    }
}

/// Turns borrowed names into a rule of a spec.
pub(crate) fn set(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
