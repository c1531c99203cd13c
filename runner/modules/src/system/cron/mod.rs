//! `cron`: entries in a user's table, or in a file of `/etc/cron.d`.

mod table;

use sasrun_plugin::{
    Arguments, Call, Command, Content, Diff, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object, Outcome, WriteFile,
};

use crate::answers::{run as run_there, succeeded};
use crate::describe::{core, example, needed, path, returns, set, switch, text};
use crate::paths;

/// Arguments that say when an entry runs, in the order of its line.
const TIMES: [&str; 5] = ["minute", "hour", "day", "month", "weekday"];

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let when = |name: &str, what: &str| text(name, what).defaults_to("*");
    ModuleSpec {
        diff: true,
        mutually_exclusive: vec![set(&["insertafter", "insertbefore"])],
        returns: returns(&[
            ("jobs", "list", "Names of all entries."),
            ("envs", "list", "Names of all variables."),
            ("cron_file", "path", "The file, if one was given."),
            (
                "backup_file",
                "path",
                "Where the old table lies, if a copy was asked for.",
            ),
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
                text(
                    "insertafter",
                    "Variable after which a new one goes, not to the start.",
                ),
                text(
                    "insertbefore",
                    "Variable before which a new one goes, not to the start.",
                ),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let is_present = arguments.text("state") != Some("absent");
    refuse_contradictions(&arguments, is_present)?;
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
    let shown = host.read_script(show).await?.stdout;
    let before = match &file {
        Some(_) => shown,
        None => table::without_header(&shown),
    };
    let after = table::edited(&before, &arguments, file.is_some(), is_present)?;
    if after == before {
        return Ok(outcome(&arguments, false, &before));
    }
    let header = file.as_deref().unwrap_or("crontab");
    // A file without entries is none; a variable alone is left to whoever wrote it.
    let removes = file
        .as_ref()
        .filter(|_| !is_present && !arguments.flag("env") && after.trim().is_empty());
    let new = if removes.is_some() {
        ""
    } else {
        after.as_str()
    };
    let mut diff = Diff::text(header, before.as_str(), new);
    if removes.is_some() {
        diff.after_header = Some("/dev/null".to_owned());
    }
    let name = arguments.text_or_empty("name");
    host.will_change(format!("{header}: {name}"), Some(diff), Object::new())
        .await?;
    let mut outcome = outcome(&arguments, true, new);
    if arguments.flag("backup") {
        let keep = Command {
            script: "f=`mktemp \"${TMPDIR:-/tmp}/crontabXXXXXX\"` && cat >\"$f\" && echo \"$f\""
                .to_owned(),
            stdin: Some(before),
            ..Command::default()
        };
        let kept = succeeded(host.run(keep).await?, "keeping a copy of the table")?;
        outcome = outcome.with("backup_file", kept.stdout.trim());
    }
    match (&file, removes) {
        (_, Some(file)) => {
            run_there(
                &host,
                format!("rm -f {}", paths::word(file)),
                "removing the file",
            )
            .await?;
        }
        (Some(file), None) => {
            host.write(WriteFile {
                path: file.clone(),
                content: Content::Text(after),
                mode: Some(0o644),
                owner: None,
                group: None,
                backup: false,
                validate: None,
                unsafe_writes: false,
            })
            .await?;
        }
        (None, None) => {
            let command = Command {
                script: format!("crontab{user} -"),
                stdin: Some(after),
                ..Command::default()
            };
            succeeded(host.run(command).await?, "writing the table")?;
        }
    }
    Ok(outcome)
}

/// Fails where arguments do not go together.
fn refuse_contradictions(arguments: &Arguments, is_present: bool) -> Result<(), Failure> {
    let refuse = |msg: &str| Err(Failure::new(msg));
    let names_time = TIMES.iter().any(|name| arguments.text(name) != Some("*"));
    let places = arguments.has("insertafter") || arguments.has("insertbefore");
    if arguments.text("cron_file") == Some("/etc/crontab") {
        return refuse("Will not manage /etc/crontab via cron_file, see documentation.");
    }
    if arguments.has("special_time") && names_time {
        return refuse(
            "You cannot combine special_time with any of the time or day/date parameters.",
        );
    }
    if arguments.flag("env") && arguments.text_or_empty("name").contains(' ') {
        return refuse("Invalid name for environment variable");
    }
    if !is_present {
        return Ok(());
    }
    if arguments.has("cron_file") && !arguments.has("user") {
        return refuse("To use cron_file=... parameter you must specify user=... as well");
    }
    if !arguments.has("job") {
        return refuse("You must specify 'job' to install a new cron job or variable");
    }
    if places && !arguments.flag("env") {
        return refuse("Insertafter and insertbefore parameters are valid only with env=yes");
    }
    Ok(())
}

fn outcome(arguments: &Arguments, changed: bool, text: &str) -> Outcome {
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix(table::MARK))
        .collect();
    let variables: Vec<&str> = text.lines().filter_map(table::variable_of).collect();
    let mut outcome = Outcome {
        changed,
        ..Outcome::default()
    }
    .with("jobs", names)
    .with("envs", variables);
    if let Some(file) = arguments.text("cron_file") {
        outcome = outcome.with("cron_file", file);
        let odd = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let name = paths::file_name(file);
        // Cron passes such files over, on most systems without a word.
        if name.contains(odd) {
            outcome = outcome.warn(format!(
                "Filename portion of cron_file (\"{name}\") should consist solely of upper- and \
                 lower-case letters, digits, underscores, and hyphens"
            ));
        }
    }
    let job = arguments.text_or_empty("job").trim_matches(['\r', '\n']);
    if job.contains(['\r', '\n']) && !arguments.flag("env") {
        outcome = outcome.warn("Job should not contain line breaks");
    }
    outcome
}
