//! `community.general.capabilities`: capabilities of a program file.

use sasrun_plugin::{Arguments, Call, FunctionModule, Host, Module, ModuleResult, ModuleSpec};

use crate::answers::succeeded;
use crate::changing::{carry_out, fields, outcome};
use crate::describe::{example, needed, of_collection, path, presence, returns, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        returns: returns(&[("msg", "str", "What was found or done.")]),
        examples: vec![example(
            "Let a program open low ports",
            "community.general.capabilities:\n  path: /usr/local/bin/app\n  capability: cap_net_bind_service+ep",
        )],
        ..of_collection(
            "community.general",
            "capabilities",
            "Keeps capabilities of a program file.",
            vec![
                needed(path("path", "The file.")).alias(&["key"]),
                needed(text("capability", "Such as `cap_net_bind_service+ep`.")).alias(&["cap"]),
                presence(),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let path = arguments.text_or_empty("path");
    let word = crate::paths::word(path);
    let wanted = arguments.text_or_empty("capability").trim().to_lowercase();
    let is_present = arguments.text("state") != Some("absent");
    let shown = succeeded(host.read_script(format!("getcap {word}")).await?, "getcap")?.stdout;
    let known = read(&shown, path);
    let name = |capability: &str| {
        capability
            .split(['+', '='])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let is_same = |known: &String| normal(known) == normal(&wanted);
    let is_there = if is_present {
        known.iter().any(is_same)
    } else {
        known.iter().any(|known| name(known) == name(&wanted))
    };
    if is_there == is_present {
        let result = fields([
            ("msg", "capabilities unchanged".into()),
            ("stdout", shown.into()),
        ]);
        return Ok(outcome(false, result));
    }
    let mut kept: Vec<String> = known
        .into_iter()
        .filter(|known| name(known) != name(&wanted))
        .collect();
    if is_present {
        kept.push(wanted);
    }
    let script = if kept.is_empty() {
        format!("setcap -r {word}")
    } else {
        format!("setcap {} {word}", Host::quote(&kept.join(" ")))
    };
    let result = fields([("msg", "capabilities changed".into())]);
    carry_out(
        &host,
        format!("set capabilities of {path}"),
        None,
        script,
        result,
    )
    .await
}

/// Reads `PATH cap_a,cap_b=ep` and the older `PATH = cap_a+ep` into single capabilities.
fn read(shown: &str, path: &str) -> Vec<String> {
    let rest = shown.trim().strip_prefix(path).unwrap_or_default().trim();
    let rest = rest.strip_prefix("= ").unwrap_or(rest);
    rest.split_whitespace()
        .flat_map(|group| {
            let end = group.find(['+', '=']).unwrap_or(group.len());
            let (names, flags) = group.split_at(end);
            names
                .split(',')
                .map(|name| format!("{name}{flags}"))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// `cap+pe` and `cap=ep` are one and the same.
fn normal(capability: &str) -> (String, Vec<char>) {
    let (name, flags) = capability
        .split_once(['+', '='])
        .unwrap_or((capability, ""));
    let mut flags: Vec<char> = flags.chars().collect();
    flags.sort_unstable();
    (name.to_owned(), flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        assert_eq!(read("/a cap_x,cap_y=ep\n", "/a"), ["cap_x=ep", "cap_y=ep"]);
        assert_eq!(read("/a = cap_x+ep\n", "/a"), ["cap_x+ep"]);
        assert_eq!(normal("cap_x+pe"), normal("cap_x=ep"));
    }
}
