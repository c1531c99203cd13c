//! Carries out conversations on this machine: a stand-in for engine and connection that is just
//! good enough to try modules against a scratch directory with a real shell.
//!
//! It is no transport: files are looked at by the standard library, commands run by `sh -c`.

mod disk;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command as Process, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sasrun_modules::builtin;
use sasrun_plugin::{
    Answer, Arguments, Call, Change, Command, CommandOutput, ControllerRequest, Declaration,
    Failure, Module, Object, Outcome, Place, Read, ReadAnswer, Refusal, Request, Stat, Step,
};
use serde_json::{Value, json};

/// How a task ended.
#[derive(Debug)]
pub enum End {
    Done(Box<Outcome>),
    Failed(Box<Failure>),
    WouldChange,
    CannotKnow,
}

/// A task's end and what it cost.
#[derive(Debug)]
pub struct Run {
    pub end: End,
    /// Round trips to the host.
    pub trips: usize,
    pub declared: Option<Declaration>,
}

impl Run {
    pub fn outcome(&self) -> &Outcome {
        match &self.end {
            End::Done(outcome) => outcome,
            other => panic!("not done: {other:?}"),
        }
    }

    pub fn failure(&self) -> &Failure {
        match &self.end {
            End::Failed(failure) => failure,
            other => panic!("not failed: {other:?}"),
        }
    }

    pub fn result(&self, name: &str) -> &Value {
        self.outcome().result.get(name).unwrap_or(&Value::Null)
    }
}

/// A scratch directory as host and controller, and the shell to run commands with.
pub struct World {
    pub scratch: tempfile::TempDir,
    shell: Vec<String>,
    modules: Vec<Box<dyn Module>>,
    pub check_mode: std::cell::Cell<bool>,
    /// Values that expressions have.
    pub values: Object,
}

impl World {
    pub fn new(shell: &[&str]) -> Self {
        Self {
            scratch: tempfile::tempdir().unwrap(),
            shell: shell.iter().map(|word| (*word).to_owned()).collect(),
            modules: builtin(),
            check_mode: std::cell::Cell::new(false),
            values: Object::new(),
        }
    }

