//! Templates of public roles: what ansible-core made of each, against what sasrun makes of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use sasrun_model::{Entry, Node, NodeKind, Span, Value};
use sasrun_template::{
    Binding, ClosedWorld, CommandOutput, Extensions, PageError, PageRequest, PathKind,
    RenderOptions, Scope, Templates, Truth, VariableScope, World, WorldError,
};
use serde::Deserialize;
use serde_json::Value as Json;

/// Part of the corpus that must be equal, in hundredths.
const LEAST_EQUAL: usize = 99;

/// A template of the corpus.
#[derive(Debug, Deserialize)]
struct Case {
    source: String,
    kind: Kind,
    text: String,
    role: serde_json::Map<String, Json>,
    data: serde_json::Map<String, Json>,
    expect: Json,
}

/// How a text is read.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Value,
    When,
    File,
}

/// The last line of the corpus.
#[derive(Debug, Deserialize)]
struct Remainder {
    harvested: usize,
    left_out: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Case(Box<Case>),
    Remainder(Remainder),
}

/// Renders every template of a corpus and prints what differs; whether enough is equal.
pub(crate) fn compare(path: &Path, seed: u64) -> anyhow::Result<bool> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let templates = Templates::new(Arc::new(YamlOnly), Extensions::default());
    let (mut count, mut equal, mut files) = (0_usize, 0_usize, 0_usize);
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = serde_json::from_str(&line?)
            .with_context(|| format!("{}:{}", path.display(), number + 1))?;
        let case = match line {
            Line::Case(case) => case,
            Line::Remainder(remainder) => {
                println!("{} templates were found; left out:", remainder.harvested);
                for (reason, count) in remainder.left_out {
                    println!("   {count:5} {reason}");
                }
                continue;
            }
        };
        count += 1;
        files += usize::from(case.kind == Kind::File);
        let got = render(&templates, &case);
        if got.as_ref().is_ok_and(|got| is_same(got, &case.expect)) {
            equal += 1;
        } else {
            tell(&case, &got);
        }
    }
    println!("corpus: {equal} of {count} equal ({files} whole files), seed {seed}");
    Ok(count > 0 && equal * 100 >= count * LEAST_EQUAL)
}

fn tell(case: &Case, got: &Result<Json, String>) {
    println!("differs: {} ({:?})", case.source, case.kind);
    println!("   text     {}", excerpt(&case.text));
    println!("   ansible  {}", excerpt(&case.expect.to_string()));
    match got {
        Ok(got) => {
            println!("   sasrun   {}", excerpt(&got.to_string()));
            if is_same(&sorted(got), &sorted(&case.expect)) {
                println!("   reason   the order of a set, which Python leaves open");
            }
        }
        Err(error) => println!("   sasrun   error: {}", excerpt(error)),
    }
}

/// A value with its outer list in an order of its own.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(items) => {
            let mut items = items.clone();
            items.sort_by_key(Json::to_string);
            Json::Array(items)
        }
        other => other.clone(),
    }
}

fn excerpt(text: &str) -> String {
    const LONGEST: usize = 600;
    let short: String = text.trim_end().chars().take(LONGEST).collect();
    short.replace('\n', "\n            ")
}

fn render(templates: &Templates, case: &Case) -> Result<Json, String> {
    let mut variables = VariableScope::new();
    for (name, value) in &case.data {
        let value = Binding::Data(Value::from(value.clone()));
        variables.insert(name.as_str(), value);
    }
    for (name, value) in &case.role {
        variables.insert(name.as_str(), Binding::Written(Arc::new(written(value))));
    }
    let scope: Arc<dyn Scope> = Arc::new(variables);
    let text = Node::text(Span::default(), case.text.as_str());
    match case.kind {
        Kind::File => templates
            .render(&case.text, &scope, &RenderOptions::default())
            .map(Into::into),
        Kind::When => templates.condition(&text, &scope).map(|truth| match truth {
            Truth::True => true.into(),
            Truth::False => false.into(),
            Truth::CannotKnow(reason) => format!("(cannot know: {reason})").into(),
        }),
        Kind::Value => templates.resolve(&text, &scope).map(|value| match value {
            Value::Omit => "(omit)".into(),
            value => Json::from(&value),
        }),
    }
    .map_err(|error| error.to_string())
}

/// A value as it stands in the file of a role.
fn written(value: &Json) -> Node {
    let kind = match value {
        Json::String(text) => return Node::text(Span::default(), text.as_str()),
        Json::Array(items) => NodeKind::List(items.iter().map(written).collect()),
        Json::Object(map) => NodeKind::Map(
            map.iter()
                .map(|(key, value)| Entry {
                    key: Node::text(Span::default(), key.as_str()),
                    value: written(value),
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

/// Equal with types; the order of a mapping does not count.
fn is_same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => {
            left.is_f64() == right.is_f64() && left.as_f64() == right.as_f64()
        }
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| is_same(value, other)))
        }
        _ => left == right,
    }
}

/// A world that reads YAML and has nothing else.
struct YamlOnly;

impl World for YamlOnly {
    fn now(&self) -> jiff::Zoned {
        ClosedWorld.now()
    }

    fn random(&self) -> u64 {
        ClosedWorld.random()
    }

    fn env(&self, name: &str) -> Option<String> {
        ClosedWorld.env(name)
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, WorldError> {
        ClosedWorld.read_file(path)
    }

    fn write_private_file(&self, path: &str, content: &[u8]) -> Result<(), WorldError> {
        ClosedWorld.write_private_file(path, content)
    }

    fn path_kind(&self, path: &str) -> Option<PathKind> {
        ClosedWorld.path_kind(path)
    }

    fn real_path(&self, path: &str) -> Result<String, WorldError> {
        ClosedWorld.real_path(path)
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, WorldError> {
        ClosedWorld.glob(pattern)
    }

    fn run_command(&self, command: &str) -> Result<CommandOutput, WorldError> {
        ClosedWorld.run_command(command)
    }

    fn fetch(&self, page: &PageRequest) -> Result<Vec<u8>, PageError> {
        ClosedWorld.fetch(page)
    }

    fn parse_yaml(&self, text: &str) -> Result<Vec<Value>, WorldError> {
        sasrun_load::parse_data(text).map_err(|error| WorldError::Failed(error.to_string()))
    }
}
