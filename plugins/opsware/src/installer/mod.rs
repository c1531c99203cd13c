//! `opsware_installer`: the installer's dialogue as a module.
//!
//! The dialogue itself is a pure state machine; here it meets the host's terminal.

mod dialogue;
mod menu;
mod prompt;
mod screen;
mod session;
mod spec;
mod verdict;

use std::collections::BTreeMap;
use std::time::Duration;

use sasrun_plugin::{
    Arguments, Call, Command, Diff, Failure, FileKind, FileStatus, Host, JobWish, Module,
    ModuleResult, Object, Outcome, Read, ReadAnswer, Screen, Stat,
};
use serde_json::Value;

use crate::component;
use crate::probe::{self, Versions};
use crate::processes;
use crate::release::Release;
use crate::response::{self, ResponseFile};
use dialogue::{Goal, Interview};
use session::{End, Manner, Session};

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec::spec(), run)
}

/// What a task asks for, read from its arguments.
struct Order {
    medium: String,
    response_file: String,
    components: Vec<String>,
    target: Release,
    packages: Object,
    limit: Duration,
    question_wait: Duration,
    bare_label_is_truth: bool,
    gateway: Interview,
}

impl Order {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let response_file = arguments.text_or_empty("response_file").to_owned();
        if !response_file.starts_with('/') {
            return Err(Failure::new(format!(
                "the installer wants the response file's full path, not `{response_file}`"
            )));
        }
        let components = arguments.strings("components");
        for id in &components {
            if component::find(id).is_none() {
                let known: Vec<&str> = component::CATALOG.iter().map(|known| known.id).collect();
                return Err(Failure::new(format!(
                    "unknown component `{id}`; {}",
                    crate::spelling::hint(id, &known)
                )));
            }
        }
        if arguments.text("role") == Some("destination")
            && components.iter().any(|id| id == "content")
        {
            return Err(Failure::new(
                "content is installed once per mesh, on the source core; on a destination core it is refused (TRAP-13)",
            ));
        }
        let target = arguments.text_or_empty("target");
        let Some(target) = Release::parse(target) else {
            return Err(Failure::new(format!(
                "`{target}` is no release of the product"
            )));
        };
        let seconds = |name: &str, usual: f64| {
            Duration::from_secs_f64(
                arguments
                    .number(name)
                    .unwrap_or(usual)
                    .clamp(0.1, 10_000_000.0),
            )
        };
        let limits = arguments.dictionary("limits");
        let own: f64 = components
            .iter()
            .filter_map(|id| limits?.get(id)?.as_f64())
            .sum();
        let limit = if own > 0.0 {
            Duration::from_secs_f64(own.min(10_000_000.0))
        } else {
            seconds("limit", 14_400.0)
        };
        Ok(Self {
            medium: arguments
                .text_or_empty("medium")
                .trim_end_matches('/')
                .to_owned(),
            response_file,
            components,
            target,
            packages: arguments
                .dictionary("packages")
                .cloned()
                .unwrap_or_default(),
            limit,
            question_wait: seconds("question_wait", 120.0),
            bare_label_is_truth: arguments.flag("bare_label_is_truth"),
            gateway: Interview {
                answers: gateway_answers(arguments),
                take_defaults: arguments.text("interview_defaults") == Some("accept"),
                ..Interview::default()
            },
        })
    }

    /// Shell text that asks for the versions of the components.
    fn version_script(&self) -> String {
        probe::script(self.components.iter().map(String::as_str), &self.packages)
    }

    fn versions(&self, output: &str) -> Versions {
        probe::read(
            output,
            self.components.iter().map(String::as_str),
            &self.packages,
        )
    }

    /// Components that are not at the target.
    fn outstanding(&self, versions: &Versions) -> Vec<String> {
        let at_target = |id: &String| {
            versions
                .get(id)
                .is_some_and(|installed| installed.is(&self.target))
        };
        self.components
            .iter()
            .filter(|id| !at_target(id))
            .cloned()
            .collect()
    }
}

