//! Whole modules against scripted hosts: cases as data in `cases/*.yml`.
//!
//! Each case gives arguments and what the host answers, and says what the module must ask, type,
//! change and come to. The shapes are those of `Case` below.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use sasrun_plugin::rehearsal::{End, Rehearsal, call, rehearse};
use sasrun_plugin::{
    Answer, Change, CommandOutput, DialogueRequest, FileContent, FileKind, FileStatus, Read,
    ReadAnswer, Refusal, Request, Screen, Written,
};
use serde::Deserialize;
use serde_json::Value;

/// One conversation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    module: String,
    #[serde(default)]
    arguments: serde_json::Map<String, Value>,
    #[serde(default)]
    variables: serde_json::Map<String, Value>,
    #[serde(default)]
    check_mode: bool,
    /// Answers to reads, one after the other; the last one is repeated.
    #[serde(default)]
    reads: Vec<Given>,
    /// Answers to changes, one after the other; success where there is none.
    #[serde(default)]
    changes: Vec<Given>,
    /// What the terminal prints, and what must be typed at it.
    #[serde(default)]
    terminal: Vec<Turn>,
    #[serde(default)]
    ends: Option<Ended>,
    /// The note of a dialogue that is there already, from before the run was cut off.
    #[serde(default)]
    adopts: Option<String>,
    /// Why nothing more is known of the program once the terminal has printed all.
    #[serde(default)]
    lost_because: Option<String>,
    expect: Expected,
}

/// What a host answers to one read or change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    stdout: Option<String>,
    stderr: String,
    rc: i32,
    file: Option<String>,
    /// A regular file, of which only its being there matters.
    there: Option<String>,
    mode: u32,
    mtime: f64,
    checksum: Option<String>,
    absent: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    prints: String,
    /// Without it the program prints on by itself.
    #[serde(default)]
    types: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Ended {
    rc: i32,
    signal: Option<i32>,
}

/// What it must come to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    changed: Option<bool>,
    fails: Option<String>,
    would_change: Option<String>,
    cannot_know: Option<String>,
    /// Part of the result.
    result: BTreeMap<String, Value>,
    /// Parts of the shell texts of all changes, in order.
    changes: Vec<String>,
    warning: Option<String>,
    interrupted: bool,
    unknown: bool,
}

/// The scripted host.
struct Scripted<'a> {
    case: &'a Case,
    reads: VecDeque<Given>,
    changes: VecDeque<Given>,
    turns: VecDeque<Turn>,
    printed: String,
    interrupted: bool,
    problems: Vec<String>,
}

impl<'a> Scripted<'a> {
    fn new(case: &'a Case) -> Self {
        Self {
            case,
            reads: case.reads.clone().into(),
            changes: case.changes.clone().into(),
            turns: case.terminal.clone().into(),
            printed: String::new(),
            interrupted: false,
            problems: Vec::new(),
        }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        match request {
            Request::Read { reads } => Answer::Reads {
                reads: reads.iter().map(|read| self.read(read)).collect(),
            },
            Request::Change { changes } => Answer::Changes {
                changes: changes.iter().map(|change| self.change(change)).collect(),
            },
            Request::Dialogue {
                request: DialogueRequest::Adopt,
            } if self.case.adopts.is_none() => Answer::Refused {
                refusal: Refusal {
                    kind: "absent".to_owned(),
                    message: String::new(),
                },
            },
            Request::Dialogue { request } => Answer::Screen {
                screen: self.terminal(request),
            },
            _ => Answer::Done,
        }
    }

    fn read(&mut self, read: &Read) -> ReadAnswer {
        let given = if self.reads.len() > 1 {
            self.reads.pop_front()
        } else {
            self.reads.front().cloned()
        };
        let given = given.unwrap_or_default();
        match read {
            Read::Command(_) => ReadAnswer::Command(output(&given)),
            Read::Stat(stat) => ReadAnswer::Stat(status(&given, &stat.path)),
            _ => ReadAnswer::File(FileContent {
                exists: given.file.is_some(),
                base64: base64(given.file.unwrap_or_default().as_bytes()),
                ..FileContent::default()
            }),
        }
    }

    fn change(&mut self, change: &Change) -> ReadAnswer {
        let given = self.changes.pop_front().unwrap_or_default();
        match change {
            Change::Command(_) => ReadAnswer::Command(output(&given)),
            _ => ReadAnswer::Written(Written::default()),
        }
    }

