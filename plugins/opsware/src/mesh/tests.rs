//! Documents in, layouts or problems at places out.

use sasrun_plugin::{
    InventoryRequest, InventoryResult, InventorySource, Marked, MarkedEntry, MarkedValue,
};
use serde_json::json;

use super::MeshSource;

const GOOD: &str = r#"plugin: opsware_mesh
mesh: test
version: {from: "6.6", to: "6.61"}
vars: {ansible_user: root, key: "{{ inventory_dir }}/key"}
cores:
  core_a:
    source: true
    facility: {id: 1, name: A, agents: 10000}
    hosts:
      a1: {address: 10.0.0.1, components: [truth, vault, spin]}
      a2: {address: 10.0.0.2, components: [way, word, gateway]}
  core_b:
    facility: {id: 2, name: B}
    response_file: /root/resp.b
    hosts:
      b1: {address: b1.example.net, components: [truth, gateway], vars: {ansible_port: 2222}}
satellites:
  sat1: {address: 10.0.1.1, core: core_b, os_provisioning: true}
media:
  primary: {kind: dvd, source: /dev/cdrom, mount: /mnt/primary}
  upload: {kind: nfs, source: "depot:/export/upload", mount: /mnt/upload}
gates:
  MM-13: yes
  MM-14: {answer: "yes", by: me}
"#;

/// Gives every value a place, as a loader does; places are found by the text of the keys, which is
/// enough for documents of one key per line.
fn mark(text: &str) -> Marked {
    let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    let mut from = 0;
    place(&value, text, &mut from)
}

fn place(value: &serde_yaml::Value, text: &str, from: &mut usize) -> Marked {
    let here = *from;
    let marked = match value {
        serde_yaml::Value::Null => MarkedValue::Null,
        serde_yaml::Value::Bool(flag) => MarkedValue::Bool(*flag),
        serde_yaml::Value::Number(number) => match number.as_i64() {
            Some(number) => MarkedValue::Int(number),
            None => MarkedValue::Float(number.as_f64().unwrap()),
        },
        serde_yaml::Value::String(text) => MarkedValue::Text(text.clone()),
        serde_yaml::Value::Sequence(elements) => MarkedValue::List(
            elements
                .iter()
                .map(|element| place(element, text, from))
                .collect(),
        ),
        serde_yaml::Value::Mapping(entries) => MarkedValue::Map(
            entries
                .iter()
                .map(|(key, value)| {
                    let word = match key {
                        serde_yaml::Value::String(word) => word.clone(),
                        other => serde_yaml::to_string(other).unwrap().trim().to_owned(),
                    };
                    *from += text[*from..].find(&word).unwrap_or(0);
                    let key = place(key, text, &mut from.clone());
                    *from += word.len();
                    MarkedEntry {
                        key,
                        value: place(value, text, from),
                    }
                })
                .collect(),
        ),
        serde_yaml::Value::Tagged(_) => MarkedValue::Null,
    };
    let line = text[..here].matches('\n').count() as u32 + 1;
    let column = (here - text[..here].rfind('\n').map_or(0, |at| at + 1)) as u32 + 1;
    Marked {
        line,
        column,
        value: marked,
    }
}

fn read(text: &str) -> InventoryResult {
    let request = InventoryRequest {
        source: "opsware_mesh".into(),
        path: "mesh.yml".into(),
        document: mark(text),
    };
    MeshSource.read(&request)
}

#[test]
fn a_mesh_becomes_groups_and_variables() {
    let result = read(GOOD);
    assert_eq!(result.problems, []);
    let hosts = |group: &str| result.groups[group].hosts.clone();
    assert_eq!(hosts("mesh_hosts"), ["a1", "a2", "b1"]);
    assert_eq!(hosts("core_a"), ["a1", "a2"]);
    assert_eq!(hosts("component_truth"), ["a1", "b1"]);
    assert_eq!(hosts("component_boot"), Vec::<String>::new());
    assert_eq!(hosts("satellites"), ["sat1"]);
    assert_eq!(
        result.hosts["sat1"].variables["components"],
        json!(["sat_gateway", "wordcache", "boot", "media"])
    );
    assert_eq!(result.groups["cores"].children, ["core_a", "core_b"]);
    assert_eq!(result.groups["source_core"].children, ["core_a"]);
    assert_eq!(result.groups["destination_cores"].children, ["core_b"]);
    let all = &result.groups["all"].variables;
    assert_eq!(all["key"], "{{ inventory_dir }}/key");
    assert_eq!(all["mesh"]["source_core"], "core_a");
    assert_eq!(
        all["mesh"]["cores"]["core_a"]["by_component"]["word"],
        json!(["a2"])
    );
    assert_eq!(all["mesh"]["policies"]["destinations"], "serial");
    assert_eq!(all["gates"]["MM-13"]["answer"], "yes");
    assert_eq!(all["sasrun_lock"], all["mesh"]["name"]);
    assert_eq!(all["sasrun_lock_hosts"], json!(["a1"]));
    let b1 = &result.hosts["b1"].variables;
    assert_eq!(b1["ansible_host"], "b1.example.net");
    assert_eq!(b1["ansible_port"], 2222);
    assert_eq!(b1["core"], "core_b");
    assert_eq!(b1["components"], json!(["truth", "gateway"]));
    assert_eq!(
        result.groups["core_b"].variables["response_file"],
        "/root/resp.b"
    );
}