/// What the first look at the host shows.
struct Situation {
    versions: Versions,
    places: [FileStatus; 2],
    response: FileStatus,
    is_root: bool,
    running: Vec<String>,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let order = Order::of(&arguments)?;
    let is_interview = arguments.text("action") == Some("interview");
    // What this very step began before its run was cut off is gone on with, never begun twice.
    let begun = match call.check_mode {
        true => None,
        false => host.adopt().await?,
    };
    match (begun, is_interview) {
        (Some(screen), true) => go_on_interview(&arguments, &order, screen, &host).await,
        (Some(screen), false) => go_on_upgrade(&order, screen, &host).await,
        (None, _) => {
            let situation = look(&order, &host).await?;
            if is_interview {
                return hold_interview(&arguments, &order, &situation, call.check_mode, &host)
                    .await;
            }
            upgrade(&order, &situation, call.check_mode, &host).await
        }
    }
}

/// Looks at everything in one round trip.
async fn look(order: &Order, host: &Host) -> Result<Situation, Failure> {
    let script = format!(
        "{}echo USER\nid\n{}",
        order.version_script(),
        running_script()
    );
    let stat = |path: String| {
        Read::Stat(Stat {
            path,
            follow: true,
            checksum: None,
        })
    };
    let reads = vec![
        Read::Command(Command {
            script,
            ..Command::default()
        }),
        stat(format!(
            "{}/opsware_installer/upgrade_opsware.sh",
            order.medium
        )),
        stat(format!(
            "{}/disk001/opsware_installer/upgrade_opsware.sh",
            order.medium
        )),
        stat(order.response_file.clone()),
    ];
    let mut answers = host.read(reads).await?.into_iter();
    let output = match answers.next() {
        Some(ReadAnswer::Command(output)) => output.stdout,
        Some(ReadAnswer::Refused(refusal)) => return Err(Failure::new(refusal.message)),
        _ => return Err(Failure::new("the host's state could not be read")),
    };
    let mut status = || match answers.next() {
        Some(ReadAnswer::Stat(status)) => status,
        _ => FileStatus::default(),
    };
    let places = [status(), status()];
    let response = status();
    let (packages, rest) = output.split_once("USER\n").unwrap_or((&output, ""));
    let (user, processes) = rest.split_once("PROCESSES\n").unwrap_or((rest, ""));
    Ok(Situation {
        versions: order.versions(packages),
        places,
        response,
        is_root: user.trim_start().starts_with("uid=0"),
        running: running(processes),
    })
}

/// Makes sure that the installer may be started, and finds it.
fn installer<'a>(
    order: &Order,
    situation: &'a Situation,
    check_mode: bool,
) -> Result<&'a str, Failure> {
    if !situation.is_root {
        return Err(Failure::new(
            "the installer must be run as root; add `become: true`",
        ));
    }
    if !situation.running.is_empty() {
        return Err(Failure::new(format!(
            "an installer is running on this host already: {}; wait for its end",
            situation.running.join(" / ")
        )));
    }
    if situation.response.kind != FileKind::File {
        return Err(Failure::new(format!(
            "there is no response file {}",
            order.response_file
        )));
    }
    let found: Vec<&str> = situation
        .places
        .iter()
        .filter(|place| place.kind == FileKind::File)
        .map(|place| place.path.as_str())
        .collect();
    match found.as_slice() {
        [path] => Ok(path),
        // The medium need not be mounted yet: an earlier task would have done that.
        [] if check_mode => Ok(""),
        [] => Err(Failure::new(format!(
            "there is no installer below {}: is the medium mounted, and is it the right one?",
            order.medium
        ))),
        several => Err(Failure::new(format!(
            "the installer is in two places: {}",
            several.join(" and ")
        ))),
    }
}

async fn upgrade(
    order: &Order,
    situation: &Situation,
    check_mode: bool,
    host: &Host,
) -> ModuleResult {
    let outstanding = order.outstanding(&situation.versions);
    if outstanding.is_empty() {
        return Ok(Outcome::unchanged()
            .with("components", Value::Array(Vec::new()))
            .with("versions", shown(&situation.versions)));
    }
    let path = installer(order, situation, check_mode)?;
    let listed = outstanding.join(", ");
    let mut result = Object::new();
    result.insert(
        "components".into(),
        outstanding.iter().map(String::as_str).collect(),
    );
    host.will_change(
        format!("upgrade {listed} to {}", order.target),
        Some(version_diff(
            &outstanding,
            &situation.versions,
            &order.target,
        )),
        result.clone(),
    )
    .await?;
    let note = outstanding.join(" ");
    let end = Session::hold(host, order.command(path), note, order.manner(&outstanding)).await?;
    finish_upgrade(order, &outstanding, end, host).await
}

