//! Templates, variables and what they give, as data: one case a line in `cases/*.jsonl`.
//!
//! `template` is a value as it stands in a playbook; `file` the text of a template file; `when` a
//! condition; `terms` those of a loop `with` a lookup. `expect` is
//! the result, `error` a part of the message. Expected results were taken from ansible-core 2.19 where it has an
//! opinion.
#![allow(clippy::unwrap_used)]

mod closed;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use sasrun_model::{Node, NodeKind, Span, Value};
use sasrun_template::{Binding, Extensions, RenderOptions, Scope, Templates, Truth, VariableScope};

fn node(json: &serde_json::Value) -> Node {
    let kind = match json {
        serde_json::Value::String(text) => return Node::text(Span::default(), text.as_str()),
        serde_json::Value::Array(items) => NodeKind::List(items.iter().map(node).collect()),
        serde_json::Value::Object(map) if map.contains_key("__unknown__") => {
            NodeKind::Data(Value::CannotKnow("not run".into()))
        }
        serde_json::Value::Object(map) if map.contains_key("__data__") => {
            NodeKind::Data(Value::from(map["__data__"].clone()))
        }
        serde_json::Value::Object(map) => NodeKind::Map(
            map.iter()
                .map(|(key, value)| sasrun_model::Entry {
                    key: Node::text(Span::default(), key.as_str()),
                    value: node(value),
                })
                .collect(),
        ),
        other => NodeKind::Data(Value::from(other.clone())),
    };
    Node {
        span: Span::default(),
        kind,
    }
}

fn run(templates: &Templates, case: &serde_json::Value) -> Result<serde_json::Value, String> {
    let mut variables = VariableScope::new();
    if let Some(vars) = case["vars"].as_object() {
        for (name, value) in vars {
            variables.insert(name.as_str(), Binding::Written(Arc::new(node(value))));
        }
    }
    let scope: Arc<dyn Scope> = Arc::new(variables);
    if let Some(text) = case["file"].as_str() {
        return templates
            .render(text, &scope, &RenderOptions::default())
            .map(Into::into)
            .map_err(|err| err.to_string());
    }
    if let Some(lookup) = case["with"].as_str() {
        let found = || {
            let terms = templates.resolve_terms(lookup, &node(&case["terms"]), &scope)?;
            let terms = match &terms {
                Value::List(terms) => terms.to_vec(),
                one => vec![one.clone()],
            };
            templates.lookup(lookup, &terms, &scope)
        };
        return found()
            .map(|found| serde_json::Value::from(&Value::list(found)))
            .map_err(|err| err.to_string());
    }
    if !case["when"].is_null() {
        return templates
            .condition(&node(&case["when"]), &scope)
            .map(|truth| match truth {
                Truth::True => true.into(),
                Truth::False => false.into(),
                Truth::CannotKnow(reason) => {
                    serde_json::Value::from(format!("(cannot know: {reason})"))
                }
            })
            .map_err(|err| err.to_string());
    }
    templates
        .resolve(&node(&case["template"]), &scope)
        .map(|value| match value {
            Value::Omit => "(omit)".into(),
            value => serde_json::Value::from(&value),
        })
        .map_err(|err| err.to_string())
}

#[test]
fn every_case_gives_what_it_says() {
    let templates = Templates::new(Arc::new(closed::World), Extensions::default());
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut wrong = String::new();
    let mut count = 0;
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    for file in files {
        for (index, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            count += 1;
            let case: serde_json::Value = serde_json::from_str(line)
                .unwrap_or_else(|err| panic!("{}:{}: {err}", file.display(), index + 1));
            let got = run(&templates, &case);
            let fits = match (&got, case.get("expect"), case["error"].as_str()) {
                (Ok(got), Some(expect), _) => got == expect,
                (Err(message), None, Some(part)) => message.contains(part),
                _ => false,
            };
            if !fits {
                let name = file.file_name().unwrap().to_string_lossy();
                writeln!(wrong, "{name}:{}: {line}\n    got {got:?}", index + 1).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count > 300, "only {count} cases were found");
}
