//! Which crate may know which, and what no source may hold. `docs/ARCHITECTURE.md` says why.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crates of this workspace that each crate may depend on outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("runner/model", &[]),
    ("runner/template", &["sasrun-model"]),
    ("runner/load", &["sasrun-model"]),
    ("runner/connection", &[]),
    ("runner/modules", &["sasrun-plugin"]),
    ("runner/journal", &["sasrun-model"]),
    ("runner/vault", &[]),
    ("runner/report", &["sasrun-model"]),
    (
        "runner/engine",
        &[
            "sasrun-model",
            "sasrun-template",
            "sasrun-connection",
            "sasrun-plugin",
        ],
    ),
    (
        "runner/cli",
        &[
            "sasrun-model",
            "sasrun-template",
            "sasrun-load",
            "sasrun-connection",
            "sasrun-modules",
            "sasrun-engine",
            "sasrun-journal",
            "sasrun-report",
            "sasrun-vault",
            "sasrun-plugin",
            "sasrun-plugin-host",
        ],
    ),
    ("plugins/api", &[]),
    ("plugins/host", &["sasrun-plugin"]),
    ("plugins/opsware", &["sasrun-plugin"]),
    ("plugins/gateway", &["sasrun-plugin"]),
    ("plugins/media", &["sasrun-plugin"]),
    ("plugins/oracle", &["sasrun-plugin"]),
    ("tests/lab", &[]),
    ("tests/bench", &[]),
    (
        "tests/peers",
        &["sasrun-load", "sasrun-model", "sasrun-template"],
    ),
    (
        "tests/soak",
        &[
            "saslab",
            "sasrun-scenarios",
            "sasrun-journal",
            "sasrun-model",
        ],
    ),
];

/// Outside crates that only some of ours may name.
const KEPT: &[(&str, &[&str])] = &[
    ("minijinja", &["runner/template"]),
    ("libyaml-rs", &["runner/load"]),
    ("russh", &["runner/connection", "tests/lab", "tests/bench"]),
    ("libloading", &["plugins/host"]),
    (
        "clap",
        &[
            "runner/cli",
            "tests/lab",
            "tests/bench",
            "tests/peers",
            "tests/soak",
        ],
    ),
    ("indicatif", &["runner/report"]),
];

/// File names that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "common", "helpers", "helper", "misc", "manager", "imp",
];

/// The part of the contract that plugins test themselves with; it panics as assertions do.
const TEST_KIT: &str = "plugins/api/src/rehearsal.rs";

/// Longest file; more has two reasons to change.
const MOST_LINES: usize = 700;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

fn sources(below: &str) -> Vec<(String, String)> {
    let root = root();
    let mut pending = vec![root.join(below)];
    let mut found = Vec::new();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name == "target") {
                continue;
            }
            pending.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let shown = path.strip_prefix(&root).unwrap().display().to_string();
            found.push((shown, fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!found.is_empty(), "no sources below {below}");
    found.sort();
    found
}