/// Goes on with an upgrade that was begun: the components are those that were wanted then.
async fn go_on_upgrade(order: &Order, screen: Screen, host: &Host) -> ModuleResult {
    let wanted: Vec<String> = screen.note.split_whitespace().map(str::to_owned).collect();
    let end = Session::go_on(host, screen, order.manner(&wanted)).await?;
    finish_upgrade(order, &wanted, end, host).await
}

async fn finish_upgrade(
    order: &Order,
    outstanding: &[String],
    end: End,
    host: &Host,
) -> ModuleResult {
    let script = format!("{}{}", order.version_script(), running_script());
    let output = host.read_script(script).await?.stdout;
    let (packages, processes) = output.split_once("PROCESSES\n").unwrap_or((&output, ""));
    let end = end.with_left_behind(&running(processes));
    let is_full = end.disk_full();
    match judge_upgrade(order, outstanding, &order.versions(packages), end) {
        Err(failure) if is_full => Err(with_space(failure, host).await?),
        judged => judged,
    }
}

/// Shell text that lists the installers that run, after a line of its own.
fn running_script() -> String {
    format!(
        "echo PROCESSES\n({}) | grep '[u]pgrade_opsware\\.sh'\nexit 0\n",
        processes::LIST
    )
}

fn running(processes: &str) -> Vec<String> {
    let lines = processes.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Adds what `df` says of the places that an installer writes to.
async fn with_space(mut failure: Failure, host: &Host) -> Result<Failure, Failure> {
    let seen = host
        .read_command(Command {
            script: "df -k / /opt/opsware /var/opt/opsware".to_owned(),
            timeout_ms: Some(10_000),
            ..Command::default()
        })
        .await?;
    failure.msg = format!("{}; df -k says:\n{}", failure.msg, seen.stdout.trim_end());
    Ok(failure.with("df", seen.stdout))
}

/// A component is upgraded when the words, the status and the version all say so.
fn judge_upgrade(
    order: &Order,
    outstanding: &[String],
    after: &Versions,
    end: End,
) -> ModuleResult {
    let left = order.outstanding(after);
    let left: Vec<&String> = outstanding.iter().filter(|id| left.contains(id)).collect();
    let failure = match (&end.failure, left.as_slice()) {
        (Some(failure), _) => Some(failure.clone()),
        (None, []) => None,
        (None, left) => Some(format!(
            "the installer reports no failure, but these are not at {}: {}",
            order.target,
            left.iter()
                .map(|id| format!("{id} ({})", after.get(*id).map_or("unknown", |v| v.shown())))
                .collect::<Vec<_>>()
                .join(", ")
        )),
    };
    match failure {
        Some(message) => Err(end
            .into_failure(format!(
                "{message}; versions now: {}",
                after
                    .iter()
                    .map(|(id, version)| format!("{id} {}", version.shown()))
                    .collect::<Vec<_>>()
                    .join(", ")
            ))
            .with("versions", shown(after))),
        None => {
            let outcome = Outcome::changed()
                .with(
                    "components",
                    outstanding.iter().map(String::as_str).collect::<Value>(),
                )
                .with("versions", shown(after));
            Ok(end.report(outcome))
        }
    }
}

async fn hold_interview(
    arguments: &Arguments,
    order: &Order,
    situation: &Situation,
    check_mode: bool,
    host: &Host,
) -> ModuleResult {
    let path = installer(order, situation, check_mode)?;
    let manner = interview_manner(arguments, order, host).await?;
    let mut result = Object::new();
    result.insert("response_file".into(), Value::from(""));
    host.will_change(
        "hold the interview, if the installer wants one, and save its response file",
        None,
        result,
    )
    .await?;
    let end = Session::hold(host, order.command(path), String::new(), manner).await?;
    finish_interview(order, end, host).await
}

/// Goes on with an interview that was begun.
async fn go_on_interview(
    arguments: &Arguments,
    order: &Order,
    screen: Screen,
    host: &Host,
) -> ModuleResult {
    let manner = interview_manner(arguments, order, host).await?;
    let end = Session::go_on(host, screen, manner).await?;
    finish_interview(order, end, host).await
}

async fn interview_manner(
    arguments: &Arguments,
    order: &Order,
    host: &Host,
) -> Result<Manner, Failure> {
    let file = response::read_on(host, &order.response_file).await?;
    let interview = Interview {
        type_words: type_words(arguments.text_or_empty("type")),
        advanced: arguments.text("interview") == Some("advanced"),
        answers: answers(&file),
        take_defaults: arguments.text("interview_defaults") == Some("accept"),
    };
    Ok(Manner {
        goal: Goal::Interview(interview),
        limit: order.limit,
        question_wait: order.question_wait,
    })
}

/// Takes the saved file for what the interview came to.
async fn finish_interview(order: &Order, end: End, host: &Host) -> ModuleResult {
    if let Some(message) = end.failure.clone() {
        return Err(end.into_failure(message));
    }
    if end.no_interview {
        let outcome = Outcome::unchanged().with("response_file", order.response_file.as_str()).warn(
            "the installer held no interview: the response file was saved by this release already",
        );
        return Ok(end.report(outcome));
    }
    let Some(saved) = end.saved.clone() else {
        return Err(
            end.into_failure("the interview ended without saving a response file".to_owned())
        );
    };
    let status = host
        .stat(Stat {
            path: saved.clone(),
            follow: true,
            checksum: None,
        })
        .await?;
    if status.kind != FileKind::File {
        return Err(end.into_failure(format!(
            "the installer said it would save {saved}, but there is no such file"
        )));
    }
    Ok(end.report(Outcome::changed().with("response_file", saved)))
}

fn answers(file: &ResponseFile) -> BTreeMap<String, String> {
    file.names()
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), file.get(name)?.to_owned())))
        .collect()
}

