//! The multimaster playbook as text: every task belongs to an item of the guide, and the items of
//! one list stand in the guide's order.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde_yaml::Value;

fn playbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playbooks")
}

fn read(path: &Path) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Names of the tasks of a file, blocks included, in order.
fn names(tasks: &Value, found: &mut Vec<String>) {
    for task in tasks.as_sequence().into_iter().flatten() {
        let item = task.get("vars").and_then(|vars| vars.get("guide_item"));
        if let Some(name) = task.get("name").and_then(Value::as_str) {
            found.push(name.to_owned());
        } else if let Some(item) = item.and_then(Value::as_str) {
            // A shared role takes the item that its tasks stand for.
            found.push(format!("{item} "));
        } else {
            assert!(
                task.get("import_tasks").is_some() || task.get("import_role").is_some(),
                "a task without a name: {task:?}"
            );
        }
        for part in ["block", "rescue", "always"] {
            if let Some(tasks) = task.get(part) {
                names(tasks, found);
            }
        }
    }
}

fn role(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    names(
        &read(&playbooks().join(format!("roles/{name}/tasks/main.yml"))),
        &mut found,
    );
    found
}

/// Words that begin the name of every task: ids of the guide's items, or the variable that holds one.
const ITEMS: &[&str] = &[
    "PATH-",
    "PREP",
    "RESP-",
    "MEDIA-",
    "MM-",
    "TRAP-",
    "CONTENT-REMEDY ",
    "NOTE-",
    "CONF-",
    "INST-",
    "STD-",
    "ROLL-",
    "FIX-",
    "SAT-",
];

/// Variables that hold an item for a shared role.
fn is_variable(name: &str) -> bool {
    let inner = name
        .strip_prefix("{{ ")
        .and_then(|rest| rest.split(" }}").next());
    inner.is_some_and(|inner| inner == "part" || inner.ends_with("step") || inner.ends_with("item"))
}

#[test]
fn every_task_belongs_to_an_item_of_the_guide() {
    let mut count = 0;
    for role in std::fs::read_dir(playbooks().join("roles")).unwrap() {
        for file in std::fs::read_dir(role.unwrap().path().join("tasks")).unwrap() {
            let path = file.unwrap().path();
            let mut found = Vec::new();
            names(&read(&path), &mut found);
            for name in &found {
                assert!(
                    ITEMS.iter().any(|item| name.starts_with(item)) || is_variable(name),
                    "{}: {name}",
                    path.display()
                );
            }
            count += found.len();
        }
    }
    assert!(count > 80, "only {count} tasks were found");
}

/// Items of a role whose ids have a figure behind the dot, each once, in the order of the file.
fn items(role_name: &str, prefix: &str) -> Vec<String> {
    let mut found: Vec<String> = role(role_name)
        .iter()
        .filter_map(|name| {
            name.strip_prefix(prefix)?
                .split(' ')
                .next()
                .map(str::to_owned)
        })
        .filter(|id| id.parse::<u32>().is_ok())
        .collect();
    found.dedup();
    found
}

#[test]
fn items_stand_in_the_guide_s_order() {
    let counted = |last: u32| (1..=last).map(|id| id.to_string()).collect::<Vec<_>>();
    for (name, prefix, last) in [
        ("quiesce", "MM-5.", 2),
        ("databases", "MM-6.", 3),
        ("source", "MM-7.", 11),
        ("destination", "MM-9.", 10),
        ("standalone", "STD-7.", 10),
        ("rolling_components", "{{ part }}.", 11),
    ] {
        assert_eq!(items(name, prefix), counted(last), "{name}");
    }
}

#[test]
fn every_play_ends_the_run_for_all_when_one_host_fails() {
    for name in ["standalone", "rolling", "multimaster"] {
        let plays = read(&playbooks().join(format!("{name}.yml")));
        judge_plays(name, &plays);
    }
}

/// A failure ends the run for all; the checks before any change come first.
fn judge_plays(name: &str, plays: &Value) {
    for play in plays.as_sequence().unwrap() {
        assert_eq!(
            play.get("any_errors_fatal"),
            Some(&Value::Bool(true)),
            "{play:?}"
        );
        assert_eq!(
            play.get("gather_facts"),
            Some(&Value::Bool(false)),
            "{play:?}"
        );
    }
    let is_preflight = |play: &&Value| play.get("preflight") == Some(&Value::Bool(true));
    assert_eq!(
        plays
            .as_sequence()
            .unwrap()
            .iter()
            .take_while(is_preflight)
            .count(),
        if name == "multimaster" { 2 } else { 3 },
        "{name}"
    );
}
