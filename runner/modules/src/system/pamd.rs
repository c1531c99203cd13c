//! `community.general.pamd`: rules of a service of PAM.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
};

use crate::changing::{TextFile, fields, outcome};
use crate::describe::{example, needed, of_collection, path, returns, switch, text, texts};

const TYPES: [&str; 8] = [
    "account",
    "-account",
    "auth",
    "-auth",
    "password",
    "-password",
    "session",
    "-session",
];

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("change_count", "int", "How many rules were changed."),
            ("backupdest", "str", "Where the old file was kept."),
        ]),
        examples: vec![example(
            "Show no message of the day",
            "community.general.pamd:\n  name: login\n  type: session\n  control: optional\n  module_path: pam_motd.so\n  state: absent",
        )],
        ..of_collection(
            "community.general",
            "pamd",
            "Changes rules of a service of PAM.",
            vec![
                needed(text("name", "The service, a file of `path`.")),
                needed(text("type", "Type of the rule that is looked for.")).choices(&TYPES),
                needed(text("control", "Its control.")),
                needed(text("module_path", "Its module.")),
                text("new_type", "Type of the new rule.").choices(&TYPES),
                text("new_control", "Control of the new rule."),
                text("new_module_path", "Module of the new rule."),
                texts("module_arguments", "Arguments of the rule's module.").alias(&["args"]),
                text(
                    "state",
                    "What becomes of the rule; `before` and `after` add one beside it.",
                )
                .choices(&[
                    "absent",
                    "before",
                    "after",
                    "args_absent",
                    "args_present",
                    "updated",
                ])
                .defaults_to("updated"),
                path("path", "Folder of the services.").defaults_to("/etc/pam.d"),
                switch("backup", "Keeps a copy of the old file beside it."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name");
    let folder = arguments.text_or_empty("path");
    let file = TextFile::read(&host, &crate::paths::join(folder, name)).await?;
    if !file.exists {
        let message = format!("Unable to open/read PAM module file {}", file.path);
        return Err(Failure::new(message));
    }
    let (after, count) = Edit::of(&arguments)?.of_text(&file.text);
    let mut result = fields([("change_count", count.into())]);
    if after == file.text {
        return Ok(outcome(false, result));
    }
    file.declare(&host, &after, result.clone()).await?;
    let backup = arguments.flag("backup");
    if let Some(kept) = file.write(&host, after, 0o644, backup).await? {
        result.insert("backupdest".into(), kept.into());
    }
    Ok(outcome(true, result))
}

/// A rule: type, control, module and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    kind: String,
    control: String,
    module: String,
    arguments: Vec<String>,
}

impl Rule {
    /// Reads a line; none for comments and includes.
    fn read(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '@']) {
            return None;
        }
        let (kind, rest) = line.split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let (control, rest) = if rest.starts_with('[') {
            let end = rest.find(']')? + 1;
            (rest.get(..end)?, rest.get(end..)?)
        } else {
            rest.split_once(char::is_whitespace)?
        };
        let mut words = words(rest).into_iter();
        Some(Self {
            kind: kind.to_owned(),
            control: spaced(control),
            module: words.next()?,
            arguments: words.collect(),
        })
    }

    fn line(&self) -> String {
        let mut line = format!("{}\t{}\t{}", self.kind, self.control, self.module);
        for argument in &self.arguments {
            line.push(' ');
            line.push_str(argument);
        }
        line.push('\n');
        line
    }

    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.control == other.control && self.module == other.module
    }
}

/// A control in brackets, with one blank where there are several.
fn spaced(control: &str) -> String {
    control.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Arguments of a module; those in brackets hold blanks.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.split_whitespace() {
        match words.last_mut().filter(|_| is_open) {
            Some(last) => last.push_str(&format!(" {word}")),
            None => words.push(word.to_owned()),
        }
        is_open = (is_open || word.starts_with('[')) && !word.ends_with(']');
    }
    words
}

struct Edit {
    old: Rule,
    new: Rule,
    has_arguments: bool,
    state: String,
}

