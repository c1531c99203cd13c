//! Inventories under `cases/inventories`: hosts, groups and variables of each, or what is wrong.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write;
use std::path::Path;

use sasrun_model::{Inventory, LayeredVariables};

#[test]
fn inventories_are_loaded_or_refused_as_expected() {
    for case in support::cases("inventories") {
        let loader = support::loader();
        let sources = sources(&case);
        let loaded = loader.load_inventory(&sources).and_then(|mut inventory| {
            loader.add_variables_beside_playbook(&mut inventory, &case.join("play/play.yml"))?;
            Ok(inventory)
        });
        let mut told = match loaded {
            Ok(inventory) => picture(&inventory),
            Err(problems) => support::describe_all(&case, &problems),
        };
        told += &support::describe_all(&case, &loader.take_warnings());
        support::hold_to(&case, &told);
    }
}

#[test]
fn dictionaries_of_several_sources_are_merged_where_that_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let sources = [
        ("one", "{a: 1, b: {c: 1, d: 1}}"),
        ("two", "{a: 2, b: {d: 2}}"),
    ];
    let sources = sources.map(|(name, settings)| {
        let path = folder.path().join(format!("{name}.yml"));
        let text =
            format!("all:\n  hosts:\n    h:\n      s: {settings}\n  vars:\n    g: {settings}\n");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    });
    let said = |merges_dictionaries: bool| {
        let loader = support::loader().with_settings(sasrun_load::Settings {
            merges_dictionaries,
            ..sasrun_load::Settings::default()
        });
        let inventory = loader.load_inventory(&sources).unwrap();
        let of_host = support::variables(&inventory.hosts["h"].variables.source);
        let of_group = support::variables(&inventory.groups["all"].variables.source);
        format!("{of_host} {of_group}")
    };
    let merged = said(true);
    assert_eq!(merged.matches("c: 1").count(), 2, "{merged}");
    assert_eq!(merged.matches("d: 2").count(), 2, "{merged}");
    assert_eq!(said(false).matches("c: 1").count(), 0);
}

/// The sources of a case: those its file `sources` lists, else what is named `hosts…`.
fn sources(case: &Path) -> Vec<String> {
    if let Ok(listed) = std::fs::read_to_string(case.join("sources")) {
        let lines = listed.lines().map(|line| match line.contains(',') {
            true => line.to_owned(),
            false => case.join(line).display().to_string(),
        });
        return lines.collect();
    }
    let names = std::fs::read_dir(case).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("hosts"))
        })
        .map(|path| path.display().to_string())
        .collect();
    names.sort();
    names
}

fn picture(inventory: &Inventory) -> String {
    let mut text = String::new();
    for group in inventory.groups.values() {
        write!(
            text,
            "group {} depth={} priority={}",
            group.name, group.depth, group.priority
        )
        .unwrap();
        writeln!(
            text,
            " hosts={:?} children={:?}",
            group.hosts, group.children
        )
        .unwrap();
        layers(&mut text, &group.variables);
    }
    for host in inventory.hosts.values() {
        let groups: Vec<&str> = inventory
            .groups_of(host)
            .iter()
            .map(|group| &*group.name)
            .collect();
        writeln!(text, "host {} groups={groups:?}", host.name).unwrap();
        layers(&mut text, &host.variables);
    }
    text
}

fn layers(text: &mut String, variables: &LayeredVariables) {
    let layers = [
        ("source", &variables.source),
        ("inventory", &variables.beside_inventory),
        ("playbook", &variables.beside_playbook),
    ];
    for (name, layer) in layers {
        let mut layer = layer.clone();
        // Absolute paths, judged by a test of their own.
        layer.shift_remove("inventory_file");
        layer.shift_remove("inventory_dir");
        if !layer.is_empty() {
            writeln!(text, "  {name} {}", support::variables(&layer)).unwrap();
        }
    }
}

#[test]
fn hosts_know_the_file_they_came_from() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hosts.yml");
    std::fs::write(&path, "all: {hosts: {a: }}\n").unwrap();
    let inventory = support::loader()
        .load_inventory(&[path.to_str().unwrap()])
        .unwrap();
    let variables = &inventory.hosts["a"].variables.source;
    assert_eq!(
        variables["inventory_dir"].as_str(),
        directory.path().to_str()
    );
    assert_eq!(variables["inventory_file"].as_str(), path.to_str());
}

#[test]
fn five_thousand_hosts_load_at_once() {
    let mut text = String::from("all:\n  children:\n");
    for group in 0..50 {
        text += &format!("    g{group}:\n      hosts:\n");
        for host in 0..100 {
            text += &format!(
                "        h{group}x{host}:\n          ansible_host: 10.0.{group}.{host}\n          role: web\n          ports: [80, 443]\n"
            );
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hosts.yml");
    std::fs::write(&path, text).unwrap();
    let loader = support::loader();
    let begin = std::time::Instant::now();
    let inventory = loader.load_inventory(&[path.to_str().unwrap()]).unwrap();
    let took = begin.elapsed();
    assert_eq!(inventory.hosts.len(), 5_000);
    assert_eq!(inventory.members("all").len(), 5_000);
    // A build without optimisation on a busy machine; optimised it takes a tenth.
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}

#[test]
fn names_of_groups_are_made_valid_where_that_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts.ini");
    let text = "[a-b]\nh\n[a-b:vars]\nx=1\n[c.d:children]\na-b\n";
    std::fs::write(&path, text).unwrap();
    let loaded = |word: &str| {
        let loader = support::loader().with_settings(sasrun_load::Settings {
            invalid_group_names: sasrun_load::InvalidGroupNames::named(word),
            ..sasrun_load::Settings::default()
        });
        let inventory = loader
            .load_inventory(&[path.display().to_string()])
            .unwrap();
        (picture(&inventory), loader.take_warnings().len())
    };
    let (kept, warnings) = loaded("never");
    assert!(kept.contains("group a-b ") && warnings == 1, "{kept}");
    assert_eq!(loaded("ignore"), (kept.clone(), 0));
    let (replaced, warnings) = loaded("always");
    assert_eq!(replaced, kept.replace("a-b", "a_b").replace("c.d", "c_d"));
    assert_eq!(warnings, 1);
    assert_eq!(loaded("silently"), (replaced, 0));
}
