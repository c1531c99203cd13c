//! What a task does: its module, include or meta word, and the arguments of it.

use std::sync::Arc;

use sasrun_model::{ArgumentProblem, Entry, Name, Node, NodeKind, Span, Task};

use super::keywords::key_text;
use super::{Around, Reader};
use crate::problem::Problem;
use crate::{closest, codes};

/// What the engine does itself, and modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verb {
    ImportTasks,
    IncludeTasks,
    ImportRole,
    IncludeRole,
    Meta,
    Module(Name),
}

/// Names of what the engine does itself.
pub(super) const VERBS: [(&str, Verb); 5] = [
    ("import_tasks", Verb::ImportTasks),
    ("include_tasks", Verb::IncludeTasks),
    ("import_role", Verb::ImportRole),
    ("include_role", Verb::IncludeRole),
    ("meta", Verb::Meta),
];

const META: [&str; 10] = [
    "noop",
    "flush_handlers",
    "refresh_inventory",
    "clear_facts",
    "clear_host_errors",
    "end_play",
    "end_host",
    "end_batch",
    "end_role",
    "reset_connection",
];

/// What a task calls.
pub(super) struct Call {
    pub(super) verb: Verb,
    /// Name as written.
    pub(super) name: String,
    pub(super) name_span: Span,
    /// What stands after the name.
    pub(super) value: Node,
    /// `args` of the task.
    pub(super) args: Option<Node>,
    /// Host of a `local_action`.
    pub(super) delegate_to: Option<Node>,
}

/// A module's name without the namespace of the built-in ones.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name)
}

impl Reader<'_, '_> {
    /// Finds what a task calls among its entries that are no keywords.
    pub(super) fn call(
        &mut self,
        node: &Node,
        entries: &[Entry],
        others: &[&Entry],
        around: &Around,
    ) -> Option<Call> {
        let args = node.get("args").cloned();
        let mut actions: Vec<Call> = Vec::new();
        let mut unknown: Vec<&Entry> = Vec::new();
        for entry in others {
            let name = key_text(&entry.key);
            match self.verb(&name, around) {
                Some(verb) => actions.push(Call {
                    verb,
                    name,
                    name_span: entry.key.span,
                    value: entry.value.clone(),
                    args: args.clone(),
                    delegate_to: None,
                }),
                None => unknown.push(entry),
            }
        }
        let mut is_refused = false;
        for entry in entries {
            let key = entry.key.as_str().unwrap_or_default();
            if matches!(key, "action" | "local_action") {
                match self.old_action(key, entry, args.clone(), around) {
                    Some(call) => actions.push(call),
                    None => is_refused = true,
                }
            }
        }
        self.unknown_entries(&unknown, !actions.is_empty());
        if let [first, second, ..] = actions.as_slice() {
            let message = format!(
                "a task has one module, and this one has `{}` as well",
                second.name
            );
            self.session.add(
                Problem::error(codes::TWO_ACTIONS, second.name_span, message)
                    .related(first.name_span, "the first one")
                    .hint("a task of its own begins with `- `"),
            );
        }
        if actions.is_empty() && unknown.is_empty() && !is_refused {
            let message = "this task does nothing: it has no module";
            self.session
                .add(Problem::error(codes::NO_ACTION, node.span, message));
        }
        actions.into_iter().next()
    }

    /// The verb of a name. None when there is none.
    fn verb(&self, name: &str, around: &Around) -> Option<Verb> {
        let own = short(name);
        if let Some((_, verb)) = VERBS.iter().find(|(verb, _)| *verb == own) {
            return Some(verb.clone());
        }
        let catalogue = &self.session.loader.catalogue;
        let in_collections = || {
            let mut names = around.collections.iter();
            names.find_map(|collection| catalogue.find(&format!("{collection}.{name}")))
        };
        let entry = catalogue
            .find(name)
            .or_else(|| (own != name).then(|| catalogue.find(own)).flatten())
            .or_else(in_collections)?;
        Some(Verb::Module(entry.name))
    }