    pub fn path(&self, name: &str) -> String {
        self.scratch.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Runs a module with arguments as a playbook gives them.
    pub fn run(&self, module: &str, arguments: Value) -> Run {
        let module = self
            .modules
            .iter()
            .find(|candidate| candidate.spec().answers_to(module))
            .unwrap_or_else(|| panic!("no module {module}"));
        let raw = arguments.as_object().unwrap().clone();
        let arguments = Arguments::check(module.spec(), &raw).unwrap();
        let mut talk = module.start(Call {
            module: module.spec().name.clone(),
            arguments: arguments.into_object(),
            check_mode: self.check_mode.get(),
            diff: true,
            host: "here".into(),
            variables: Object::new(),
        });
        let (mut trips, mut declared, mut answer) = (0, None, None);
        for _ in 0..200 {
            let request = match talk.next(answer.take()) {
                Step::Ask { request } => request,
                Step::Done { outcome } => {
                    return Run {
                        end: End::Done(Box::new(outcome)),
                        trips,
                        declared,
                    };
                }
                Step::Failed { failure } => {
                    return Run {
                        end: End::Failed(Box::new(failure)),
                        trips,
                        declared,
                    };
                }
            };
            answer = Some(match request {
                Request::Declare { declaration } => {
                    declared = Some(declaration);
                    if self.check_mode.get() {
                        let end = End::WouldChange;
                        return Run {
                            end,
                            trips,
                            declared,
                        };
                    }
                    Answer::Done
                }
                Request::CannotKnow { .. } if self.check_mode.get() => {
                    return Run {
                        end: End::CannotKnow,
                        trips,
                        declared,
                    };
                }
                other => {
                    trips += usize::from(is_trip(&other));
                    self.answer(other)
                }
            });
        }
        panic!("the conversation does not end");
    }

    fn answer(&self, request: Request) -> Answer {
        match request {
            Request::Read { reads } => Answer::Reads {
                reads: reads
                    .into_iter()
                    .map(|read| self.answer_read(read))
                    .collect(),
            },
            Request::Change { changes } => {
                let mut answers = Vec::new();
                for change in changes {
                    let answer = self.carry_out(change);
                    let failed = match &answer {
                        ReadAnswer::Refused(_) => true,
                        ReadAnswer::Command(output) => !output.succeeded(),
                        _ => false,
                    };
                    answers.push(answer);
                    if failed {
                        break;
                    }
                }
                Answer::Changes { changes: answers }
            }
            Request::Attempt { command } => Answer::Command {
                output: self.command(command),
            },
            Request::Controller { request } => self.controller(request),
            _ => Answer::Done,
        }
    }

    fn answer_read(&self, read: Read) -> ReadAnswer {
        match read {
            Read::Command(command) => ReadAnswer::Command(self.command(command)),
            Read::Stat(stat) => ReadAnswer::Stat(disk::stat(&stat)),
            Read::Kind { path } => ReadAnswer::Stat(disk::stat(&Stat {
                path,
                follow: true,
                checksum: None,
            })),
            Read::File {
                path, max_bytes, ..
            } => disk::read(&path, max_bytes),
            other => refused(format!("{other:?}")),
        }
    }

    fn carry_out(&self, change: Change) -> ReadAnswer {
        let validate = |command: String| self.command(script(command)).succeeded();
        match change {
            Change::Command(command) => ReadAnswer::Command(self.command(command)),
            Change::Write(file) => disk::write(&file, &validate),
            Change::Tree(tree) => disk::write_tree(&tree),
            Change::Fetch {
                path,
                controller_path,
            } => disk::fetch(&path, &controller_path),
            other => refused(format!("{other:?}")),
        }
    }

    fn command(&self, command: Command) -> CommandOutput {
        for words in ["$(", "[[", "local ", "%q", "test -e", "[ -e "] {
            assert!(
                !command.script.contains(words),
                "not for old shells: {}",
                command.script
            );
        }
        let mut shell = self.shell.clone();
        if let Some(executable) = command.executable {
            shell = vec![executable];
        }
        let mut process = Process::new(&shell[0]);
        process.args(&shell[1..]).arg("-c").arg(&command.script);
        process.current_dir(
            command
                .directory
                .map_or(self.scratch.path().into(), PathBuf::from),
        );
        process
            .envs(command.environment)
            .env("HOME", self.scratch.path());
        process
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = process.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // The program may end without reading; that is its own business.
        let _ = stdin.write_all(command.stdin.unwrap_or_default().as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        CommandOutput {
            rc: output.status.code().unwrap_or(137),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            ..CommandOutput::default()
        }
    }

    fn controller(&self, request: ControllerRequest) -> Answer {
        match request {
            ControllerRequest::File {
                name,
                checksum,
                follow_links,
                ..
            } => {
                let path = if name.starts_with('/') {
                    name
                } else {
                    self.path(&name)
                };
                disk::controller_file(&path, checksum.as_deref(), follow_links)
            }
            ControllerRequest::Open { path } => Answer::Value {
                value: STANDARD.encode(self.values[&path].as_str().unwrap()).into(),
            },
            ControllerRequest::RenderFile {
                name, variables, ..
            } => {
                let text = self.read(&name);
                let dest = variables["template_destpath"].as_str().unwrap();
                Answer::Value {
                    value: text.replace("{{ template_destpath }}", dest).into(),
                }
            }
            ControllerRequest::Evaluate { expression } => match self.values.get(&expression) {
                Some(value) => Answer::Value {
                    value: value.clone(),
                },
                None => Answer::Refused {
                    refusal: Refusal {
                        kind: "undefined".into(),
                        message: format!("'{expression}' is undefined"),
                    },
                },
            },
            ControllerRequest::Gate { id, .. } => Answer::Value {
                value: self.values.get(&id).cloned().unwrap_or(Value::Null),
            },
            ControllerRequest::LoadVariables { .. } => Answer::Value {
                value: json!({"variables": self.values, "files": ["vars.yml"]}),
            },
            _ => Answer::Value { value: Value::Null },
        }
    }
}

/// A command that is only its script.
pub fn script(script: String) -> Command {
    Command {
        script,
        ..Command::default()
    }
}

fn is_trip(request: &Request) -> bool {
    let here = |command: &Command| command.place == Place::Controller;
    match request {
        Request::Read { reads } => !reads
            .iter()
            .all(|read| matches!(read, Read::Command(command) if here(command))),
        Request::Change { .. } | Request::Attempt { .. } => true,
        _ => false,
    }
}

fn refused(message: String) -> ReadAnswer {
    ReadAnswer::Refused(Refusal {
        kind: "other".into(),
        message,
    })
}

#[expect(
    clippy::print_stderr,
    reason = "a shell that was not tried must be seen"
)]
/// Runs a test with each shell; a shell that is not there is named and left out.
pub fn with_each_shell(test: impl Fn(&World)) {
    let shells: [&[&str]; 4] = [
        &["dash"],
        &["bash", "--posix"],
        &["busybox", "sh"],
        &["ksh"],
    ];
    let mut tried = 0;
    for shell in shells {
        let works = Process::new(shell[0])
            .args(&shell[1..])
            .args(["-c", ":"])
            .status();
        if works.is_ok_and(|status| status.success()) {
            test(&World::new(shell));
            tried += 1;
        } else {
            eprintln!("left out, not on this machine: {shell:?}");
        }
    }
    assert!(tried > 0, "no shell at all");
}

pub fn mode(path: &str) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).unwrap().mode() & 0o7777
}
