//! Conversations as data: arguments and answers in, requests and the end out.
//!
//! Each file below `cases/MODULE/` is one conversation. A new case is written without `requests`
//! and `end` and filled by `UPDATE_CASES=1 cargo test -p sasrun-modules --test cases`; what was
//! filled in is then to be read as carefully as code.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use sasrun_modules::builtin;
use sasrun_plugin::{Answer, Arguments, Call, Module, Object, Request, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    arguments: Object,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    check_mode: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    diff: bool,
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    variables: Object,
    /// Answers to the requests that ask for something back, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<Answer>,
    #[serde(default)]
    requests: Vec<Request>,
    #[serde(default)]
    end: Value,
}

#[test]
fn every_case_comes_out_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let modules = builtin();
    let (mut count, mut wrong) = (0, Vec::new());
    for directory in sorted(&root) {
        let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
        let module = modules
            .iter()
            .find(|module| module.spec().answers_to(&name))
            .unwrap_or_else(|| panic!("cases for no module: {name}"));
        for file in sorted(&directory) {
            count += 1;
            let text = std::fs::read_to_string(&file).unwrap();
            let case: Case = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let actual = play(module.as_ref(), &case);
            let user = ["command", "shell", "raw", "script"].contains(&name.as_str());
            if !user {
                refuse_new_shell(&file, &serde_json::to_string(&actual.requests).unwrap());
            }
            if actual == case {
                continue;
            }
            let written = format!("{}\n", serde_json::to_string_pretty(&actual).unwrap());
            if update {
                std::fs::write(&file, written).unwrap();
            } else {
                wrong.push(format!("{} comes out as\n{written}", file.display()));
            }
        }
    }
    assert!(count > 50, "the cases were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Old shells must read what modules send; what the playbook's author writes is the author's.
fn refuse_new_shell(file: &Path, requests: &str) {
    for words in ["$(", "[[", "local ", "%q", "test -e", "[ -e "] {
        assert!(
            !requests.contains(words),
            "{}: {words} is not for old shells",
            file.display()
        );
    }
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// Plays a conversation and returns the case as it came out.
fn play(module: &dyn Module, case: &Case) -> Case {
    let mut actual = Case {
        requests: Vec::new(),
        end: Value::Null,
        ..case.clone()
    };
    let arguments = match Arguments::check(module.spec(), &case.arguments) {
        Ok(arguments) => arguments,
        Err(errors) => {
            let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
            actual.end = json!({"refused": messages});
            return actual;
        }
    };
    let mut talk = module.start(Call {
        module: module.spec().name.clone(),
        arguments: arguments.into_object(),
        check_mode: case.check_mode,
        diff: case.diff,
        host: "target".into(),
        variables: case.variables.clone(),
    });
    let mut answers = case.answers.iter().cloned();
    let mut answer = None;
    actual.end = loop {
        let request = match talk.next(answer.take()) {
            Step::Ask { request } => request,
            Step::Done { outcome } => break without_times(json!({"done": outcome})),
            Step::Failed { failure } => break without_times(json!({"failed": failure})),
        };
        actual.requests.push(request.clone());
        answer = match request {
            Request::Declare { .. } if case.check_mode => break json!("would change"),
            Request::CannotKnow { .. } if case.check_mode => break json!("cannot know"),
            Request::Declare { .. }
            | Request::CannotKnow { .. }
            | Request::Sleep { .. }
            | Request::Progress { .. }
            | Request::Secrets { .. } => Some(Answer::Done),
            _ => answers.next(),
        };
        if answer.is_none() {
            break json!("no answer is left");
        }
    };
    if answers.next().is_some() {
        actual.end = json!("answers are left over");
    }
    actual
}

/// Replaces what the clock tells.
fn without_times(mut end: Value) -> Value {
    for side in ["done", "failed"] {
        let Some(result) = end.get_mut(side).and_then(|end| end.get_mut("result")) else {
            continue;
        };
        for name in ["start", "end", "stop"] {
            if let Some(time) = result.get_mut(name).filter(|time| time.is_string()) {
                *time = json!("TIME");
            }
        }
    }
    end
}
