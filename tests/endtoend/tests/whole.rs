//! The whole language in one run: the events that it comes to, beside those that were reviewed.
//!
//! `UPDATE_CASES=1` writes them anew, to be reviewed. Times, ids, hashes and folders are left out.
//! Hosts go side by side, so what they did between two steps of the run is sorted by host.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sasrun_endtoend::Site;
use serde_json::Value;

/// Least number of tasks that the playbooks must begin.
const TASKS: usize = 200;

/// Fields that are other ones in every run, on every machine or for every user, and arguments,
/// which the playbooks say.
const MOMENTS: &[&str] = &[
    "ansible_job_id",
    "arguments",
    "at_ms",
    "atime",
    "backup_file",
    "block_size",
    "blocks",
    "charset",
    "ctime",
    "delta",
    "dev",
    "elapsed",
    "end",
    "gid",
    "gr_name",
    "group",
    "inode",
    "invocation",
    "job",
    "kept",
    "mimetype",
    "mtime",
    "owner",
    "pid",
    "pw_name",
    "results_file",
    "run",
    "sequence",
    "start",
    "took",
    "uid",
    "version",
];

#[test]
fn the_whole_language_comes_to_the_same_events() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("whole");
    let site = Site::new();
    for path in files_below(&folder) {
        let name = path
            .strip_prefix(&folder)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if name != "events" {
            site.file(&name, &fs::read_to_string(&path).unwrap());
        }
    }
    let ended = site.playbook(&[
        "site.yml",
        "-i",
        "hosts.yml",
        "-e",
        "asked=answered",
        "--skip-tags",
        "leave_out",
    ]);
    ended.exits(2);
    let tasks = ended
        .events
        .iter()
        .filter(|event| event["event"] == "task_started")
        .count();
    assert!(tasks >= TASKS, "{tasks} tasks are not {TASKS}");
    let found = told(&ended.events, &site);
    let path = folder.join("events");
    if std::env::var_os("UPDATE_CASES").is_some() {
        fs::write(&path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap();
    if let Some(at) = first_difference(&expected, &found) {
        panic!("the events differ from `whole/events`; UPDATE_CASES=1 writes them anew\n{at}");
    }
}

/// Events as lines, with nothing in them that another run would have otherwise.
fn told(events: &[Value], site: &Site) -> String {
    let mut lines = Vec::new();
    // Lines of hosts since the run last took a step, by host.
    let mut of_hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut by_themselves = false;
    // Tasks of branches, which have an order only among themselves.
    let mut of_branches: BTreeSet<&str> = BTreeSet::new();
    for event in events {
        let kind = event["event"].as_str().unwrap_or_default();
        if kind == "play_started" {
            let name = event["name"].as_str().unwrap_or_default();
            flush(&mut lines, &mut of_hosts);
            by_themselves = name.starts_with("free");
        }
        if kind == "host_retry" && is_of_job(&event["outcome"]["result"]) {
            // How often a job is looked at before it has ended is a matter of chance.
            continue;
        }
        let line = line_of(event, site);
        let mut host = event["id"]["host"]
            .as_str()
            .or_else(|| event["host"].as_str());
        let task = event["id"]["task"]
            .as_str()
            .or_else(|| event["task"].as_str())
            .unwrap_or_default();
        if !event["branch"].is_null() {
            of_branches.insert(task);
        }
        let has_own_order = by_themselves || of_branches.contains(task);
        if kind != "run_finished" && has_own_order {
            // Under `free` each host, and in `parallel` each branch, has an order of its own.
            host = host.or(Some(""));
        }
        match host {
            Some(host) => {
                let own = if has_own_order {
                    // What is included names its hosts, what is announced none.
                    format!("{task} {host} {}", event["hosts"])
                } else {
                    host.to_owned()
                };
                of_hosts.entry(own).or_default().push(line);
            }
            None => {
                flush(&mut lines, &mut of_hosts);
                lines.push(line);
            }
        }
    }
    flush(&mut lines, &mut of_hosts);
    lines.push(String::new());
    lines.join("\n")
}

fn flush(lines: &mut Vec<String>, of_hosts: &mut BTreeMap<String, Vec<String>>) {
    lines.extend(std::mem::take(of_hosts).into_values().flatten());
}

/// One event: its kind, then what is told of it.
fn line_of(event: &Value, site: &Site) -> String {
    let mut fields = settled(event).as_object().cloned().unwrap_or_default();
    let kind = fields.shift_remove("event").unwrap_or_default();
    // The hash of what a step is has the folder's name in it.
    fields.shift_remove("content");
    let line = format!(
        "{} {}",
        kind.as_str().unwrap_or_default(),
        Value::Object(fields)
    );
    line.replace(&site.folder().display().to_string(), "SITE")
}

/// The same value with sorted keys, and without what belongs to one run alone.
fn settled(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let is_of_job = is_of_job(value);
            let kept = sorted
                .into_iter()
                .filter(|(key, _)| !MOMENTS.contains(&key.as_str()))
                .filter(|(key, _)| !(is_of_job && *key == "attempts"))
                .map(|(key, value)| (key.clone(), settled_field(key, value)));
            Value::Object(kept.collect())
        }
        Value::Array(items) => items.iter().map(settled).collect(),
        other => other.clone(),
    }
}

/// Whether a result is what was seen of a job.
fn is_of_job(result: &Value) -> bool {
    result.get("started").is_some() && result.get("finished").is_some()
}

fn settled_field(key: &str, value: &Value) -> Value {
    // What was learnt about the machine is the machine's.
    if key == "ansible_facts" && value.get("module_setup").is_some() {
        return "FACTS".into();
    }
    let mut value = settled(value);
    // Of an item only its index: its hash may have the folder's name in it.
    if key == "id"
        && let Some(item) = value.get_mut("item")
        && let Some((index, _)) = item.as_str().and_then(|item| item.split_once('-'))
    {
        *item = index.to_owned().into();
    }
    value
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// The first line that differs, with some before it.
fn first_difference(expected: &str, found: &str) -> Option<String> {
    let mut expected = expected.lines();
    let mut before: Vec<&str> = Vec::new();
    for line in found.lines() {
        match expected.next() {
            Some(same) if same == line => before.push(line),
            other => {
                let shown = before
                    .split_off(before.len().saturating_sub(2))
                    .join("\n  ");
                return Some(format!(
                    "  {shown}\n- {}\n+ {line}",
                    other.unwrap_or("(the end)")
                ));
            }
        }
    }
    expected.next().map(|line| format!("- {line}\n+ (the end)"))
}