    /// `action: module args` and `action: {module: …}`.
    fn old_action(
        &mut self,
        key: &str,
        entry: &Entry,
        args: Option<Node>,
        around: &Around,
    ) -> Option<Call> {
        let (name, value, name_span) = match &entry.value.kind {
            NodeKind::Text(text) => {
                let trimmed = text.text.trim_start();
                let (name, rest) = trimmed
                    .split_once(char::is_whitespace)
                    .unwrap_or((trimmed, ""));
                let rest = Node::text(entry.value.span, rest.trim());
                (name.to_owned(), rest, entry.value.span)
            }
            NodeKind::Map(entries) => {
                let Some(module) = entry.value.get("module").and_then(Node::as_str) else {
                    let message = format!("`{key}` names no `module`");
                    let problem = Problem::error(codes::NO_ACTION, entry.value.span, message);
                    self.session.add(problem);
                    return None;
                };
                let rest = entries
                    .iter()
                    .filter(|entry| entry.key.as_str() != Some("module"))
                    .cloned()
                    .collect();
                let value = Node {
                    span: entry.value.span,
                    kind: NodeKind::Map(rest),
                };
                let span = entry
                    .value
                    .get("module")
                    .map_or(value.span, |node| node.span);
                (module.to_owned(), value, span)
            }
            _ => {
                let of = format!("`{key}`");
                self.session
                    .wrong_kind(&entry.value, &of, "a module with its arguments");
                return None;
            }
        };
        let Some(verb) = self.verb(&name, around) else {
            let problem = self.unknown_module(&name, name_span);
            self.session.add(problem);
            return None;
        };
        let is_local = key == "local_action";
        Some(Call {
            verb,
            name,
            name_span,
            value,
            args,
            delegate_to: is_local.then(|| Node::text(entry.key.span, "localhost")),
        })
    }

    /// The word of a `meta`.
    pub(super) fn meta(&mut self, call: &Call) -> Option<Name> {
        let word = call.value.as_str().unwrap_or_default().trim();
        if META.contains(&word) {
            return Some(word.into());
        }
        let message = match word {
            "" => "`meta` takes a word".to_owned(),
            word => format!("`meta` has no action `{word}`"),
        };
        let near = closest(word, META);
        let problem = Problem::error(codes::META, call.value.span, message).meant(near);
        self.session.add(match problem.hint {
            None => problem.hint(format!("known are {}", META.join(", "))),
            Some(_) => problem,
        });
        None
    }

    /// Arguments of a module as one mapping, checked.
    pub(super) fn module_arguments(
        &mut self,
        module: &Name,
        call: &Call,
        task: &Task,
        around: &Around,
    ) -> Node {
        let mut entries: Vec<Entry> = Vec::new();
        let mut is_variable = false;
        let nodes = call.args.iter().chain(std::iter::once(&call.value));
        for node in nodes {
            match &node.kind {
                NodeKind::Null => {}
                NodeKind::Map(written) => put_all(&mut entries, written.iter().cloned()),
                NodeKind::Text(text) if text.text.trim().is_empty() => {}
                NodeKind::Text(text) if text.is_template && self.is_whole(module, node) => {
                    is_variable = true;
                    put_all(
                        &mut entries,
                        [pair(node.span, "_variable_params", node.clone())],
                    );
                }
                NodeKind::Text(text) => {
                    let split = self.free_form(module, &text.text, node.span);
                    put_all(&mut entries, split);
                }
                NodeKind::Int(_) | NodeKind::Float(_) | NodeKind::Bool(_) => {
                    let text = node
                        .to_static_value()
                        .and_then(|value| Some(sasrun_model::Key::from_value(&value)?.to_string()));
                    let split = self.free_form(module, &text.unwrap_or_default(), node.span);
                    put_all(&mut entries, split);
                }
                _ => {
                    let of = format!("the module `{}`", call.name);
                    self.session.wrong_kind(node, &of, "a mapping of arguments");
                    is_variable = true;
                }
            }
        }
        let span = if call.value.span.is_known() {
            call.value.span
        } else {
            task.span
        };
        let arguments = Node {
            span,
            kind: NodeKind::Map(entries),
        };
        if !is_variable {
            self.check_arguments(module, call, &arguments, around);
        }
        self.check_expression_arguments(module, &arguments);
        arguments
    }