#[test]
fn the_lab_s_mesh_and_the_example_are_right() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../inventories");
    for path in ["lab/mesh.yml", "example/mesh.yml"] {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        let result = read(&text);
        assert_eq!(result.problems, [], "{path}");
        assert!(!result.hosts.is_empty(), "{path}");
    }
}

/// Each row breaks the good document in one place: text, what takes its place, line, message, hint.
const BROKEN: &[(&str, &str, u32, &str, &str)] = &[
    (
        "    facility: {id: 2",
        "    source: true\n    facility: {id: 2",
        13,
        "a second source core",
        "exactly one",
    ),
    (
        "source: true\n",
        "source: false\n",
        5,
        "no core is the source core",
        "exactly one",
    ),
    (
        "vault, spin",
        "valut, spin",
        10,
        "unknown component `valut`",
        "`vault`",
    ),
    (
        "a2: {address: 10.0.0.2",
        "a2: {adress: 10.0.0.2",
        11,
        "unknown key `adress`",
        "`address`",
    ),
    (
        "address: 10.0.0.2",
        "address: 10.0.0.1",
        11,
        "already that of host `a1`",
        "",
    ),
    (
        "address: 10.0.1.1",
        "address: 10.0.0.2",
        18,
        "already that of host `a2`",
        "",
    ),
    (
        "address: 10.0.0.2",
        "address: 10.0.0.256",
        11,
        "is no address",
        "port",
    ),
    (
        "{id: 2, name: B}",
        "{id: 1, name: B}",
        13,
        "facility id 1 is already",
        "",
    ),
    (
        "{id: 2, name: B}",
        "{id: 2, name: A}",
        13,
        "facility name `A` is already",
        "",
    ),
    ("{id: 2, name: B}", "{id: 2}", 13, "lacks `name`", ""),
    (
        "      b1: {",
        "      a1: {",
        16,
        "host `a1` is listed twice",
        "line 10",
    ),
    (
        "[truth, gateway]",
        "[gateway]",
        15,
        "has no `truth`",
        "exactly one",
    ),
    (
        "[truth, gateway]",
        "[truth]",
        15,
        "has no `gateway`",
        "at least one",
    ),
    (
        "[way, word, gateway]",
        "[truth, gateway]",
        9,
        "`truth` on a1 and a2",
        "exactly one",
    ),
    (
        "from: \"6.6\"",
        "from: \"6.5.0\"",
        3,
        "no upgrade from 6.5.0",
        "6.5.1.x",
    ),
    ("from: \"6.6\"", "from: six", 3, "no release", "6.6"),
    ("to: \"6.61\"", "to: \"7.0\"", 3, "lead to 6.61", ""),
    (
        "kind: dvd",
        "kind: dvdd",
        20,
        "`kind` cannot be `dvdd`",
        "`dvd`",
    ),
    (
        "source: /dev/cdrom",
        "source: cdrom",
        20,
        "absolute path",
        "`/`",
    ),
    (
        "mount: /mnt/primary",
        "mount: mnt",
        20,
        "absolute path",
        "`/`",
    ),
    (
        "depot:/export/upload",
        "depot",
        21,
        "no NFS export",
        "SERVER:/PATH",
    ),
    (
        "core: core_b",
        "core: core_bb",
        18,
        "there is no core `core_bb`",
        "`core_b`",
    ),
    (
        "MM-13: yes",
        "MM-113: yes",
        23,
        "there is no gate `MM-113`",
        "`MM-13`",
    ),
    (
        "gates:\n",
        "policies: {interview: long}\ngates:\n",
        22,
        "`interview` cannot be `long`",
        "simple",
    ),
    (
        "gates:\n",
        "policies: {mesh_state: {interval: soon}}\ngates:\n",
        22,
        "number of seconds",
        "unit",
    ),
    (
        "gates:\n",
        "policy: {}\ngates:\n",
        22,
        "unknown key `policy`",
        "policies",
    ),
    ("  core_b:", "  cores:", 12, "cannot name a core", "another"),
    (
        "core_b:\n    facility",
        "core-b:\n    facility",
        12,
        "cannot name a core",
        "letters",
    ),
    ("name: A,", "name: \"A/B\",", 8, "short name", "opswgw-cgw0"),
    ("id: 1,", "id: one,", 8, "whole number", ""),
];

#[test]
fn every_mistake_is_named_at_its_line() {
    for (good, bad, line, message, hint) in BROKEN {
        assert!(GOOD.contains(good), "{good}");
        let result = read(&GOOD.replacen(good, bad, 1));
        let found = result.problems.iter().any(|problem| {
            problem.line == *line
                && problem.message.contains(message)
                && problem.hint.as_deref().unwrap_or_default().contains(hint)
        });
        assert!(found, "{bad}: {:#?}", result.problems);
        assert!(result.hosts.is_empty(), "{bad}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = GOOD
        .replace("vault, spin", "valut, spin")
        .replace("kind: nfs", "kind: tape")
        .replace("mesh: test\n", "");
    assert!(read(&text).problems.len() >= 3);
}

#[test]
fn a_document_of_another_shape_is_no_panic() {
    for text in [
        "[]",
        "x",
        "{}",
        "cores: []",
        "cores: {a: null}",
        "cores: {a: {hosts: {x: 1}}}",
        "1: 2",
    ] {
        assert!(!read(text).problems.is_empty(), "{text}");
    }
}