fn dependencies(folder: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    table
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

fn fail_with(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn crates_know_only_what_they_may_know() {
    let mut problems = Vec::new();
    for (folder, allowed) in ARROWS {
        for dependency in dependencies(folder) {
            let is_ours = dependency.starts_with("sasrun") || dependency == "saslab";
            if is_ours && !allowed.contains(&dependency.as_str()) {
                problems.push(format!("{folder} must not know {dependency}"));
            }
        }
    }
    fail_with(problems);
}

#[test]
fn every_member_has_its_arrows() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let known: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let missing: Vec<String> = members
        .iter()
        .filter_map(toml::Value::as_str)
        .filter(|member| !member.starts_with("tests/") && !known.contains_key(member))
        .map(|member| format!("{member} has no line in ARROWS"))
        .collect();
    fail_with(missing);
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let mut problems = Vec::new();
    for (folder, _) in ARROWS {
        let used = dependencies(folder);
        for (outside, rooms) in KEPT {
            if used.contains(*outside) && !rooms.contains(folder) {
                problems.push(format!("{folder} must not name {outside}"));
            }
        }
    }
    fail_with(problems);
}

#[test]
fn the_general_runner_does_not_know_the_domain() {
    let mut problems = Vec::new();
    for below in ["runner", "plugins/api", "plugins/host"] {
        for (path, text) in sources(below) {
            for (number, line) in (1..).zip(text.lines()) {
                if line.to_ascii_lowercase().contains("opsware") {
                    problems.push(format!("{path}:{number} names the domain"));
                }
            }
        }
    }
    fail_with(problems);
}

#[test]
fn unsafe_code_is_in_two_crates_only() {
    let mut problems = Vec::new();
    // The YAML parser is a port of a C library, and its interface is too.
    let kept = ["plugins/api/", "plugins/host/", "runner/load/src/yaml/"];
    for below in ["runner", "plugins"] {
        for (path, text) in sources(below) {
            let allowed = kept.iter().any(|room| path.starts_with(room));
            let has = text.lines().any(|line| {
                let code = line.split("//").next().unwrap_or_default();
                code.contains("unsafe ") || code.contains("unsafe{")
            });
            if has && !allowed {
                problems.push(format!("{path} has unsafe code"));
            }
        }
    }
    fail_with(problems);
}

#[test]
fn nothing_prints_but_the_command_line() {
    let mut problems = Vec::new();
    for below in ["runner", "plugins/api", "plugins/host", "plugins/opsware"] {
        for (path, text) in sources(below) {
            if path.starts_with("runner/cli/")
                || ["/tests/", "/examples/"]
                    .iter()
                    .any(|part| path.contains(part))
            {
                continue;
            }
            let production = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in ["println!(", "print!(", "eprintln!(", "eprint!(", "dbg!("] {
                if production
                    .lines()
                    .any(|line| line.trim_start().starts_with(word))
                {
                    problems.push(format!("{path} uses {word}...)"));
                }
            }
        }
    }
    fail_with(problems);
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [
        "todo!(",
        "unimplemented!(",
        "FIXME",
        "#[ignore",
        "allow(dead_code)",
        "allow(unused",
    ];
    let mut problems = Vec::new();
    for below in ["runner", "plugins", "tests"] {
        for (path, text) in sources(below) {
            if path.starts_with("tests/tidy/") {
                continue;
            }
            for mark in marks {
                if text.contains(mark) {
                    problems.push(format!("{path} has {mark}"));
                }
            }
        }
    }
    fail_with(problems);
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut problems = Vec::new();
    for below in ["runner", "plugins", "tests"] {
        for (path, text) in sources(below) {
            if !text.starts_with("//!") {
                problems.push(format!("{path} does not begin with //!"));
            }
            if text.lines().count() > MOST_LINES {
                problems.push(format!("{path} is longer than {MOST_LINES} lines"));
            }
            let name = Path::new(&path)
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if EMPTY_NAMES.contains(&name.as_str()) {
                problems.push(format!("{path}: the name says nothing"));
            }
        }
    }
    fail_with(problems);
}

#[test]
fn panics_on_outside_data_are_not_written() {
    let mut problems = Vec::new();
    for below in ["runner", "plugins"] {
        for (path, text) in sources(below) {
            if ["/tests/", "/benches/", "/examples/"]
                .iter()
                .any(|part| path.contains(part))
                || path.ends_with("tests.rs")
                || path == TEST_KIT
            {
                continue;
            }
            let production = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (number, line) in (1..).zip(production.lines()) {
                let code = line.split("//").next().unwrap_or_default();
                if code.contains(".unwrap()") || code.contains("panic!(") {
                    problems.push(format!("{path}:{number} {}", line.trim()));
                }
            }
        }
    }
    fail_with(problems);
}
