//! `group`: groups of the host.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome,
};
use serde_json::Value;

use crate::answers::run as change;
use crate::describe::{core, example, integer, needed, returns, set, switch, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        required_if: vec![("non_unique".to_owned(), true.into(), set(&["gid"]))],
        returns: returns(&[
            ("name", "str", "Name of the group."),
            ("gid", "int", "Number of the group."),
            ("state", "str", "What it was asked to be."),
            (
                "system",
                "bool",
                "Whether a group of the system was asked for.",
            ),
        ]),
        examples: vec![example(
            "Make a group",
            "ansible.builtin.group:\n  name: app\n  gid: 500",
        )],
        ..core(
            "group",
            "Makes and removes groups.",
            vec![
                needed(text("name", "Name of the group.")),
                text("state", "Whether it shall be there.")
                    .choices(&["absent", "present"])
                    .defaults_to("present"),
                integer("gid", "Number of the group."),
                switch("system", "Makes it a group of the system."),
                switch("force", "Removes it even if it is someone's own."),
                switch("local", "Accepted; the host's own tools are used."),
                switch("non_unique", "Allows a number that is taken."),
                integer("gid_min", "Least number to give."),
                integer("gid_max", "Greatest number to give."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    if arguments.flag("local") {
        // Tools for local groups alone take no range, and none is passed over in silence.
        for name in ["gid_min", "gid_max"] {
            if arguments.has(name) {
                return Err(Failure::new(format!(
                    "'{name}' can not be used with 'local'"
                )));
            }
        }
    }
    let name = arguments.text_or_empty("name");
    let word = Host::quote(name);
    let look = format!("getent group {word} 2>/dev/null || grep ^{word}: /etc/group");
    let output = host.read_script(look).await?;
    let current = output
        .stdout
        .lines()
        .find(|line| line.split(':').next() == Some(name))
        .and_then(|line| line.split(':').nth(2)?.parse::<i64>().ok());
    let is_present = arguments.text("state") != Some("absent");
    let wanted = arguments.integer("gid");
    let step = match (current, is_present) {
        (Some(_), false) => Some(remove(&arguments, &word)),
        (None, true) => Some(add(&arguments, &word)),
        (Some(gid), true) if wanted.is_some_and(|wanted| wanted != gid) => {
            let unique = if arguments.flag("non_unique") {
                " -o"
            } else {
                ""
            };
            Some(format!(
                "groupmod -g {}{unique} {word}",
                wanted.unwrap_or(gid)
            ))
        }
        _ => None,
    };
    let mut result = Object::new();
    result.insert("name".into(), name.into());
    result.insert("state".into(), arguments.text_or_empty("state").into());
    result.insert("system".into(), arguments.flag("system").into());
    let Some(step) = step else {
        if let Some(gid) = current.filter(|_| is_present) {
            result.insert("gid".into(), gid.into());
        }
        return Ok(Outcome {
            result,
            ..Outcome::unchanged()
        });
    };
    let verb = match (current, is_present) {
        (_, false) => "remove",
        (None, _) => "make",
        _ => "renumber",
    };
    host.will_change(format!("{verb} the group {name}"), None, result.clone())
        .await?;
    let show = if is_present {
        format!(" && {{ getent group {word} 2>/dev/null || grep ^{word}: /etc/group; }}")
    } else {
        String::new()
    };
    let output = change(&host, format!("{step}{show}"), "changing the group").await?;
    let gid = output
        .stdout
        .trim()
        .split(':')
        .nth(2)
        .and_then(|gid| gid.parse::<i64>().ok());
    if is_present {
        result.insert("gid".into(), gid.map_or(Value::Null, Value::from));
    }
    Ok(Outcome {
        result,
        ..Outcome::changed()
    })
}

fn add(arguments: &Arguments, word: &str) -> String {
    let mut options = Vec::new();
    if let Some(gid) = arguments.integer("gid") {
        options.push(format!("-g {gid} "));
        if arguments.flag("non_unique") {
            options.push("-o ".to_owned());
        }
    }
    for (name, key) in [("gid_min", "GID_MIN"), ("gid_max", "GID_MAX")] {
        if let Some(number) = arguments.integer(name) {
            options.push(format!("-K {key}={number} "));
        }
    }
    let options = options.concat();
    let system = arguments.flag("system");
    let (long, short) = if system { ("-r ", "-S ") } else { ("", "") };
    // A host without groupadd has busybox's own.
    format!(
        "if [ -x /usr/sbin/groupadd ] || [ -x /sbin/groupadd ]; then groupadd {long}{options}{word}; \
         else addgroup {short}{options}{word}; fi"
    )
}

fn remove(arguments: &Arguments, word: &str) -> String {
    let force = if arguments.flag("force") { "-f " } else { "" };
    format!(
        "if [ -x /usr/sbin/groupdel ] || [ -x /sbin/groupdel ]; then groupdel {force}{word}; \
         else delgroup {word}; fi"
    )
}