    /// Whether a text is a template that stands for all arguments.
    fn is_whole(&self, module: &Name, node: &Node) -> bool {
        let text = node.as_str().unwrap_or_default().trim();
        let takes_text = self
            .session
            .loader
            .catalogue
            .find(module)
            .is_some_and(|entry| entry.takes_free_form);
        !takes_text
            && text.starts_with("{{")
            && text.ends_with("}}")
            && text.matches("{{").count() == 1
    }

    fn free_form(&mut self, module: &Name, text: &str, span: Span) -> Vec<Entry> {
        let split = self.session.loader.catalogue.split_free_form(module, text);
        match split {
            Some(pairs) => pairs
                .into_iter()
                .map(|(key, value)| pair(span, &key, Node::text(span, value)))
                .collect(),
            None => {
                let message = format!("this text cannot be split into arguments of `{module}`");
                self.session.add(
                    Problem::error(codes::FREE_FORM, span, message)
                        .hint("write each argument as `name: value` on a line of its own"),
                );
                Vec::new()
            }
        }
    }

    fn check_arguments(&mut self, module: &Name, call: &Call, arguments: &Node, around: &Around) {
        let found = self
            .session
            .loader
            .catalogue
            .check_arguments(module, arguments);
        for problem in found {
            // What catches failures at run time catches this one there.
            if problem.is_value && around.catches {
                continue;
            }
            let span = argument_span(arguments, &problem).unwrap_or(call.name_span);
            let mut told = Problem::error(codes::ARGUMENT, span, problem.message);
            told.hint = problem.hint;
            self.session.add(told);
        }
    }

    /// Checks arguments that are expressions, such as `that` of `assert`.
    fn check_expression_arguments(&mut self, module: &Name, arguments: &Node) {
        let catalogue = Arc::clone(&self.session.loader.catalogue);
        for name in catalogue.expression_arguments(module) {
            let Some(value) = arguments.get(&name) else {
                continue;
            };
            for expression in super::keywords::one_or_many(value) {
                self.check_expression(&expression);
            }
        }
    }
}

fn pair(span: Span, key: &str, value: Node) -> Entry {
    let key = Node {
        span,
        kind: NodeKind::Text(sasrun_model::Text {
            text: key.into(),
            is_template: false,
        }),
    };
    Entry { key, value }
}

/// Adds entries; a later one takes the place of an earlier one with its key.
fn put_all(entries: &mut Vec<Entry>, more: impl IntoIterator<Item = Entry>) {
    for entry in more {
        let same = entries
            .iter_mut()
            .find(|known| known.key.kind == entry.key.kind);
        match same {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
    }
}

/// Where an argument stands: its name, or its value when that is what is wrong. Dots lead into
/// mappings.
fn argument_span(arguments: &Node, problem: &ArgumentProblem) -> Option<Span> {
    let path = problem.argument.as_deref()?;
    let mut node = arguments;
    let mut span = None;
    for part in path.split('.') {
        if let NodeKind::List(items) = &node.kind {
            let index = part.parse::<usize>().ok();
            node = match index {
                Some(index) => items.get(index)?,
                None => items.iter().find(|item| item.get(part).is_some())?,
            };
            if index.is_some() {
                span = Some(node.span);
                continue;
            }
        }
        let Some(entry) = node
            .entries()
            .iter()
            .find(|entry| entry.key.as_str() == Some(part))
        else {
            break;
        };
        span = Some(if problem.is_value {
            entry.value.span
        } else {
            entry.key.span
        });
        node = &entry.value;
    }
    span
}