    fn terminal(&mut self, request: &DialogueRequest) -> Screen {
        let from = self.printed.len() as u64;
        let mut sent = false;
        match request {
            DialogueRequest::Send { text, if_at, .. } => {
                sent = *if_at == from;
                let wanted = self.turns.pop_front().and_then(|turn| turn.types);
                if wanted.as_deref() != Some(text.trim_end_matches('\n')) {
                    self.problems
                        .push(format!("typed {text:?}, not {wanted:?}"));
                }
                if let Some(next) = self.turns.front() {
                    self.printed += &next.prints;
                }
            }
            DialogueRequest::Open { .. } | DialogueRequest::Adopt => {
                self.printed += &self.turns.front().unwrap().prints
            }
            DialogueRequest::Interrupt => self.interrupted = true,
            // A turn at which nothing is typed is over once it was read.
            _ if self.turns.front().is_some_and(|turn| turn.types.is_none()) => {
                self.turns.pop_front();
                if let Some(next) = self.turns.front() {
                    self.printed += &next.prints;
                }
            }
            _ => {}
        }
        let is_over = self.interrupted || (self.turns.is_empty() && self.case.ends.is_some());
        let ended = self.case.ends.clone().unwrap_or(Ended {
            rc: 130,
            signal: None,
        });
        let text = self.printed[from as usize..].to_owned();
        Screen {
            from,
            to: self.printed.len() as u64,
            text,
            sent,
            ended: is_over.then(|| CommandOutput {
                rc: ended.rc,
                signal: ended.signal,
                ..CommandOutput::default()
            }),
            lost: self.case.lost_because.is_some() && self.turns.is_empty(),
            lost_because: self.case.lost_because.clone().unwrap_or_default(),
            note: self.case.adopts.clone().unwrap_or_default(),
        }
    }
}

fn output(given: &Given) -> CommandOutput {
    CommandOutput {
        rc: given.rc,
        stdout: given.stdout.clone().unwrap_or_default(),
        stderr: given.stderr.clone(),
        ..CommandOutput::default()
    }
}

fn status(given: &Given, path: &str) -> FileStatus {
    FileStatus {
        path: path.to_owned(),
        kind: if given.there.is_some() || given.file.is_some() {
            FileKind::File
        } else {
            FileKind::Absent
        },
        mode: given.mode,
        mtime: given.mtime,
        checksum: given.checksum.clone(),
        ..FileStatus::default()
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = ALPHABET[(word >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

/// Shell texts of all changes.
fn changed(rehearsal: &Rehearsal) -> Vec<String> {
    rehearsal
        .requests
        .iter()
        .filter_map(|request| match request {
            Request::Change { changes } => Some(changes),
            _ => None,
        })
        .flatten()
        .map(|change| match change {
            Change::Command(command) => command.script.clone(),
            Change::Write(file) => format!("write {} {:o}", file.path, file.mode.unwrap_or(0)),
            other => format!("{other:?}"),
        })
        .collect()
}

fn judge(case: &Case) -> Vec<String> {
    let library = opsware::library();
    let module = library
        .modules()
        .iter()
        .find(|module| module.spec().name == case.module)
        .unwrap();
    let mut host = Scripted::new(case);
    let mut call = call(Value::Object(case.arguments.clone()));
    call.check_mode = case.check_mode;
    call.variables = case.variables.clone();
    let rehearsal = rehearse(module.as_ref(), call, |request| host.answer(request));
    let mut problems = std::mem::take(&mut host.problems);
    if !host.turns.is_empty() && !host.interrupted && case.expect.fails.is_none() {
        problems.push(format!(
            "{} turns of the terminal were left",
            host.turns.len()
        ));
    }
    if host.interrupted != case.expect.interrupted {
        problems.push(format!("interrupted: {}", host.interrupted));
    }
    let scripts = changed(&rehearsal);
    let fits = scripts.len() == case.expect.changes.len()
        && scripts
            .iter()
            .zip(&case.expect.changes)
            .all(|(script, part)| script.contains(part));
    if !fits {
        problems.push(format!("changed {scripts:#?}"));
    }
    if !comes_to(&case.expect, &rehearsal.end) {
        problems.push(format!("came to {:#?}", rehearsal.end));
    }
    problems
}

fn comes_to(expect: &Expected, end: &End) -> bool {
    let has = |result: &serde_json::Map<String, Value>| {
        expect
            .result
            .iter()
            .all(|(key, value)| result.get(key) == Some(value))
    };
    match end {
        End::Done(outcome) => {
            expect.changed == Some(outcome.changed)
                && has(&outcome.result)
                && expect.warning.as_ref().is_none_or(|part| {
                    outcome
                        .warnings
                        .iter()
                        .any(|warning| warning.contains(part))
                })
        }
        End::Failed(failure) => {
            expect
                .fails
                .as_ref()
                .is_some_and(|part| failure.msg.contains(part))
                && has(&failure.result)
                && failure.unknown == expect.unknown
        }
        End::WouldChange(declaration) => {
            expect
                .would_change
                .as_ref()
                .is_some_and(|part| declaration.summary.contains(part))
                && has(&declaration.result)
        }
        End::CannotKnow(reason) => expect
            .cannot_know
            .as_ref()
            .is_some_and(|part| reason.contains(part)),
    }
}

#[test]
fn every_case_comes_to_what_it_says() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: Vec<Case> = serde_yaml::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for case in cases {
            count += 1;
            for problem in judge(&case) {
                wrong.push(format!(
                    "{}: {}: {problem}",
                    path.file_name().unwrap().to_string_lossy(),
                    case.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 40, "only {count} cases were found");
}

#[test]
fn every_module_is_described() {
    for module in opsware::library().modules() {
        let spec = module.spec();
        assert!(
            !spec.summary.is_empty() && !spec.examples.is_empty() && !spec.returns.is_empty(),
            "{}",
            spec.name
        );
        for argument in &spec.arguments {
            assert!(
                argument.description.ends_with('.'),
                "{}: {}",
                spec.name,
                argument.name
            );
        }
    }
}
