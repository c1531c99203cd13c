//! `sasrun resume`: goes on with a run from its journal, once its inputs are what they were.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use sasrun_engine::{Past, PastError, Plan};
use sasrun_journal::{LocalLocks, Recovered, RunDirectory};
use sasrun_model::{Decision, Event, EventKind, HostTask};

use super::{playbook, resume_plan};
use crate::args::{Arguments, Command, PlaybookArguments, ResumeArguments};
use crate::inputs::{Inputs, sha256_of};
use crate::record;
use crate::{exit_code, output, owed, settings};

/// What `--accept` calls another version of sasrun.
const VERSION: &str = "version";

/// A run that goes on.
pub(crate) struct Resumed {
    pub directory: RunDirectory,
    pub recovered: Recovered,
    pub past: Past,
    /// Decisions about steps whose end was not known, and who made them.
    pub decided: Vec<(HostTask, Decision, String)>,
}

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &ResumeArguments) -> anyhow::Result<u8> {
    let state = settings::state_directory().context("no runs are kept: set SASRUN_STATE")?;
    let directory = match RunDirectory::find(&state, &arguments.run) {
        Ok(directory) => directory,
        Err(error) => return Ok(refuse(&error.to_string())),
    };
    let recovered = match sasrun_journal::read_unsealed(&directory) {
        Ok(recovered) => recovered,
        // A record that cannot be trusted, opened or understood: nothing is built on it.
        Err(error) => return Ok(refuse(&error.to_string())),
    };
    let events: Vec<Event> = recovered
        .records
        .iter()
        .map(|record| record.event.clone())
        .collect();
    let mut past = match Past::from_events(&events) {
        Ok(past) => past,
        Err(PastError::Done) => {
            output::line("the run is done; there is nothing to go on with");
            return Ok(0);
        }
        Err(error) => return Ok(refuse(&error.to_string())),
    };
    let decided = match decisions(arguments, &past.plan()) {
        Ok(decided) => decided,
        Err(message) => return Ok(refuse(&message)),
    };
    if arguments.abort {
        return give_up(&directory, &recovered);
    }
    for (step, decision, _) in &decided {
        past.decide(step, *decision);
    }
    resume_plan::tell(directory.run(), &recovered, &past.plan(), arguments.verbose);
    let changed = changed_inputs(&recovered, &arguments.accept);
    if !changed.is_empty() {
        return Ok(refuse_changed(directory.run(), &changed));
    }
    if arguments.plan {
        return Ok(0);
    }
    std::env::set_current_dir(&recovered.header.directory)
        .with_context(|| format!("the run began in {}", recovered.header.directory))?;
    match began_with(&recovered.header.argv) {
        Some(began) => playbook::go_on(
            &began,
            Resumed {
                directory,
                recovered,
                past,
                decided,
            },
        ),
        None => Ok(refuse("only runs of `sasrun playbook` can go on")),
    }
}

/// The flags that the run began with.
fn began_with(argv: &[String]) -> Option<PlaybookArguments> {
    let words = std::iter::once("sasrun").chain(argv.iter().map(String::as_str));
    match Arguments::try_parse_from(words).ok()?.command {
        Command::Playbook(arguments) => Some(arguments),
        _ => None,
    }
}

/// The steps that the flags name, as they were begun.
fn decisions(
    arguments: &ResumeArguments,
    plan: &Plan,
) -> Result<Vec<(HostTask, Decision, String)>, String> {
    let done = arguments
        .mark_done
        .iter()
        .map(|step| (step, Decision::Done));
    let again = arguments.repeat.iter().map(|step| (step, Decision::Repeat));
    let by = settings::login_name();
    done.chain(again)
        .map(|(named, decision)| {
            let step = plan.open().find(|step| step.to_string() == *named);
            let step = step.ok_or_else(|| {
                let open: Vec<String> = plan.open().map(ToString::to_string).collect();
                format!(
                    "{named} is no step whose end is open; these are: {}",
                    open.join(", ")
                )
            })?;
            Ok((step.clone(), decision, by.clone()))
        })
        .collect()
}

