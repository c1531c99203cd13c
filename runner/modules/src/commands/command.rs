//! `command`: runs a program without a shell in between, as far as the author can tell.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Command, CommandOutput, Failure, FunctionModule, Host, JobWish,
    Module, ModuleResult, ModuleSpec, Outcome, Repetition, Returned,
};
use serde_json::{Value, json};

use super::guard::{self, Skip, Verdict};
use crate::describe::{choice, core, example, path, returns, set, switch, text, texts, with};
use crate::{lines, paths, words};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let mut arguments = with(shared_arguments(), guard::arguments());
    arguments.push(texts("argv", "The command as a list of words."));
    arguments.push(
        choice(
            "expand_argument_vars",
            "Resolves `~` and `$NAME` in the words.",
        )
        .defaults_to(true),
    );
    ModuleSpec {
        description: vec![
            "The command is split into words and run as it is: pipes, redirections and `;` have \
             no meaning. Use `shell` for those."
                .into(),
        ],
        free_form: Some("_raw_params".into()),
        check_mode: CheckSupport::CannotKnow,
        repetition: Repetition::Once,
        mutually_exclusive: vec![set(&["_raw_params", "cmd", "argv"])],
        required_one_of: vec![set(&["_raw_params", "cmd", "argv"])],
        returns: command_returns(),
        examples: vec![
            example(
                "Run a command",
                "ansible.builtin.command: /usr/bin/make_database.sh db_user",
            ),
            example(
                "Run it only once",
                "ansible.builtin.command:\n  cmd: /usr/bin/make_database.sh db_user\n  creates: /path/to/database",
            ),
        ],
        ..core("command", "Runs a command on the host.", arguments)
    }
}

/// Arguments that `command` and `shell` have in common.
pub(super) fn shared_arguments() -> Vec<sasrun_plugin::ArgumentSpec> {
    vec![
        text("_raw_params", "The command as free text."),
        text("cmd", "The command."),
        path("chdir", "Directory to change into first."),
        text(
            "executable",
            "Shell to use instead of `/bin/sh`; `command` has no use for it.",
        ),
        text("stdin", "Text given on standard input."),
        choice("stdin_add_newline", "Ends that text with a newline.").defaults_to(true),
        choice(
            "strip_empty_ends",
            "Removes empty lines at the end of the output.",
        )
        .defaults_to(true),
        switch("warn", "Accepted for old playbooks; it does nothing."),
    ]
}

pub(super) fn command_returns() -> Vec<Returned> {
    returns(&[
        (
            "cmd",
            "raw",
            "The command that was run, as a list of words or as text.",
        ),
        (
            "rc",
            "int",
            "Exit status; negative for death by that signal.",
        ),
        ("stdout", "str", "What it wrote to standard output."),
        ("stdout_lines", "list", "The same, line by line."),
        ("stderr", "str", "What it wrote to standard error."),
        ("stderr_lines", "list", "The same, line by line."),
        ("start", "str", "When it started."),
        ("end", "str", "When it ended."),
        ("delta", "str", "How long it took."),
        ("msg", "str", "Why it was not run, or that it failed."),
    ])
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let words = words_of(&arguments)?;
    let expand = arguments.flag("expand_argument_vars");
    let request = Request {
        script: words::exec_line(&words, expand),
        shown: json!(words),
        program: words.first().cloned(),
        executable: None,
    };
    let mut outcome = carry_out(&arguments, &host, request).await?;
    if let Some(executable) = arguments.text("executable") {
        outcome = outcome.warn(format!(
            "command runs without a shell; its argument executable '{executable}' is not used"
        ));
    }
    Ok(outcome)
}

fn words_of(arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let line = arguments.text("_raw_params").or(arguments.text("cmd"));
    let words = match line {
        Some(line) => words::split(line).map_err(|problem| Failure::new(problem.to_string()))?,
        None => arguments.strings("argv"),
    };
    if words.iter().all(String::is_empty) {
        return Err(Failure::new("no command given").with("rc", 256));
    }
    Ok(words)
}

