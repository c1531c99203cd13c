//! Trying a module without a run: a small engine for the tests of plugins.
//!
//! It holds modules to the rules of the real one (no change before a declaration, no attempt in
//! check mode) but knows no connection: a closure answers, or this machine's own shell does.

use std::io::Write;
use std::process::{Command as Process, Stdio};

use crate::{
    Answer, Call, Change, Command, CommandOutput, Content, Declaration, Failure, FileContent,
    FileKind, FileStatus, Module, Object, Outcome, Read, ReadAnswer, Refusal, Request, Step,
    WriteFile, Written,
};

/// How a conversation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Done(Outcome),
    Failed(Failure),
    /// In check mode: it would change something.
    WouldChange(Declaration),
    /// In check mode: only doing it would tell.
    CannotKnow(String),
}

/// What happened in a rehearsal.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsal {
    /// Everything the module asked, in order.
    pub requests: Vec<Request>,
    pub end: End,
}

/// A call of a module with these arguments, as the engine makes it after validation.
pub fn call(arguments: serde_json::Value) -> Call {
    Call {
        module: String::new(),
        arguments: match arguments {
            serde_json::Value::Object(arguments) => arguments,
            _ => Object::new(),
        },
        check_mode: false,
        diff: true,
        host: "host".into(),
        variables: Object::new(),
    }
}

/// Carries a conversation through; `answer` stands for the host.
///
/// # Panics
/// The module breaks a rule of the conversation, or does not end within 1,000 requests.
pub fn rehearse(
    module: &dyn Module,
    mut call: Call,
    mut answer: impl FnMut(&Request) -> Answer,
) -> Rehearsal {
    let spec = module.spec();
    for argument in &spec.arguments {
        if let (Some(default), false) = (
            &argument.default,
            call.arguments.contains_key(&argument.name),
        ) {
            call.arguments
                .insert(argument.name.clone(), default.clone());
        }
    }
    call.module.clone_from(&spec.name);
    let check_mode = call.check_mode;
    let mut conversation = module.start(call);
    let mut requests = Vec::new();
    let mut declared = false;
    let mut last = None;
    for _ in 0..1000 {
        let request = match conversation.next(last.take()) {
            Step::Ask { request } => request,
            Step::Done { outcome } => {
                return Rehearsal {
                    requests,
                    end: End::Done(outcome),
                };
            }
            Step::Failed { failure } => {
                return Rehearsal {
                    requests,
                    end: End::Failed(failure),
                };
            }
        };
        requests.push(request.clone());
        let end = match &request {
            Request::Declare { declaration } => Some(End::WouldChange(declaration.clone())),
            Request::CannotKnow { reason } => Some(End::CannotKnow(reason.clone())),
            Request::Attempt { .. } => Some(End::CannotKnow("an attempt".into())),
            Request::Change { .. } => {
                assert!(declared, "a change before its declaration: {request:?}");
                None
            }
            _ => None,
        };
        match (check_mode, end) {
            (true, Some(end)) => return Rehearsal { requests, end },
            (false, Some(End::WouldChange(_) | End::CannotKnow(_)))
                if !matches!(request, Request::Attempt { .. }) =>
            {
                declared = true;
                last = Some(Answer::Done);
            }
            _ => last = Some(answer(&request)),
        }
    }
    panic!("the conversation does not end")
}

/// Answers a request on this machine with `/bin/sh` and its files; requests that ask for nothing
/// back are done at once.
pub fn here(request: &Request) -> Answer {
    match request {
        Request::Read { reads } => Answer::Reads {
            reads: reads.iter().map(read_here).collect(),
        },
        Request::Attempt { command } => Answer::Command {
            output: run_here(command),
        },
        Request::Change { changes } => Answer::Changes {
            changes: changes.iter().map(change_here).collect(),
        },
        Request::Controller { .. } | Request::Dialogue { .. } => Answer::Refused {
            refusal: Refusal {
                kind: "other".into(),
                message: "a rehearsal has no controller and no terminal".into(),
            },
        },
        _ => Answer::Done,
    }
}

/// Answers reads with file contents and command outputs by position: the usual scripted host.
pub fn file(text: &str) -> ReadAnswer {
    ReadAnswer::File(FileContent {
        exists: true,
        base64: base64(text.as_bytes()),
        ..FileContent::default()
    })
}

/// The answer to the read of a file that is not there.
pub fn no_file() -> ReadAnswer {
    ReadAnswer::File(FileContent::default())
}

