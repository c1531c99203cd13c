//! Whether a run did what a case expects, and what every run must keep: secrets hidden, the database up.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine;
use fancy_regex::Regex;
use saslab::events::{Class, Event};
use saslab::standin::response::parameters::{PARAMETERS, secrets};
use serde_yaml::Value;

use crate::case::{Expect, Variant};
use crate::kept;
use crate::order;
use crate::pattern::Pattern;
use crate::prediction::{Told, disagreements};
use crate::scene::{Outcome, Scene};
use crate::traces;

/// Reads every expression of an expectation, to tell a wrong case from a wrong run.
pub fn check_expressions(expect: &Expect) -> Result<()> {
    for text in expect.says.iter().chain(&expect.says_not) {
        expression(text)?;
    }
    for (pattern, count) in &expect.events {
        Pattern::parse(pattern)?;
        count
            .holds(0)
            .with_context(|| format!("{pattern}: no count"))?;
    }
    for pattern in &expect.sequence {
        Pattern::parse(pattern)?;
    }
    Ok(())
}

/// A regular expression over several lines in which a dot stays on its line.
pub(crate) fn expression(text: &str) -> Result<Regex> {
    Regex::new(&format!("(?m){text}")).with_context(|| format!("{text:?}"))
}

/// Every way in which the run was wrong, in a sentence each.
pub fn complaints(
    scene: &Scene,
    variant: &Variant,
    expect: &Expect,
    outcome: &Outcome,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    found.extend(exit(expect, outcome));
    for text in &expect.says {
        if !expression(text)?.is_match(&outcome.output)? {
            found.push(format!("does not say {text:?}"));
        }
    }
    for text in &expect.says_not {
        if let Some(said) = expression(text)?.find(&outcome.output)? {
            found.push(format!("says {:?}", said.as_str()));
        }
    }
    found.extend(changed(expect, outcome));
    found.extend(deeds(expect, &outcome.events));
    for (pattern, wanted) in &expect.events {
        let count = Pattern::parse(pattern)?.count(&outcome.events);
        if wanted.holds(count) != Some(true) {
            found.push(format!("{count} times {pattern}, not {wanted:?}"));
        }
    }
    found.extend(sequence(expect, &outcome.events)?);
    if expect.order {
        let procedure = order::Procedure::of(&outcome.procedure);
        let violations = order::violations(procedure, &scene.world, &scene.lab.events()?);
        found.extend(
            violations
                .into_iter()
                .map(|(property, cause)| format!("{}: {cause}", property.name)),
        );
    }
    if expect.kept {
        found.extend(kept::complaints(&scene.events_file(), &scene.lab.state)?);
    }
    if expect.as_predicted {
        let predicted = Told::read(&scene.events_file_before())?;
        let done = Told::read(&scene.events_file())?;
        found.extend(disagreements(&predicted, &done));
    }
    if expect.private {
        found.extend(traces::open_to_others(scene, &outcome.after)?);
    }
    if expect.nothing_left {
        found.extend(traces::left_on_hosts(&outcome.after));
    }
    found.extend(outcome.rivals.iter().cloned());
    found.extend(leaks(scene, variant, &outcome.output)?);
    if !expect.database_stops {
        found.extend(database_stopped(outcome));
    }
    found.extend(outcome.shown.iter().cloned());
    if let Some(limit) = expect
        .within
        .filter(|limit| outcome.took.as_secs() > *limit)
    {
        found.push(format!("took {} s, not {limit}", outcome.took.as_secs()));
    }
    for one in &expect.holds {
        let output = scene.lab.exec(&one.host, &one.command)?;
        if output.status != Some(0) {
            found.push(format!(
                "{}: {} does not hold: {}",
                one.host,
                one.command,
                output.text()
            ));
        }
    }
    Ok(found)
}

fn exit(expect: &Expect, outcome: &Outcome) -> Option<String> {
    let Some(status) = outcome.status else {
        return Some("did not end in time".to_owned());
    };
    let signal = status.signal().map(|signal| -signal);
    match (expect.exit, status.code().or(signal)) {
        (Some(wanted), Some(code)) if wanted == code => None,
        (None, Some(code)) if code != 0 && code != 101 => None,
        (Some(wanted), _) => Some(format!("{status}, not {wanted}")),
        (None, _) => Some(format!("{status}, although it should not have passed")),
    }
}