/// A command ready to be run, and how results show it.
pub(super) struct Request {
    pub(super) script: String,
    pub(super) shown: Value,
    /// Program that is run, where there is exactly one.
    pub(super) program: Option<String>,
    pub(super) executable: Option<String>,
}

/// Runs a command under its guards.
pub(super) async fn carry_out(
    arguments: &Arguments,
    host: &Host,
    request: Request,
) -> ModuleResult {
    let directory = match arguments.text("chdir") {
        Some(path) => Some(paths::expand(host, path).await?),
        None => None,
    };
    match guard::check(arguments, host, directory.as_deref()).await? {
        Verdict::Skip(skip) => return Ok(skipped(&skip, request.shown)),
        Verdict::Run => {
            let shown = display(&request.shown);
            host.will_change(format!("run {shown}"), None, sasrun_plugin::Object::new())
                .await?;
        }
        Verdict::Unguarded => {
            let shown = display(&request.shown);
            host.cannot_know(format!("only running it tells what it changes: {shown}"))
                .await?;
        }
    }
    let output = host
        .run(Command {
            script: request.script,
            stdin: stdin_of(arguments),
            directory,
            executable: request.executable,
            job: JobWish::OnRequest,
            ..Command::default()
        })
        .await?;
    finish(arguments, output, request.shown, request.program.as_deref())
}

fn stdin_of(arguments: &Arguments) -> Option<String> {
    let mut stdin = arguments.text("stdin")?.to_owned();
    if arguments.flag("stdin_add_newline") && !stdin.ends_with('\n') {
        stdin.push('\n');
    }
    Some(stdin)
}

fn skipped(skip: &Skip, shown: Value) -> Outcome {
    let (path, is) = (
        &skip.path,
        if skip.exists {
            "exists"
        } else {
            "does not exist"
        },
    );
    let stdout = format!("skipped, since {path} {is}");
    Outcome::unchanged()
        .with("cmd", shown)
        .with("msg", format!("Did not run command since '{path}' {is}"))
        .with("stdout_lines", vec![stdout.clone()])
        .with("stdout", stdout)
        .with("stderr", "")
        .with("stderr_lines", Vec::<String>::new())
        .with("rc", 0)
        .with("start", Value::Null)
        .with("end", Value::Null)
        .with("delta", Value::Null)
}

fn finish(
    arguments: &Arguments,
    output: CommandOutput,
    shown: Value,
    program: Option<&str>,
) -> ModuleResult {
    let strip = arguments
        .value("strip_empty_ends")
        .is_none_or(|_| arguments.flag("strip_empty_ends"));
    let fields = lines::command_fields(&output, shown, strip);
    if output.succeeded() {
        return Ok(Outcome {
            result: fields,
            ..Outcome::changed()
        });
    }
    let mut failure = Failure {
        msg: "non-zero return code".to_owned(),
        result: fields,
        ..Failure::default()
    };
    failure.result.insert("changed".into(), true.into());
    failure.result.shift_remove("msg");
    if output.timed_out {
        failure.msg = "the command did not end within its time limit".to_owned();
    } else if let Some((number, reason)) = program.and_then(|program| not_started(program, &output))
    {
        // A program that never ran is told with the number of the error, not with the shell's status.
        failure.msg = format!("Error executing command: {reason}");
        failure.result.insert("rc".into(), number.into());
        failure.result.insert("changed".into(), false.into());
    }
    Err(failure)
}

/// Tells a shell that could not start the program from a program that failed.
fn not_started(program: &str, output: &CommandOutput) -> Option<(i32, String)> {
    let names_it = output.stdout.is_empty() && output.stderr.contains(program);
    let (number, words) = match output.rc {
        127 => (2, "No such file or directory"),
        126 => (13, "Permission denied"),
        _ => return None,
    };
    names_it.then(|| (number, format!("[Errno {number}] {words}: b'{program}'")))
}

fn display(shown: &Value) -> String {
    match shown {
        Value::Array(words) => words
            .iter()
            .filter_map(Value::as_str)
            .map(Host::quote)
            .collect::<Vec<String>>()
            .join(" "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