/// The answer to a command that printed this and succeeded.
pub fn output(stdout: &str) -> ReadAnswer {
    ReadAnswer::Command(CommandOutput {
        stdout: stdout.into(),
        ..CommandOutput::default()
    })
}

fn read_here(read: &Read) -> ReadAnswer {
    match read {
        Read::Command(command) => ReadAnswer::Command(run_here(command)),
        Read::Stat(stat) => {
            let kind = match std::fs::symlink_metadata(&stat.path) {
                Err(_) => FileKind::Absent,
                Ok(metadata) if metadata.is_dir() => FileKind::Directory,
                Ok(metadata) if metadata.is_symlink() => FileKind::Link,
                Ok(_) => FileKind::File,
            };
            ReadAnswer::Stat(FileStatus {
                path: stat.path.clone(),
                kind,
                ..FileStatus::default()
            })
        }
        Read::Kind { path } => {
            let kind = match std::fs::metadata(path) {
                Err(_) => FileKind::Absent,
                Ok(metadata) if metadata.is_dir() => FileKind::Directory,
                Ok(_) => FileKind::File,
            };
            ReadAnswer::Stat(FileStatus {
                path: path.clone(),
                kind,
                ..FileStatus::default()
            })
        }
        Read::File { path, .. } => match std::fs::read(path) {
            Ok(bytes) => ReadAnswer::File(FileContent {
                path: path.clone(),
                exists: true,
                base64: base64(&bytes),
                truncated: false,
            }),
            Err(_) => no_file(),
        },
    }
}

fn change_here(change: &Change) -> ReadAnswer {
    match change {
        Change::Command(command) => ReadAnswer::Command(run_here(command)),
        Change::Write(WriteFile {
            path,
            content: Content::Text(text),
            backup,
            ..
        }) => {
            let kept = backup.then(|| format!("{path}.backup"));
            let copied = kept
                .as_ref()
                .map_or(Ok(0), |kept| std::fs::copy(path, kept));
            match copied.and_then(|_| std::fs::write(path, text)) {
                Ok(()) => ReadAnswer::Written(Written {
                    backup: kept,
                    ..Written::default()
                }),
                Err(error) => refused(&error.to_string()),
            }
        }
        other => refused(&format!("a rehearsal cannot do {other:?}")),
    }
}

fn run_here(command: &Command) -> CommandOutput {
    let failed = |error: &std::io::Error| CommandOutput {
        rc: 126,
        stderr: error.to_string(),
        ..CommandOutput::default()
    };
    let child = Process::new(command.executable.as_deref().unwrap_or("/bin/sh"))
        .arg("-c")
        .arg(&command.script)
        .envs(&command.environment)
        .current_dir(command.directory.as_deref().unwrap_or("/"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return failed(&error),
    };
    if let Some(mut input) = child.stdin.take() {
        // A command need not read what it is given.
        let _ = input.write_all(command.stdin.as_deref().unwrap_or_default().as_bytes());
    }
    match child.wait_with_output() {
        Ok(output) => CommandOutput {
            rc: output.status.code().unwrap_or(128),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            ..CommandOutput::default()
        },
        Err(error) => failed(&error),
    }
}

fn refused(message: &str) -> ReadAnswer {
    ReadAnswer::Refused(Refusal {
        kind: "other".into(),
        message: message.into(),
    })
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for position in 0..4 {
            let digit = (group >> (18 - 6 * position)) & 63;
            match ALPHABET.get(digit as usize) {
                Some(letter) if position <= chunk.len() => text.push(char::from(*letter)),
                _ => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FunctionModule, ModuleSpec};

    #[test]
    fn base64_is_padded() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn this_machine_answers() {
        let module = FunctionModule::boxed(ModuleSpec::default(), |_, host| async move {
            let output = host
                .read_command(Command {
                    script: "cat; echo $0".into(),
                    stdin: Some("typed\n".into()),
                    ..Command::default()
                })
                .await?;
            Ok(Outcome::unchanged().with("said", output.stdout))
        });
        let rehearsal = rehearse(&*module, call(serde_json::json!({})), here);
        assert!(
            matches!(&rehearsal.end, End::Done(outcome) if outcome.result["said"] == "typed\n/bin/sh\n"),
            "{rehearsal:?}"
        );
    }

    #[test]
    #[should_panic(expected = "before its declaration")]
    fn an_undeclared_change_is_caught() {
        let module = FunctionModule::boxed(ModuleSpec::default(), |_, host| async move {
            host.run(Command::default()).await?;
            Ok(Outcome::changed())
        });
        rehearse(&*module, call(serde_json::json!({})), here);
    }
}
