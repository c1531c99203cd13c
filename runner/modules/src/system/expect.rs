//! `expect`: runs a program on a terminal and answers its questions.

use std::collections::VecDeque;

use sasrun_plugin::{
    Arguments, Call, CommandOutput, DialogueRequest, Failure, FunctionModule, Host, JobWish,
    Module, ModuleResult, ModuleSpec, Outcome, Repetition, Screen,
};
use serde_json::Value;

use crate::answers::{Answers, look};
use crate::describe::{core, dictionary, example, needed, path, raw, returns, switch, text};
use crate::lines::command_fields;
use crate::python_regex::{Flags, PythonRegex};
use crate::words::{exec_line, split};

/// Longest wait for one look at the screen.
const LOOK_MS: u64 = 5_000;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: sasrun_plugin::CheckSupport::CannotKnow,
        repetition: Repetition::Once,
        returns: returns(&[
            ("cmd", "str", "The command."),
            ("stdout", "str", "What stood on the terminal."),
            ("rc", "int", "Its status."),
        ]),
        examples: vec![example(
            "Answer a question",
            "ansible.builtin.expect:\n  command: passwd username\n  responses:\n    (?i)password: '{{ secret }}'\nno_log: true",
        )],
        ..core(
            "expect",
            "Runs a program on a terminal and answers its questions.",
            vec![
                needed(text("command", "The command; no shell reads it.")),
                needed(dictionary(
                    "responses",
                    "Patterns and their answers; a list of answers is used up one by one.",
                )),
                path("chdir", "Directory to start in."),
                path(
                    "creates",
                    "File that, if it is there, makes the command needless.",
                ),
                path(
                    "removes",
                    "File that, if it is not there, makes the command needless.",
                ),
                raw(
                    "timeout",
                    "How long to wait for a known question, in seconds; null for ever.",
                )
                .defaults_to(30),
                switch("echo", "Shows what is typed."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let command = arguments.text_or_empty("command").to_owned();
    if command.trim().is_empty() {
        return Err(Failure::new("no command given").with("rc", 256));
    }
    if let Some(why) = needless(&host, &arguments).await? {
        return Ok(Outcome::unchanged()
            .with("cmd", command)
            .with("stdout", why)
            .with("rc", 0));
    }
    let words = split(&command).map_err(|error| Failure::new(error.to_string()))?;
    let mut questions = questions(&arguments)?;
    host.cannot_know("only the program knows what it does")
        .await?;
    let echo = if arguments.flag("echo") {
        ""
    } else {
        "stty -echo 2>/dev/null; "
    };
    let open = DialogueRequest::Open {
        command: sasrun_plugin::Command {
            script: format!("{echo}{}", exec_line(&words, false)),
            directory: arguments.text("chdir").map(str::to_owned),
            job: JobWish::OnRequest,
            ..sasrun_plugin::Command::default()
        },
        columns: 200,
        rows: 50,
        note: String::new(),
    };
    let screen = host.dialogue(open).await?;
    let limit_ms = limit(&arguments)?;
    let (ended, text) = converse(&host, &mut questions, limit_ms, screen).await?;
    host.dialogue(DialogueRequest::Close).await?;
    let mut result = command_fields(
        &CommandOutput {
            stdout: text,
            ..ended.clone().unwrap_or_default()
        },
        command.into(),
        true,
    );
    for needless in ["stderr", "stderr_lines", "msg"] {
        result.shift_remove(needless);
    }
    let failed = |msg: &str, mut result: sasrun_plugin::Object| {
        result.insert("changed".into(), true.into());
        Failure {
            result,
            ..Failure::new(msg)
        }
    };
    match ended {
        None => {
            result.insert("rc".into(), Value::Null);
            Err(failed("command exceeded timeout", result))
        }
        Some(output) if output.rc != 0 => Err(failed("non-zero return code", result)),
        Some(_) => Ok(Outcome {
            result,
            ..Outcome::changed()
        }),
    }
}

async fn needless(host: &Host, arguments: &Arguments) -> Result<Option<String>, Failure> {
    for (argument, there) in [("creates", true), ("removes", false)] {
        let Some(path) = arguments.text(argument) else {
            continue;
        };
        let status = Answers::of(host, vec![look(path, true)]).await?.status()?;
        if status.exists() == there {
            let state = if there { "exists" } else { "does not exist" };
            return Ok(Some(format!("skipped, since {path} {state}")));
        }
    }
    Ok(None)
}

/// A question and what to answer.
struct Question {
    pattern: PythonRegex,
    shown: String,
    answers: Answer,
}

enum Answer {
    Always(String),
    OneByOne(VecDeque<String>),
}

fn questions(arguments: &Arguments) -> Result<Vec<Question>, Failure> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let line = |value: &Value| format!("{}\n", text(value).trim_end_matches('\n'));
    let mut questions = Vec::new();
    for (pattern, answer) in arguments.dictionary("responses").into_iter().flatten() {
        let flags = Flags {
            dot_all: true,
            ..Flags::default()
        };
        questions.push(Question {
            pattern: PythonRegex::new(pattern, flags)
                .map_err(|error| Failure::new(error.to_string()))?,
            shown: pattern.clone(),
            answers: match answer {
                Value::Array(answers) => Answer::OneByOne(answers.iter().map(line).collect()),
                single => Answer::Always(line(single)),
            },
        });
    }
    Ok(questions)
}

fn limit(arguments: &Arguments) -> Result<Option<u64>, Failure> {
    let seconds = match arguments.value("timeout") {
        None => return Ok(None),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_u64(),
    };
    seconds
        .map(|seconds| Some(seconds * 1_000))
        .ok_or_else(|| Failure::new("argument 'timeout' could not be converted to int"))
}

/// Reads and answers until the program ends, or no known question came for too long.
async fn converse(
    host: &Host,
    questions: &mut [Question],
    limit_ms: Option<u64>,
    mut screen: Screen,
) -> Result<(Option<CommandOutput>, String), Failure> {
    let (mut all, mut pending, mut at) = (String::new(), String::new(), screen.from);
    let mut waited_ms = 0;
    loop {
        if screen.lost {
            return Err(Failure {
                unknown: true,
                ..Failure::new("the connection was lost while the program ran")
            });
        }
        if screen.to > at {
            all.push_str(&screen.text);
            pending.push_str(&screen.text);
            at = screen.to;
        }
        if let Some(text) = next_answer(questions, &mut pending)? {
            waited_ms = 0;
            // Typed whatever was printed meanwhile: a program may print on while it waits.
            let mut sent = host.dialogue(send(&text, at)).await?;
            for _ in 0..100 {
                if sent.sent || sent.ended.is_some() || sent.lost {
                    break;
                }
                take(&mut sent, &mut all, &mut pending, &mut at);
                sent = host.dialogue(send(&text, at)).await?;
            }
            screen = sent;
            continue;
        }
        if let Some(ended) = screen.ended {
            return Ok((Some(ended), all));
        }
        let wait_ms = limit_ms.map_or(LOOK_MS, |limit| (limit - waited_ms).min(LOOK_MS));
        if limit_ms.is_some_and(|limit| waited_ms >= limit) {
            return Ok((None, all));
        }
        screen = host
            .dialogue(DialogueRequest::Read { since: at, wait_ms })
            .await?;
        waited_ms = if screen.to > at {
            0
        } else {
            waited_ms + wait_ms
        };
    }
}

fn send(text: &str, if_at: u64) -> DialogueRequest {
    DialogueRequest::Send {
        text: text.to_owned(),
        if_at,
        sensitive: true,
    }
}

fn take(screen: &mut Screen, all: &mut String, pending: &mut String, at: &mut u64) {
    if screen.to > *at {
        all.push_str(&screen.text);
        pending.push_str(&screen.text);
        *at = screen.to;
    }
}

/// Finds the question that comes first in what was printed since the last answer.
fn next_answer(
    questions: &mut [Question],
    pending: &mut String,
) -> Result<Option<String>, Failure> {
    let mut best: Option<(usize, usize, usize)> = None;
    for (nth, question) in questions.iter().enumerate() {
        let found = question
            .pattern
            .captures(pending)
            .map_err(|error| Failure::new(error.to_string()))?;
        if let Some(whole) =
            found.and_then(|found| found.get(0).map(|whole| (whole.start(), whole.end())))
            && best.is_none_or(|(start, _, _)| whole.0 < start)
        {
            best = Some((whole.0, whole.1, nth));
        }
    }
    let Some((_, end, nth)) = best else {
        return Ok(None);
    };
    pending.drain(..end);
    let Some(question) = questions.get_mut(nth) else {
        return Ok(None);
    };
    match &mut question.answers {
        Answer::Always(text) => Ok(Some(text.clone())),
        Answer::OneByOne(answers) => answers.pop_front().map(Some).ok_or_else(|| {
            Failure::new(format!(
                "No remaining responses for '{}', output was '{pending}'",
                question.shown
            ))
        }),
    }
}
