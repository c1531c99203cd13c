//! `community.general.alternatives`: which of several programs a name leads to.

use sasrun_plugin::{
    Arguments, Call, Diff, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
};

use crate::changing::{carry_out, outcome};
use crate::describe::{example, integer, needed, of_collection, path, raw, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        examples: vec![example(
            "Choose a program",
            "community.general.alternatives:\n  name: editor\n  path: /usr/bin/vim",
        )],
        ..of_collection(
            "community.general",
            "alternatives",
            "Chooses which of several programs a name leads to.",
            vec![
                needed(text("name", "The name.")),
                path("path", "The program."),
                text(
                    "family",
                    "Family of programs; only the tool of Red Hat's systems knows such.",
                ),
                path("link", "The link that leads to it."),
                integer("priority", "Its rank when the choice is automatic."),
                text(
                    "state",
                    "Whether it shall be known, or chosen, or the choice automatic.",
                )
                .choices(&["absent", "auto", "present", "selected"])
                .defaults_to("selected"),
                raw(
                    "subcommands",
                    "Names that go along, a list of `name`, `path` and `link`.",
                )
                .alias(&["slaves"]),
            ],
        )
    }
}

/// What the host's tool tells of a name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    link: String,
    is_auto: bool,
    chosen: String,
    /// Programs with their ranks.
    programs: Vec<(String, i64)>,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name");
    let word = Host::quote(name);
    let tool = "t=update-alternatives; if [ ! -x /usr/bin/$t ] && [ ! -x /usr/sbin/$t ]; then t=alternatives; fi";
    let script = format!(
        "{tool}\nLC_ALL=C $t --query {word} 2>/dev/null || LC_ALL=C $t --display {word} 2>/dev/null; :"
    );
    let known = read(&host.read_script(script).await?.stdout);
    let path = arguments.text("path");
    let state = arguments.text_or_empty("state");
    let mut steps = Vec::new();
    let program = path.and_then(|path| known.programs.iter().find(|(known, _)| known == path));
    match (state, path) {
        ("auto", None) => {}
        (_, None) => {
            return Err(Failure::new(format!(
                "state is {state} but all of the following are missing: path"
            )));
        }
        ("absent", Some(path)) => {
            if program.is_some() {
                steps.push(format!("$t --remove {word} {}", Host::quote(path)));
            }
        }
        (_, Some(path)) => {
            let other_rank = program.is_some_and(|(_, rank)| {
                arguments
                    .integer("priority")
                    .is_some_and(|wanted| wanted != *rank)
            });
            if program.is_none() || other_rank {
                steps.push(install(&arguments, &known, name, path)?);
            }
        }
    }
    if state == "selected" && (known.chosen != path.unwrap_or_default() || known.is_auto) {
        steps.push(format!(
            "$t --set {word} {}",
            Host::quote(path.unwrap_or_default())
        ));
    }
    if state == "auto" && !known.is_auto {
        steps.push(format!("$t --auto {word}"));
    }
    if steps.is_empty() {
        return Ok(outcome(false, Object::new()));
    }
    let chosen = match state {
        "selected" => path.unwrap_or_default(),
        _ => known.chosen.as_str(),
    };
    let shown = |state: &str, path: &str| format!("state: {state}\npath: {path}\n");
    let diff = Diff {
        before: shown(
            if known.is_auto { "auto" } else { "selected" },
            &known.chosen,
        ),
        after: shown(state, chosen),
        ..Diff::default()
    };
    let script = format!("{tool}\n{}", steps.join(" && "));
    carry_out(
        &host,
        format!("set the alternative {name}"),
        Some(diff),
        script,
        Object::new(),
    )
    .await
}

fn install(
    arguments: &Arguments,
    known: &Known,
    name: &str,
    path: &str,
) -> Result<String, Failure> {
    let link = arguments.text("link").unwrap_or(&known.link);
    if link.is_empty() {
        return Err(Failure::new(
            "Needed to install the alternative, but unable to do so as we are missing the link",
        ));
    }
    let rank = arguments.integer("priority").unwrap_or(50);
    let mut step = format!(
        "$t --install {} {} {} {rank}",
        Host::quote(link),
        Host::quote(name),
        Host::quote(path)
    );
    for command in arguments.list("subcommands") {
        let part = |key: &str| {
            command
                .get(key)
                .and_then(|value| value.as_str())
                .unwrap_or_default()
        };
        step.push_str(&format!(
            " --slave {} {} {}",
            Host::quote(part("link")),
            Host::quote(part("name")),
            Host::quote(part("path"))
        ));
    }
    if let Some(family) = arguments.text("family") {
        step.push_str(&format!(" --family {}", Host::quote(family)));
    }
    Ok(step)
}

/// Reads both forms: Debian's `--query` and the `--display` of others.
fn read(shown: &str) -> Known {
    let mut known = Known::default();
    let mut program: Option<String> = None;
    for line in shown.lines() {
        if let Some((key, value)) = line.split_once(": ") {
            match key {
                "Link" => value.clone_into(&mut known.link),
                "Status" => known.is_auto = value == "auto",
                "Value" => value.clone_into(&mut known.chosen),
                "Alternative" => program = Some(value.to_owned()),
                "Priority" => known
                    .programs
                    .extend(program.take().zip(value.parse().ok())),
                _ => {}
            }
        }
        if line.contains(" - status is auto") {
            known.is_auto = true;
        }
        if let Some(rest) = line.trim().strip_prefix("link currently points to ") {
            rest.clone_into(&mut known.chosen);
        }
        if let Some((path, rank)) = line
            .split_once(" - priority ")
            .or_else(|| line.split_once(" - family "))
        {
            let rank = rank.rsplit(' ').next().and_then(|rank| rank.parse().ok());
            known
                .programs
                .extend(rank.map(|rank| (path.to_owned(), rank)));
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn both_tools_are_understood() {
        let debian = read(
            "Name: editor\nLink: /usr/bin/editor\nStatus: manual\nBest: /bin/ed\nValue: /bin/ed\n\nAlternative: /bin/ed\nPriority: -100\n",
        );
        assert_eq!(
            (debian.is_auto, debian.programs[0].1, debian.chosen.as_str()),
            (false, -100, "/bin/ed")
        );
        let other = read(
            "java - status is auto.\n link currently points to /opt/java\n/opt/java - priority 5\n",
        );
        assert_eq!(
            (other.is_auto, other.chosen.as_str(), other.programs.len()),
            (true, "/opt/java", 1)
        );
    }
}
