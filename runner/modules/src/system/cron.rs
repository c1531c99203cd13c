//! `cron`: entries in a user's table, or in a file of `/etc/cron.d`.

use sasrun_plugin::{
    Arguments, Call, Command, Content, Diff, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object, Outcome, WriteFile,
};

use crate::answers::succeeded;
use crate::describe::{core, example, needed, path, returns, switch, text};
use crate::paths;

/// Comment above an entry by which it is found again.
const MARK: &str = "#Ansible: ";

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let when = |name: &str, what: &str| text(name, what).defaults_to("*");
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("jobs", "list", "Names of all entries."),
            ("envs", "list", "Names of all variables."),
        ]),
        examples: vec![example(
            "Check every night",
            "ansible.builtin.cron:\n  name: check dirs\n  minute: '0'\n  hour: '5'\n  job: ls -alh > /dev/null",
        )],
        ..core(
            "cron",
            "Keeps entries of cron.",
            vec![
                needed(text("name", "Name of the entry.")),
                text("user", "Whose table; in a file, who runs it."),
                text("job", "What to run.").alias(&["value"]),
                path("cron_file", "File, instead of a user's table."),
                text("state", "Whether it shall be there.")
                    .choices(&["absent", "present"])
                    .defaults_to("present"),
                switch("backup", "Keeps a copy of the old file."),
                when("minute", "When."),
                when("hour", "When."),
                when("day", "When.").alias(&["dom"]),
                when("month", "When."),
                when("weekday", "When.").alias(&["dow"]),
                text("special_time", "When, in a word.").choices(&[
                    "reboot", "yearly", "annually", "monthly", "weekly", "daily", "hourly",
                ]),
                switch("disabled", "Keeps the entry as a comment."),
                switch("env", "Sets a variable instead of an entry."),
                text("insertafter", "Accepted; variables go to the start."),
                text("insertbefore", "Accepted; variables go to the start."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let is_present = arguments.text("state") != Some("absent");
    if is_present && !arguments.has("job") {
        return Err(Failure::new(
            "You must specify 'job' to install a new cron job or variable",
        ));
    }
    let file = arguments
        .text("cron_file")
        .map(|file| paths::join("/etc/cron.d", file));
    let user = arguments
        .text("user")
        .map(|user| format!(" -u {}", Host::quote(user)))
        .unwrap_or_default();
    let show = match &file {
        Some(file) => format!("cat {} 2>/dev/null", paths::word(file)),
        None => format!("crontab{user} -l 2>/dev/null"),
    };
    let before = host.read_script(show).await?.stdout;
    let after = edited(&before, &arguments, file.is_some(), is_present)?;
    let outcome = |changed, text: &str| {
        let names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(MARK))
            .collect();
        let variables: Vec<&str> = text.lines().filter_map(variable_of).collect();
        Outcome {
            changed,
            ..Outcome::default()
        }
        .with("jobs", names)
        .with("envs", variables)
    };
    if after == before {
        return Ok(outcome(false, &before));
    }
    let header = file.as_deref().unwrap_or("crontab");
    let diff = Diff::text(header, before.as_str(), after.as_str());
    let name = arguments.text_or_empty("name");
    host.will_change(format!("{header}: {name}"), Some(diff), Object::new())
        .await?;
    match &file {
        Some(file) => {
            host.write(WriteFile {
                path: file.clone(),
                content: Content::Text(after.clone()),
                mode: Some(0o644),
                owner: None,
                group: None,
                backup: arguments.flag("backup") && !before.is_empty(),
                validate: None,
                unsafe_writes: false,
            })
            .await?;
        }
        None => {
            let command = Command {
                script: format!("crontab{user} -"),
                stdin: Some(after.clone()),
                ..Command::default()
            };
            succeeded(host.run(command).await?, "writing the table")?;
        }
    }
    Ok(outcome(true, &after))
}

fn variable_of(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

fn edited(
    text: &str,
    arguments: &Arguments,
    in_file: bool,
    is_present: bool,
) -> Result<String, Failure> {
    let name = arguments.text_or_empty("name");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if arguments.flag("env") {
        let at = lines
            .iter()
            .position(|line| variable_of(line) == Some(name));
        let new = format!("{name}=\"{}\"", arguments.text_or_empty("job"));
        match (at, is_present) {
            (Some(at), true) => lines[at] = new,
            (Some(at), false) => {
                lines.remove(at);
            }
            (None, true) => lines.insert(0, new),
            (None, false) => {}
        }
        return Ok(joined(&lines));
    }
    let mark = format!("{MARK}{name}");
    let at = lines.iter().position(|line| *line == mark);
    if let Some(at) = at {
        let end = (at + 2).min(lines.len());
        let entry = if is_present {
            vec![mark, entry(arguments, in_file)?]
        } else {
            Vec::new()
        };
        lines.splice(at..end, entry);
    } else if is_present {
        lines.push(mark);
        lines.push(entry(arguments, in_file)?);
    }
    Ok(joined(&lines))
}

fn joined(lines: &[String]) -> String {
    if lines.is_empty() {
        String::new()
    } else {
        format!("{}\n", lines.join("\n"))
    }
}

fn entry(arguments: &Arguments, in_file: bool) -> Result<String, Failure> {
    let job = arguments.text_or_empty("job").trim_matches(['\r', '\n']);
    let user = match (in_file, arguments.text("user")) {
        (true, Some(user)) => format!("{user} "),
        (true, None) => {
            return Err(Failure::new(
                "To use cron_file=... parameter you must specify user=... as well",
            ));
        }
        (false, _) => String::new(),
    };
    let off = if arguments.flag("disabled") { "#" } else { "" };
    if let Some(word) = arguments.text("special_time") {
        return Ok(format!("{off}@{word} {user}{job}"));
    }
    let when: Vec<&str> = ["minute", "hour", "day", "month", "weekday"]
        .iter()
        .map(|name| arguments.text_or_empty(name))
        .collect();
    Ok(format!("{off}{} {user}{job}", when.join(" ")))
}
