//! The composer against what PyYAML gives: tables and documents under `cases/yaml`.

use std::path::Path;

use sasrun_model::{FileId, Node, NodeKind};
use serde_json::{Value as Json, json};

use super::{compose, scalar};
use crate::VaultError;

fn cases() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/yaml")
}

fn composed(text: &str) -> (Option<Node>, Vec<String>) {
    let unseal = |text: &str| match text {
        "sealed" => Ok("opened {{ x }}".to_owned()),
        _ => Err(VaultError::NoSecret),
    };
    let composed = compose(text, FileId(0), &unseal);
    let problems = composed.problems.into_iter().map(|problem| {
        let span = problem.span;
        format!(
            "{}:{} {} {}",
            span.line, span.column, problem.code, problem.message
        )
    });
    let problems = problems.collect();
    (composed.documents.into_iter().next(), problems)
}

#[test]
fn plain_scalars_are_what_pyyaml_makes_of_them() {
    let table = std::fs::read_to_string(cases().join("scalars.tsv")).unwrap();
    let mut checked = 0;
    for line in table.lines().filter(|line| !line.starts_with("# ")) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [text, kind, value] = columns.as_slice() else {
            panic!("{line:?}");
        };
        let found = match scalar::resolve(text) {
            NodeKind::Null => ("null", String::new()),
            NodeKind::Bool(value) => ("bool", value.to_string()),
            NodeKind::Int(value) => ("int", value.to_string()),
            NodeKind::Float(value) => ("float", python_float(value)),
            NodeKind::Text(text) => ("str", text.text.to_string()),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(found, (*kind, (*value).to_owned()), "{text}");
        checked += 1;
    }
    assert!(checked > 200, "{checked}");
}

fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa);
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

fn as_json(node: &Node) -> Json {
    match &node.kind {
        NodeKind::Null => Json::Null,
        NodeKind::Bool(value) => json!(value),
        NodeKind::Int(value) => json!(value),
        NodeKind::Float(value) => json!({"float": python_float(*value)}),
        NodeKind::Text(text) => json!(&*text.text),
        NodeKind::List(items) => items.iter().map(as_json).collect(),
        NodeKind::Map(entries) => {
            let pairs = entries
                .iter()
                .map(|entry| json!([as_json(&entry.key), as_json(&entry.value)]));
            json!({"map": pairs.collect::<Vec<_>>()})
        }
        NodeKind::Data(value) => json!({"data": value}),
    }
}

#[test]
fn documents_are_what_pyyaml_makes_of_them() {
    let mut checked = 0;
    for entry in std::fs::read_dir(cases().join("documents")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let expected: Json = serde_json::from_str(&expected).unwrap();
        let (document, problems) = composed(&text);
        let document = document.unwrap_or_else(|| panic!("{path:?}: {problems:?}"));
        assert_eq!(as_json(&document), expected, "{path:?}");
        checked += 1;
    }
    assert!(checked >= 10);
}

#[test]
fn values_know_where_they_begin() {
    let (document, _) = composed("a: 1\nb:\n  - é: x\n    k: \"q\"\n");
    let document = document.unwrap();
    let list = document.get("b").unwrap();
    let NodeKind::List(items) = &list.kind else {
        panic!("{list:?}");
    };
    let entries = items[0].entries();
    let places: Vec<(u32, u32)> = entries
        .iter()
        .flat_map(|entry| [entry.key.span, entry.value.span])
        .map(|span| (span.line, span.column))
        .collect();
    assert_eq!(places, [(3, 5), (3, 8), (4, 5), (4, 8)]);
}

#[test]
fn only_plain_text_of_the_user_is_a_template() {
    let (document, problems) =
        composed("a: '{{ x }}'\nb: !unsafe '{{ x }}'\nc: !vault sealed\nd: !unsafe ['{{ x }}']\n");
    assert_eq!(problems, [""; 0]);
    let document = document.unwrap();
    let is_static = |key: &str| document.get(key).unwrap().is_static();
    assert!(!is_static("a"));
    assert!(is_static("b") && is_static("c") && is_static("d"));
    assert_eq!(document.get("c").unwrap().as_str(), Some("opened {{ x }}"));
}

#[test]
fn mistakes_are_named_at_their_cause() {
    let path = cases().join("mistakes.txt");
    let table = std::fs::read_to_string(&path).unwrap();
    let mut told = Vec::new();
    for case in table.split("\n=====\n") {
        let (text, _) = case.split_once("\n-----\n").unwrap();
        let (_, problems) = composed(&text.replace('→', "\t"));
        told.push(format!("{text}\n-----\n{}", problems.join("\n")));
    }
    let told = told.join("\n=====\n") + "\n";
    // Review what this writes: the tables are the expectation.
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&path, &told).unwrap();
    }
    assert_eq!(told, table);
}

#[test]
fn bombs_and_pits_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = level - 1;
        let aliases = vec![format!("*a{below}"); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let (document, problems) = composed(&bomb);
    assert!(
        document.is_none() && problems[0].contains("E008"),
        "{problems:?}"
    );

    let pit = "[".repeat(50_000);
    let (document, problems) = composed(&pit);
    assert!(
        document.is_none() && problems[0].contains("E008"),
        "{problems:?}"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s)[-:{}\\[\\]&*!|>'\"%@`#, \t\nab1~<?=\\\\é]{0,60}") {
        let _ = composed(&text);
    }

    #[test]
    fn no_unicode_makes_it_panic(text in "\\PC{0,40}") {
        let _ = composed(&text);
    }
}
