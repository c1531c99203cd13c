//! Every item of the guide is carried by a task or a test, and the page that says so is true.
//!
//! `guide/items.txt` is the list; names of tasks and plays are read from the playbooks themselves.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_yaml::Value;

/// Items that nothing carries yet. This number may only become smaller.
const OPEN: usize = 0;

struct Item {
    id: String,
    what: String,
    /// Files and the text in them that carries the item.
    listed: Vec<(String, String)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

fn items() -> Vec<Item> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("guide/items.txt");
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.splitn(3, '|').map(str::trim);
            let (id, what) = (parts.next().unwrap(), parts.next().unwrap());
            let carriers = parts
                .next()
                .unwrap_or_else(|| panic!("{line}: no third column"));
            let listed = carriers.split(" ; ").filter(|one| !one.is_empty());
            Item {
                id: id.to_owned(),
                what: what.to_owned(),
                listed: listed
                    .map(|one| {
                        let (file, text) = one
                            .split_once(": ")
                            .unwrap_or_else(|| panic!("{line}: FILE: TEXT"));
                        (file.trim().to_owned(), text.trim().to_owned())
                    })
                    .collect(),
            }
        })
        .collect()
}

/// Whether a word has the form of an item's id.
fn is_id(word: &str) -> bool {
    let groups = [
        "PATH", "MEDIA", "INST", "CONF", "PREP", "RESP", "STD", "NOTE", "CONTENT", "MM", "SAT",
        "ROLL", "FIX", "TRAP",
    ];
    word.split_once('-')
        .is_some_and(|(group, rest)| groups.contains(&group) && !rest.is_empty())
}

/// Ids with which the name of a task or a play begins.
fn ids_of(name: &str) -> Vec<&str> {
    name.split_whitespace()
        .map(|word| word.trim_end_matches([',', ':']))
        .take_while(|word| is_id(word))
        .collect()
}

/// Carriers by id: file and name of the task, or of the setting that names the item for a shared role.
fn carried() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("playbooks")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "yml") {
                let tree: Value = serde_yaml::from_str(&fs::read_to_string(&path).unwrap())
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let file = path.strip_prefix(root()).unwrap().display().to_string();
                collect(&tree, &file, &mut found);
            }
        }
    }
    found
}

fn collect(tree: &Value, file: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    match tree {
        Value::Sequence(items) => items.iter().for_each(|item| collect(item, file, found)),
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let key = key.as_str().unwrap_or_default();
                if let Value::String(text) = value {
                    let ids = match key {
                        "name" => ids_of(text),
                        key if key.ends_with("step") || key.ends_with("item") => ids_of(text)
                            .into_iter()
                            .filter(|id| *id == text.as_str())
                            .collect(),
                        _ => Vec::new(),
                    };
                    for id in ids {
                        let known: &mut BTreeSet<String> = found.entry(id.to_owned()).or_default();
                        known.insert(format!("`{file}`: {text}"));
                    }
                }
                collect(value, file, found);
            }
        }
        _ => {}
    }
}

/// The page of the documentation, and the ids that nothing carries.
fn page() -> (String, Vec<String>) {
    let carried = carried();
    let mut text = String::from(
        "# What carries each item of the guide\n\n\
         Every item of the upgrade guide's procedures with the task, test or rule that carries it. This page is written by a\n\
         test from [the list of items](../tests/scenarios/guide/items.txt) and the playbooks; the test fails when an item has\n\
         no carrier, or names one that is not there. After a change: `UPDATE_PAGES=1 cargo test -p sasrun-scenarios --test guide`.\n\n\
         | item | what | carried by |\n|---|---|---|\n",
    );
    let mut open = Vec::new();
    for item in items() {
        let mut carriers: Vec<String> = carried
            .get(&item.id)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        carriers.extend(
            item.listed
                .iter()
                .map(|(file, text)| format!("`{file}`: {text}")),
        );
        if carriers.is_empty() {
            open.push(item.id.clone());
            continue;
        }
        let more = carriers.len().saturating_sub(2);
        let mut shown = carriers
            .into_iter()
            .take(2)
            .collect::<Vec<_>>()
            .join("<br>")
            .replace('|', "\\|");
        if more > 0 {
            shown.push_str(&format!("<br>and {more} more"));
        }
        text.push_str(&format!("| {} | {} | {shown} |\n", item.id, item.what));
    }
    if !open.is_empty() {
        text.push_str("\n## Not carried yet\n\n");
        text.push_str(&format!("{}\n", open.join(", ")));
    }
    (text, open)
}

#[test]
fn the_page_says_what_the_playbooks_say() {
    let (text, _) = page();
    let path = root().join("docs/coverage-of-the-guide.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "docs/coverage-of-the-guide.md is old: UPDATE_PAGES=1 cargo test -p sasrun-scenarios --test guide"
    );
}

#[test]
fn what_nothing_carries_only_becomes_less() {
    let (_, open) = page();
    assert_eq!(open.len(), OPEN, "not carried: {}", open.join(", "));
}

#[test]
fn carriers_that_are_listed_are_there() {
    for item in items() {
        for (file, text) in &item.listed {
            let content = fs::read_to_string(root().join(file))
                .unwrap_or_else(|_| panic!("{}: there is no {file}", item.id));
            assert!(
                content.contains(text),
                "{}: {file} has no {text:?}",
                item.id
            );
        }
    }
}

#[test]
fn every_id_that_a_task_begins_with_is_in_the_list() {
    let known: BTreeSet<String> = items().into_iter().map(|item| item.id).collect();
    let unknown: Vec<String> = carried()
        .into_iter()
        .filter(|(id, _)| !known.contains(id))
        .map(|(id, places)| format!("{id} ({places:?})"))
        .collect();
    assert!(unknown.is_empty(), "{}", unknown.join("; "));
}
