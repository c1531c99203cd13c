//! Stand-ins for what the loader asks of others, and a picture of what it loaded.
#![allow(dead_code, reason = "each test uses a part")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sasrun_load::{
    Evaluate, EvaluationError, InventorySources, Loader, Need, SourceGroup, SourceHost,
    SourceInventory, SourceProblem, SyntaxProblem, TemplateSyntax,
};
use sasrun_model::{
    Action, ArgumentProblem, Block, Diagnostic, ModuleCatalogue, ModuleEntry, Name, Node, NodeKind,
    Playbook, Severity, Step, Task, Value, Variables,
};

/// A module of the stand-in catalogue: arguments, the one that takes text, whether others may be
/// given, and one argument with the values it may have.
struct Module {
    name: &'static str,
    arguments: &'static [&'static str],
    required: &'static [&'static str],
    text: Option<&'static str>,
    is_open: bool,
    choices: Option<(&'static str, &'static [&'static str])>,
}

const fn module(name: &'static str, arguments: &'static [&'static str]) -> Module {
    Module {
        name,
        arguments,
        required: &[],
        text: None,
        is_open: false,
        choices: None,
    }
}

const MODULES: &[Module] = &[
    Module {
        text: Some("_raw_params"),
        ..module(
            "command",
            &["cmd", "argv", "creates", "removes", "chdir", "_raw_params"],
        )
    },
    Module {
        text: Some("_raw_params"),
        ..module("shell", &["cmd", "creates", "chdir", "_raw_params"])
    },
    Module {
        required: &["dest"],
        ..module("copy", &["src", "content", "dest", "mode", "owner"])
    },
    Module {
        required: &["src", "dest"],
        ..module("template", &["src", "dest", "mode"])
    },
    Module {
        required: &["path"],
        choices: Some(("state", &["file", "directory", "absent", "link", "touch"])),
        ..module("file", &["path", "state", "mode", "src"])
    },
    Module {
        required: &["name"],
        choices: Some(("state", &["started", "stopped", "restarted"])),
        ..module("service", &["name", "state", "enabled"])
    },
    module("debug", &["msg", "var", "verbosity"]),
    module("ping", &["data"]),
    module("pause", &["seconds"]),
    Module {
        required: &["path"],
        ..module("stat", &["path"])
    },
    Module {
        required: &["that"],
        ..module("assert", &["that", "fail_msg", "quiet"])
    },
    module("fail", &["msg"]),
    Module {
        is_open: true,
        ..module("set_fact", &["cacheable"])
    },
    Module {
        text: Some("file"),
        ..module("include_vars", &["file", "dir", "name"])
    },
];

pub struct Catalogue;

impl Catalogue {
    fn entry(name: &str) -> Option<&'static Module> {
        let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
        MODULES.iter().find(|module| module.name == short)
    }
}

impl ModuleCatalogue for Catalogue {
    fn find(&self, name: &str) -> Option<ModuleEntry> {
        let module = Self::entry(name)?;
        Some(ModuleEntry {
            name: format!("ansible.builtin.{}", module.name).into(),
            takes_free_form: module.text.is_some(),
        })
    }

    fn names(&self) -> Vec<Name> {
        let names = MODULES.iter().map(|module| module.name);
        names
            .map(|name| format!("ansible.builtin.{name}").into())
            .collect()
    }

    fn split_free_form(&self, name: &str, text: &str) -> Option<Vec<(String, String)>> {
        let module = Self::entry(name)?;
        let mut pairs = Vec::new();
        let mut rest = Vec::new();
        for word in text.split_whitespace() {
            match word.split_once('=') {
                Some((key, value)) if module.arguments.contains(&key) || module.text.is_none() => {
                    pairs.push((key.to_owned(), value.to_owned()));
                }
                _ => rest.push(word),
            }
        }
        if !rest.is_empty() {
            pairs.push((module.text?.to_owned(), rest.join(" ")));
        }
        Some(pairs)
    }

    fn check_arguments(&self, name: &str, arguments: &Node) -> Vec<ArgumentProblem> {
        let Some(module) = Self::entry(name) else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let mut tell = |argument: &str, message: String, hint: Option<String>, is_value: bool| {
            problems.push(ArgumentProblem {
                argument: Some(argument.to_owned()),
                message,
                hint,
                is_value,
            });
        };
        for entry in arguments.entries() {
            let key = entry.key.as_str().unwrap_or_default();
            if !module.is_open && !module.arguments.contains(&key) {
                let near = sasrun_load::closest(key, module.arguments.iter().copied());
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                let message = format!("the module `{}` has no argument `{key}`", module.name);
                tell(key, message, hint, false);
            }
            if let Some((argument, values)) = module.choices
                && argument == key
                && entry.value.is_static()
                && !entry
                    .value
                    .as_str()
                    .is_some_and(|value| values.contains(&value))
            {
                tell(
                    key,
                    format!("`{key}` is one of {}", values.join(", ")),
                    None,
                    true,
                );
            }
        }
        for required in module.required {
            if arguments.get(required).is_none() {
                let message = format!("the module `{}` needs `{required}`", module.name);
                tell(required, message, None, false);
            }
        }
        problems
    }

    fn expression_arguments(&self, name: &str) -> Vec<String> {
        match name {
            "ansible.builtin.assert" => vec!["that".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// Knows that marks and brackets are closed, and no more.
pub struct Syntax;

impl TemplateSyntax for Syntax {
    fn lookups(&self) -> Vec<Name> {
        vec!["items".into(), "dict".into()]
    }

    fn check_template(&self, text: &str) -> Result<(), SyntaxProblem> {
        for (open, close) in [("{{", "}}"), ("{%", "%}")] {
            let mut rest = 0;
            while let Some(at) = text[rest..].find(open).map(|at| at + rest) {
                match text[at..].find(close) {
                    Some(end) => rest = at + end,
                    None => return Err(problem_at(text, at, &format!("`{open}` is not closed"))),
                }
            }
        }
        Ok(())
    }

    fn needed_by_template(&self, text: &str) -> Vec<Need> {
        let inner = text.strip_prefix("{{ ").and_then(|t| t.strip_suffix(" }}"));
        inner
            .and_then(|path| need(text, path, 3))
            .into_iter()
            .collect()
    }

    fn needed_by_expression(&self, text: &str) -> Vec<Need> {
        let path = text.split(' ').next().unwrap();
        need(text, path, 0).into_iter().collect()
    }

    fn check_expression(&self, text: &str) -> Result<(), SyntaxProblem> {
        let trimmed = text.trim_end();
        if trimmed.ends_with("==") || trimmed.ends_with("and") {
            return Err(problem_at(text, trimmed.len(), "a value is missing"));
        }
        if let Some(at) = text.find(" = ") {
            return Err(problem_at(text, at + 1, "`=` compares nothing, `==` does"));
        }
        let opened = text.matches('(').count();
        if opened != text.matches(')').count() {
            let at = text.find(['(', ')']).unwrap_or(0);
            return Err(problem_at(text, at, "a bracket is not closed"));
        }
        Ok(())
    }
}

/// What a plain path such as `a.b` looks at, when it is all there is.
fn need(text: &str, path: &str, at: usize) -> Option<Need> {
    let mut parts = path.split('.').map(Name::from);
    let is_plain = path
        .chars()
        .all(|c| c.is_alphanumeric() || "_.".contains(c));
    let place = problem_at(text, at, "");
    is_plain.then(|| Need {
        name: parts.next().unwrap(),
        keys: parts.collect(),
        line: place.line,
        column: place.column,
    })
}

fn problem_at(text: &str, at: usize, message: &str) -> SyntaxProblem {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    SyntaxProblem {
        message: message.to_owned(),
        line: u32::try_from(line).unwrap(),
        column: u32::try_from(column).unwrap(),
    }
}

/// An inventory plugin: `machines` with an address each.
pub struct Machines;

impl InventorySources for Machines {
    fn names(&self) -> Vec<Name> {
        vec!["machines".into()]
    }

    fn read(&self, name: &str, _path: &Path, document: &Node) -> Option<SourceInventory> {
        if name != "machines" {
            return None;
        }
        let mut read = SourceInventory::default();
        let mut group = SourceGroup {
            name: "machines".to_owned(),
            ..SourceGroup::default()
        };
        for entry in document
            .get("machines")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let name = entry.key.as_str().unwrap_or_default().to_owned();
            let Some(address) = entry.value.as_str() else {
                read.problems.push(SourceProblem {
                    line: entry.value.span.line,
                    column: entry.value.span.column,
                    message: format!("the machine `{name}` has no address"),
                    hint: None,
                });
                continue;
            };
            let variables = serde_json::json!({"ansible_host": address});
            group.hosts.push(name.clone());
            read.hosts.push(SourceHost {
                name,
                variables: variables.as_object().cloned().unwrap_or_default(),
            });
        }
        read.groups.push(group);
        read.is_complete = true;
        Some(read)
    }
}

/// Evaluates what is a name, `NAME is defined`, and templates that are one name.
pub struct Names;

impl Names {
    fn value(name: &str, variables: &Variables) -> Option<Value> {
        variables.get(name.trim())?.to_static_value()
    }
}

impl Evaluate for Names {
    fn expression(&self, text: &str, variables: &Variables) -> Result<Value, EvaluationError> {
        Self::value(text, variables).ok_or_else(|| EvaluationError {
            cause: format!("'{text}' is undefined"),
        })
    }

    fn condition(&self, node: &Node, variables: &Variables) -> Result<bool, EvaluationError> {
        let text = node.as_str().unwrap_or_default();
        let name = text.strip_suffix(" is defined").unwrap_or(text);
        Ok(Self::value(name, variables).is_some())
    }

    fn template(&self, node: &Node, variables: &Variables) -> Result<Value, EvaluationError> {
        let text = node.as_str().unwrap_or_default();
        match text
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
        {
            Some(name) => self.expression(name, variables),
            None => Ok(node.to_static_value().unwrap_or_default()),
        }
    }
}

pub fn loader() -> Loader {
    Loader::new(Arc::new(Catalogue))
        .with_evaluation(Arc::new(Names))
        .with_template_syntax(Arc::new(Syntax))
        .with_inventory_sources(Arc::new(Machines))
}

pub fn cases(kind: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("cases")
        .join(kind);
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

/// Compares with the file `expected` of a case. What `UPDATE_CASES=1` writes is to be reviewed.
pub fn hold_to(case: &Path, told: &str) {
    let path = case.join("expected");
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&path, told).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(told, expected, "{}", case.display());
}

pub fn describe_all(base: &Path, found: &[Diagnostic]) -> String {
    let mut text = String::new();
    for one in found {
        let severity = match one.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = |place: &sasrun_model::Place| {
            let path = Path::new(&place.path);
            let path = path
                .strip_prefix(base)
                .unwrap_or(path)
                .display()
                .to_string();
            format!("{path}:{}:{}", place.line, place.column)
        };
        let at = one.place.as_ref().map(place).unwrap_or_default();
        writeln!(text, "{at} {severity} {}: {}", one.code, one.message).unwrap();
        for (related, why) in &one.related {
            writeln!(text, "    {}: {why}", place(related)).unwrap();
        }
        if let Some(hint) = &one.hint {
            let hint = hint.replace(&format!("{}/", base.display()), "");
            let hint = hint.replace(&base.display().to_string(), ".");
            writeln!(text, "    = {hint}").unwrap();
        }
    }
    text.replace(&format!("{}/", base.display()), "")
}

pub fn picture(playbook: &Playbook) -> String {
    let mut text = String::new();
    for play in &playbook.plays {
        let vars = variables(&play.variables);
        writeln!(
            text,
            "play {} hosts={} {vars}",
            play.path,
            value(&play.hosts)
        )
        .unwrap();
        let sections = [
            ("pre_tasks", &play.pre_tasks),
            ("roles", &play.roles),
            ("tasks", &play.tasks),
            ("post_tasks", &play.post_tasks),
            ("handlers", &play.handlers),
        ];
        for (name, section) in sections {
            if !section.is_empty() {
                writeln!(text, "  {name}").unwrap();
                steps(&mut text, section, 2);
            }
        }
    }
    text
}

pub fn steps(text: &mut String, steps: &[Step], depth: usize) {
    for step in steps {
        match step {
            Step::Task(one) => task(text, one, depth),
            Step::Block(one) => block(text, one, depth),
            Step::Parallel(one) => {
                writeln!(text, "{}parallel {}", "  ".repeat(depth), one.path).unwrap();
                for branch in &one.branches {
                    block(text, &branch.block, depth + 1);
                }
            }
        }
    }
}

fn block(text: &mut String, one: &Block, depth: usize) {
    let pad = "  ".repeat(depth);
    write!(text, "{pad}block {}", one.path).unwrap();
    if let Some(role) = &one.role {
        write!(
            text,
            " role={} defaults={}",
            role.name,
            variables(&role.context.defaults)
        )
        .unwrap();
        write!(text, " vars={}", variables(&role.context.variables)).unwrap();
        write!(text, " parameters={}", variables(&role.parameters)).unwrap();
        if !role.parents.is_empty() {
            write!(text, " parents={:?}", role.parents).unwrap();
        }
    }
    write!(
        text,
        "{}{}",
        list(" when", &one.when),
        list(" tags", &one.tags)
    )
    .unwrap();
    writeln!(text, "{}", optional(" vars", &variables(&one.variables))).unwrap();
    steps(text, &one.block, depth + 1);
    for (name, section) in [("rescue", &one.rescue), ("always", &one.always)] {
        if !section.is_empty() {
            writeln!(text, "{pad}{name}").unwrap();
            steps(text, section, depth + 1);
        }
    }
}

fn task(text: &mut String, one: &Task, depth: usize) {
    let action = match &one.action {
        Action::Module(name) | Action::Meta(name) => name.to_string(),
        Action::Chosen(name) => format!("chosen {}", value(name)),
        Action::Include(what) => format!("include {what:?}"),
    };
    let mut line = format!("{action} {}", value(&one.arguments));
    line += &list(" when", &one.when);
    line += &list(" tags", &one.tags);
    line += &list(" notify", &one.notify);
    line += &list(" listen", &one.listen);
    line += &optional(" vars", &variables(&one.variables));
    if let Some(each) = &one.each {
        let lookup = each.lookup.as_deref().unwrap_or("loop");
        line += &format!(" {lookup}={}", value(&each.items));
    }
    if let Some(host) = one.keywords.get(sasrun_model::Keyword::DelegateTo) {
        line += &format!(" delegate_to={}", value(host));
    }
    writeln!(text, "{}{} {line}", "  ".repeat(depth), one.path).unwrap();
}

fn list(name: &str, nodes: &[Node]) -> String {
    let values: Vec<String> = nodes.iter().map(value).collect();
    optional(name, &values.join("; "))
}

fn optional(name: &str, text: &str) -> String {
    match text {
        "" | "{}" => String::new(),
        text => format!("{name}=({text})"),
    }
}

pub fn variables(variables: &Variables) -> String {
    let pairs: Vec<String> = variables
        .iter()
        .map(|(name, node)| format!("{name}: {}", value(node)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

pub fn value(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "~".to_owned(),
        NodeKind::Bool(value) => value.to_string(),
        NodeKind::Int(value) => value.to_string(),
        NodeKind::Float(value) => format!("{value:?}"),
        NodeKind::Text(text) if text.is_template => format!("<{}>", text.text),
        NodeKind::Text(text) => text.text.to_string(),
        NodeKind::List(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            format!("[{}]", items.join(", "))
        }
        NodeKind::Map(entries) => {
            let pairs = entries
                .iter()
                .map(|entry| format!("{}: {}", value(&entry.key), value(&entry.value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        NodeKind::Data(data) => format!("={}", serde_json::to_string(data).unwrap()),
    }
}