impl Edit {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let state = arguments.text_or_empty("state").to_owned();
        let beside = state == "before" || state == "after";
        let new_names = ["new_type", "new_control", "new_module_path"];
        if beside && new_names.iter().any(|name| arguments.text(name).is_none()) {
            return Err(Failure::new(format!(
                "state is {state} but all of the following are missing: {}",
                new_names.join(", ")
            )));
        }
        let old = Rule {
            kind: arguments.text_or_empty("type").to_owned(),
            control: spaced(arguments.text_or_empty("control")),
            module: arguments.text_or_empty("module_path").to_owned(),
            arguments: Vec::new(),
        };
        let given = arguments.strings("module_arguments");
        let or = |name: &str, old: &str| arguments.text(name).unwrap_or(old).to_owned();
        Ok(Self {
            new: Rule {
                kind: or("new_type", &old.kind),
                control: spaced(&or("new_control", &old.control)),
                module: or("new_module_path", &old.module),
                arguments: given.iter().flat_map(|text| words(text)).collect(),
            },
            has_arguments: arguments.has("module_arguments"),
            old,
            state,
        })
    }

    /// The text with every such rule changed, and how many were.
    fn of_text(&self, text: &str) -> (String, usize) {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let rule_at = |at: Option<usize>| Rule::read(lines.get(at?)?);
        let (mut after, mut count) = (String::new(), 0);
        for (at, line) in lines.iter().enumerate() {
            let rule = Rule::read(line).filter(|rule| rule.is_like(&self.old));
            let Some(rule) = rule else {
                after.push_str(line);
                continue;
            };
            let neighbour = match self.state.as_str() {
                "before" => rule_at(at.checked_sub(1)),
                _ => rule_at(Some(at + 1)),
            };
            let is_beside = neighbour.is_some_and(|other| other.is_like(&self.new));
            let became = match self.state.as_str() {
                "absent" => String::new(),
                "before" if !is_beside => format!("{}{line}", self.new.line()),
                "after" if !is_beside => format!("{}\n{}", line.trim_end(), self.new.line()),
                "before" | "after" => (*line).to_owned(),
                _ => self.changed(&rule, line),
            };
            count += usize::from(became != *line);
            after.push_str(&became);
        }
        (after, count)
    }

    /// The line of a rule that is changed in place; it stays as written where nothing changes.
    fn changed(&self, rule: &Rule, line: &str) -> String {
        let mut changed = rule.clone();
        match self.state.as_str() {
            "args_absent" => {
                let is_named = |word: &String| self.new.arguments.contains(word);
                changed.arguments.retain(|word| !is_named(word));
            }
            "args_present" => self.put_arguments(&mut changed.arguments),
            _ => {
                changed = self.new.clone();
                if !self.has_arguments {
                    changed.arguments.clone_from(&rule.arguments);
                }
            }
        }
        if changed == *rule {
            line.to_owned()
        } else {
            changed.line()
        }
    }

    /// Adds arguments; one with a value takes the place of another with the same key.
    fn put_arguments(&self, there: &mut Vec<String>) {
        for word in &self.new.arguments {
            let key = word.split_once('=').map(|(key, _)| format!("{key}="));
            let same = there.iter_mut().find(|other| {
                *other == word
                    || key
                        .as_ref()
                        .is_some_and(|key| other.starts_with(key.as_str()))
            });
            match same {
                Some(other) => other.clone_from(word),
                None => there.push(word.clone()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# login\nauth [success=1  default=ignore] pam_unix.so nullok\n@include common\nsession    optional   pam_motd.so\n";

    fn edit(state: &str, new: &Rule) -> (String, usize) {
        let old = if state == "absent" {
            Rule::read("session optional pam_motd.so")
        } else {
            Rule::read("auth [success=1 default=ignore] pam_unix.so")
        };
        let edit = Edit {
            old: old.unwrap(),
            new: new.clone(),
            has_arguments: true,
            state: state.into(),
        };
        let (text, count) = edit.of_text(FILE);
        assert!(["absent", "args_absent"].contains(&state) || edit.of_text(&text).1 == 0);
        (text, count)
    }

    #[test]
    fn rules_go_come_and_change() {
        let new = Rule::read("auth required pam_deny.so try_first_pass").unwrap();
        let (gone, count) = edit("absent", &new);
        assert_eq!((gone.contains("pam_motd"), count), (false, 1));
        let (after, _) = edit("after", &new);
        assert!(
            after.contains("nullok\nauth\trequired\tpam_deny.so try_first_pass\n@include"),
            "{after}"
        );
        let (before, _) = edit("before", &new);
        assert!(
            before.contains("pass\nauth [success=1  default"),
            "{before}"
        );
        let (more, _) = edit("args_present", &new);
        assert!(
            more.contains("auth\t[success=1 default=ignore]\tpam_unix.so nullok try_first_pass\n"),
            "{more}"
        );
    }
}