/// Inputs that are not what the run began with and were not accepted, and why.
fn changed_inputs(recovered: &Recovered, accepted: &[String]) -> Vec<(String, String)> {
    let mut changed = Vec::new();
    for input in recovered.inputs() {
        let path = Path::new(&input.path);
        let why = match sha256_of(path) {
            Ok(sha256) if sha256 == input.sha256 => continue,
            Ok(_) => format!("{}, changed", input.kind),
            Err(error) => format!("{}, cannot be read: {error}", input.kind),
        };
        changed.push((input.path.clone(), why));
    }
    changed.extend(changed_settings(recovered));
    let version = env!("CARGO_PKG_VERSION");
    if recovered.header.version != version {
        let why = format!("{} then, {version} now", recovered.header.version);
        changed.push((VERSION.to_owned(), why));
    }
    changed.retain(|(path, _)| !accepted.iter().any(|named| names(named, path)));
    changed
}

/// Settings of the environment that are not what they were, and how; none for a run that recorded none.
fn changed_settings(recovered: &Recovered) -> Vec<(String, String)> {
    let Some(then) = &recovered.header.environment else {
        return Vec::new();
    };
    let now = settings::course();
    let mut names: Vec<&String> = then.keys().chain(now.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let word =
        |value: Option<&String>| value.map_or("unset".to_owned(), |value| format!("`{value}`"));
    names
        .into_iter()
        .filter(|name| then.get(*name) != now.get(*name))
        .map(|name| {
            let why = format!(
                "environment, {} then, {} now",
                word(then.get(name)),
                word(now.get(name))
            );
            (name.clone(), why)
        })
        .collect()
}

/// Whether what was accepted is this input.
fn names(accepted: &str, path: &str) -> bool {
    let absolute = std::path::absolute(accepted);
    accepted == path || absolute.is_ok_and(|absolute| absolute == Path::new(path))
}

fn refuse_changed(run: &str, changed: &[(String, String)]) -> u8 {
    output::error_line("sasrun: refused: these are not what the run began with:");
    for (path, why) in changed {
        output::error_line(&format!("  {path} ({why})"));
    }
    let accept: Vec<String> = changed
        .iter()
        .map(|(path, _)| format!("--accept {path}"))
        .collect();
    output::error_line(&format!(
        "Put them back, or accept each by name: sasrun resume {run} {}",
        accept.join(" ")
    ));
    exit_code::REFUSED
}

/// Ends a run for good.
fn give_up(directory: &RunDirectory, recovered: &Recovered) -> anyhow::Result<u8> {
    let mask = sasrun_report::Mask::default();
    for secret in &recovered.secrets {
        mask.register(secret);
    }
    let journal = record::go_on(directory, recovered, Arc::new(Inputs::default()), mask)?;
    let event = |kind| Event {
        sequence: 0,
        at_ms: 0,
        elapsed: std::time::Duration::ZERO,
        kind,
    };
    let by = settings::login_name();
    journal.append(&event(EventKind::GivenUp { by: by.clone() }))?;
    journal.append(&event(EventKind::RunFinished {
        hosts: Vec::new(),
        exit_code: exit_code::PAUSED,
        reason: format!("given up by {by}"),
    }))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(journal.durable())?;
    output::line(&format!("run {} is given up", directory.run()));
    let left = owed::left_by(recovered.records.iter().map(|record| &record.event));
    if let Some(state) = settings::state_directory() {
        let kept = owed::remember(&state, directory.run(), &left);
        kept.context("what the run left cannot be remembered")?;
    }
    for owed in &left {
        output::line(&format!(
            "left to be taken back on {}: {}",
            owed.host, owed.sentence
        ));
    }
    tell_locks(directory.run(), recovered);
    Ok(0)
}

/// Tells which locks a run that was given up still has: what it began may be at work on its hosts.
fn tell_locks(run: &str, recovered: &Recovered) {
    let Some(state) = settings::state_directory() else {
        return;
    };
    let held = LocalLocks::below(&state).held();
    let inventories = began_with(&recovered.header.argv)
        .map(|began| began.source.inventory)
        .unwrap_or_default();
    let inventories: String = inventories
        .iter()
        .map(|inventory| format!(" -i {inventory}"))
        .collect();
    for claim in held.iter().filter(|claim| claim.run == run) {
        output::line(&format!(
            "it still has the lock \"{}\"; once nothing of it is at work on the hosts: sasrun unlock {run}{inventories}",
            claim.name
        ));
    }
}

fn refuse(message: &str) -> u8 {
    output::error_line(&format!("sasrun: {message}"));
    exit_code::INPUT
}
