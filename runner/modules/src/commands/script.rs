//! `script`: sends a script of the controller's to the host, runs it there and removes it.

use sasrun_plugin::{
    Arguments, Call, Change, CheckSupport, Command, Content, Failure, FunctionModule, Host,
    JobWish, Module, ModuleResult, ModuleSpec, Object, Outcome, ReadAnswer, Repetition, SearchIn,
    WriteFile,
};

use super::guard::{self, Verdict};
use crate::describe::{core, example, path, returns, set, text, with};
use crate::files::sent_content;
use crate::lines::{exit_status, split_lines};
use crate::{paths, words};

/// Makes a directory that no one else can read or has made before, and prints its name.
const MAKE_DIRECTORY: &str = "umask 077\n\
    n=0\n\
    while d=${TMPDIR-/tmp}/sasrun-script.$$.$n; mkdir \"$d\" 2>/dev/null; [ $? -ne 0 ]; do\n\
    n=`expr $n + 1`\n\
    if [ $n -gt 100 ]; then echo \"no directory can be made below ${TMPDIR-/tmp}\" >&2; exit 1; fi\n\
    done\n\
    echo \"$d\"";

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        text("_raw_params", "Path of the script, and words for it."),
        text("cmd", "Path of the script, and words for it."),
        path("chdir", "Directory of the host to change into first."),
        text(
            "executable",
            "Program that shall read the script, instead of its first line's.",
        ),
        crate::describe::choice("decrypt", "Opens the script if it is in a vault.")
            .defaults_to(true),
    ];
    ModuleSpec {
        free_form: Some("_raw_params".into()),
        check_mode: CheckSupport::CannotKnow,
        repetition: Repetition::Once,
        mutually_exclusive: vec![set(&["_raw_params", "cmd"])],
        required_one_of: vec![set(&["_raw_params", "cmd"])],
        returns: returns(&[
            ("rc", "int", "Exit status."),
            ("stdout", "str", "What it wrote to standard output."),
            ("stdout_lines", "list", "The same, line by line."),
            ("stderr", "str", "What it wrote to standard error."),
        ]),
        examples: vec![example(
            "Run a script with words",
            "ansible.builtin.script: files/check.sh --fast\nargs:\n  creates: /var/tmp/checked",
        )],
        ..core(
            "script",
            "Runs a script of the controller's on the host.",
            with(own, guard::arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let line = arguments
        .text("_raw_params")
        .or(arguments.text("cmd"))
        .unwrap_or_default();
    let words = words::split(line).map_err(|problem| Failure::new(problem.to_string()))?;
    let Some(source) = words.first() else {
        return Err(Failure::new("no script given"));
    };
    match guard::check(&arguments, &host, None).await? {
        Verdict::Skip(skip) => return Ok(skipped(&skip)),
        Verdict::Run => {
            host.will_change(format!("run {source}"), None, Object::new())
                .await?;
        }
        Verdict::Unguarded => {
            host.cannot_know(format!("only running {source} tells what it changes"))
                .await?;
        }
    }
    let file = host.controller_file(source, SearchIn::Files, None).await?;
    let content = sent_content(&host, &arguments, file).await?;
    let directory = make_directory(&host).await?;
    let place = paths::join(&directory, paths::file_name(source));
    send_and_run(&host, &arguments, &words, content, &directory, &place).await
}

fn skipped(skip: &guard::Skip) -> Outcome {
    let (is, option) = if skip.exists {
        ("exists", "creates")
    } else {
        ("does not exist", "removes")
    };
    Outcome {
        skipped: true,
        ..Outcome::unchanged()
    }
    .with(
        "msg",
        format!("{} {is}, matching {option} option", skip.path),
    )
}

async fn make_directory(host: &Host) -> Result<String, Failure> {
    let output = crate::answers::run(host, MAKE_DIRECTORY.to_owned(), "making a directory").await?;
    Ok(output.stdout.trim_end().to_owned())
}

async fn send_and_run(
    host: &Host,
    arguments: &Arguments,
    words: &[String],
    content: Content,
    directory: &str,
    place: &str,
) -> ModuleResult {
    let mut line = vec![place.to_owned()];
    line.extend(words.iter().skip(1).cloned());
    let program = arguments
        .text("executable")
        .map(|program| format!("{program} "));
    let script = format!(
        "{}{}",
        program.unwrap_or_default(),
        words::command_line(&line, false)
    );
    let started = match arguments.text("chdir") {
        Some(chdir) => Some(paths::expand(host, chdir).await?),
        None => None,
    };
    let write = WriteFile {
        path: place.to_owned(),
        content,
        mode: Some(0o700),
        owner: None,
        group: None,
        backup: false,
        validate: None,
        unsafe_writes: false,
    };
    let command = Command {
        script,
        directory: started,
        job: JobWish::OnRequest,
        ..Command::default()
    };
    let sent = host
        .change(vec![Change::Write(write), Change::Command(command)])
        .await;
    // The directory goes whatever came of it; a leftover is no reason to hide the script's end.
    let remove = format!("rm -rf {}", paths::word(directory));
    let removed = crate::answers::run(host, remove, "removing the script").await;
    let outcome = finish(sent?)?;
    Ok(match removed {
        Ok(_) => outcome,
        Err(failure) => outcome.warn(failure.msg),
    })
}

fn finish(answers: Vec<ReadAnswer>) -> ModuleResult {
    let output = match answers.into_iter().next_back() {
        Some(ReadAnswer::Command(output)) => output,
        Some(ReadAnswer::Refused(refusal)) => return Err(Failure::new(refusal.message)),
        _ => return Err(Failure::new("the script could not be sent")),
    };
    let fields = Outcome::changed()
        .with("rc", exit_status(&output))
        .with("stdout_lines", split_lines(&output.stdout))
        .with("stdout", output.stdout.clone())
        .with("stderr_lines", split_lines(&output.stderr))
        .with("stderr", output.stderr.clone());
    if output.succeeded() {
        return Ok(fields);
    }
    Err(Failure {
        result: fields.with("changed", true).result,
        ..Failure::new("non-zero return code")
    })
}