/// What the gateway's own installer is told, by parameter.
fn gateway_answers(arguments: &Arguments) -> BTreeMap<String, String> {
    let given = arguments.dictionary("gateway_answers");
    given
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Null => return None,
                other => other.to_string(),
            };
            Some((name.clone(), value))
        })
        .collect()
}

/// Words that the label of an installation type holds.
fn type_words(kind: &str) -> Vec<String> {
    let words: &[&str] = match kind {
        "first_core" => &["first core", "convert"],
        "additional_core" => &["additional core"],
        // It is not asked for; if it is all the same, nothing fits.
        "satellite" => &["satellite"],
        _ => &["standalone installation"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Order {
    /// The command of INST-1 and INST-2: from the root directory, with the full path.
    fn command(&self, installer: &str) -> Command {
        Command {
            script: format!(
                "exec {} -r {}",
                Host::quote(installer),
                Host::quote(&self.response_file)
            ),
            directory: Some("/".to_owned()),
            // It goes on without its connection: a lost one must not end an upgrade half-way.
            job: JobWish::Always,
            ..Command::default()
        }
    }

    /// How to talk with the installer about these components.
    fn manner(&self, wanted: &[String]) -> Manner {
        Manner {
            goal: Goal::Components {
                wanted: wanted.to_vec(),
                bare_label_is_truth: self.bare_label_is_truth,
                gateway: self.gateway.clone(),
            },
            limit: self.limit,
            question_wait: self.question_wait,
        }
    }
}

fn shown(versions: &Versions) -> Value {
    Value::Object(
        versions
            .iter()
            .map(|(id, version)| (id.clone(), Value::from(version.shown())))
            .collect(),
    )
}

fn version_diff(ids: &[String], versions: &Versions, target: &Release) -> Diff {
    let line = |id: &String, version: &str| format!("{id}: {version}\n");
    let before: String = ids
        .iter()
        .map(|id| {
            line(
                id,
                versions
                    .get(id)
                    .map_or("unknown", |version| version.shown()),
            )
        })
        .collect();
    let after: String = ids.iter().map(|id| line(id, target.name())).collect();
    Diff::text("versions", before, after)
}