fn is_meant(list: &[String], name: &str) -> bool {
    list.iter().any(|one| one == "all" || one == name)
}

fn changed(expect: &Expect, outcome: &Outcome) -> Option<String> {
    if expect.unchanged.is_empty() {
        return None;
    }
    let differences: Vec<String> = outcome
        .before
        .differences(&outcome.after)
        .into_iter()
        .filter(|line| {
            let mut parts = line.trim_start_matches('/').split('/');
            match (parts.next(), parts.next()) {
                (Some("hosts"), Some(host)) => is_meant(&expect.unchanged, host),
                _ => is_meant(&expect.unchanged, "all"),
            }
        })
        .collect();
    let first = differences.first()?;
    Some(format!("{} changes, first {first}", differences.len()))
}

fn deeds(expect: &Expect, events: &[Event]) -> Option<String> {
    let deed = events
        .iter()
        .find(|event| event.class != Class::Read && is_meant(&expect.only_reads, &event.host))?;
    Some(format!("{}: {} was more than a read", deed.host, deed.what))
}

fn sequence(expect: &Expect, events: &[Event]) -> Result<Option<String>> {
    let mut rest = events.iter();
    for text in &expect.sequence {
        let pattern = Pattern::parse(text)?;
        if !rest.any(|event| pattern.matches(event)) {
            return Ok(Some(format!("{text} did not come in its turn")));
        }
    }
    Ok(None)
}

/// The database stays up: nobody stops it, and the processes that it had are still the same ones.
fn database_stopped(outcome: &Outcome) -> Option<String> {
    let stop = outcome
        .events
        .iter()
        .find(|event| event.what == "opsware-oracle.stop");
    if let Some(stop) = stop {
        return Some(format!("{}: the database was stopped", stop.host));
    }
    outcome.before.hosts.iter().find_map(|(name, before)| {
        let after = outcome.after.hosts.get(name)?;
        let mut database = before
            .processes
            .iter()
            .filter(|process| process.title.starts_with("ora_"));
        let lost = database.find(|process| !after.processes.contains(process))?;
        Some(format!("{name}: {} is gone", lost.title))
    })
}

/// Secrets of the response files that show: in the output, in what the run keeps, in command lines on the hosts.
fn leaks(scene: &Scene, variant: &Variant, output: &str) -> Result<Vec<String>> {
    let mut hidden: Vec<(String, String)> = secrets(&scene.world).into_iter().collect();
    staged_secrets(&variant.scenario, &mut hidden);
    let mut places = vec![("the output".to_owned(), output.to_owned())];
    let mut files = vec![scene.events_file(), scene.lab.state.events()];
    files_below(&scene.state(), &mut files)?;
    for file in files {
        if let Ok(bytes) = fs::read(&file) {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            places.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    let mut found = BTreeSet::new();
    for (name, secret) in hidden.iter().filter(|(_, secret)| secret.len() >= 6) {
        let forms = [
            secret.clone(),
            base64::engine::general_purpose::STANDARD.encode(secret),
            url_form(secret),
        ];
        for (place, text) in &places {
            if forms.iter().any(|form| text.contains(form)) {
                found.insert(format!("the secret {name} shows in {place}"));
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Secret parameters to which the scenario gives values of its own.
fn staged_secrets(tree: &Value, found: &mut Vec<(String, String)>) {
    let Value::Mapping(entries) = tree else {
        return;
    };
    for (key, value) in entries {
        let name = key.as_str().unwrap_or_default();
        let is_secret = PARAMETERS
            .iter()
            .any(|one| one.is_secret && one.name == name);
        match value {
            Value::String(text) if is_secret => found.push((name.to_owned(), text.clone())),
            other => staged_secrets(other, found),
        }
    }
}

fn url_form(text: &str) -> String {
    let mut form = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push_str(&format!("%{byte:02X}"));
        }
    }
    form
}

pub(crate) fn files_below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, found)?;
        } else {
            found.push(path);
        }
    }
    if found.len() > 100_000 {
        bail!("the run keeps more files than anybody reads");
    }
    Ok(())
}
