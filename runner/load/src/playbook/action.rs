//! What a task does: its module, include or meta word, and the arguments of it.

use sasrun_model::{Entry, Name, Node, NodeKind, Span};

use super::keywords::key_text;
use super::{Around, Reader, elsewhere};
use crate::problem::Problem;
use crate::{closest, codes};

/// What the engine does itself, and modules.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verb {
    ImportTasks,
    IncludeTasks,
    ImportRole,
    IncludeRole,
    Meta,
    Module(Name),
    /// The module that a template names when the task is reached.
    Chosen(Node),
    /// A module that exists elsewhere, in a task that may never be reached.
    Absent(Name),
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
        if let (true, [entry]) = (actions.is_empty() && !is_refused, unknown.as_slice())
            && let Some(call) = self.absent(entry, args, around)
        {
            return Some(call);
        }
        self.unknown_entries(&unknown, !actions.is_empty(), around);
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
        let moved = || {
            let collection = elsewhere::moved_to(own).filter(|_| own != name)?;
            catalogue.find(&format!("{collection}.{own}"))
        };
        let entry = catalogue
            .find(name)
            .or_else(|| (own != name).then(|| catalogue.find(own)).flatten())
            .or_else(in_collections)
            .or_else(moved)?;
        Some(Verb::Module(entry.name))
    }

    /// A module that is not here but elsewhere, under a condition or in a handler: it is warned of,
    /// and fails where it is reached. Nothing else may be taken for one.
    fn absent(&mut self, entry: &Entry, args: Option<Node>, around: &Around) -> Option<Call> {
        let name = key_text(&entry.key);
        let is_guarded = around.is_conditional || around.is_handler;
        let place = elsewhere::find(&name, around, &self.playbook_directory)
            .filter(|_| is_guarded && self.near_module(&name).is_none())?;
        let message = format!("there is no module `{name}` here: the task fails if it is reached");
        self.session
            .add(Problem::warning(codes::MODULE, entry.key.span, message).hint(place.hint()));
        Some(Call {
            verb: Verb::Absent(name.as_str().into()),
            name,
            name_span: entry.key.span,
            value: entry.value.clone(),
            args,
            delegate_to: None,
        })
    }

    /// `action: module args` and `action: {module: …}`.
    fn old_action(
        &mut self,
        key: &str,
        entry: &Entry,
        args: Option<Node>,
        around: &Around,
    ) -> Option<Call> {
        let (name, value, name_span) = self.old_form(key, &entry.value)?;
        let written = Node::text(name_span, name.as_str());
        let verb = match written.is_static() {
            true => self.verb(&name, around),
            false => Some(Verb::Chosen(written)),
        };
        let Some(verb) = verb else {
            let problem = self.unknown_module(&name, name_span, around);
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

    /// Name, arguments and the place of the name.
    fn old_form(&mut self, key: &str, written: &Node) -> Option<(String, Node, Span)> {
        match &written.kind {
            NodeKind::Text(text) => {
                let trimmed = text.text.trim_start();
                // A template at the beginning names the module, with the blanks inside it.
                let template = trimmed
                    .starts_with("{{")
                    .then(|| trimmed.find("}}"))
                    .flatten();
                let end = trimmed[template.unwrap_or(0)..].find(char::is_whitespace);
                let end = end.map_or(trimmed.len(), |end| end + template.unwrap_or(0));
                let (name, rest) = trimmed.split_at(end);
                let rest = Node::text(written.span, rest.trim());
                Some((name.to_owned(), rest, written.span))
            }
            NodeKind::Map(entries) => {
                let Some(module) = written.get("module").and_then(Node::as_str) else {
                    let message = format!("`{key}` names no `module`");
                    let problem = Problem::error(codes::NO_ACTION, written.span, message);
                    self.session.add(problem);
                    return None;
                };
                let rest = entries
                    .iter()
                    .filter(|entry| entry.key.as_str() != Some("module"))
                    .cloned()
                    .collect();
                let value = Node {
                    span: written.span,
                    kind: NodeKind::Map(rest),
                };
                let span = written.get("module").map_or(value.span, |node| node.span);
                Some((module.to_owned(), value, span))
            }
            _ => {
                let of = format!("`{key}`");
                self.session
                    .wrong_kind(written, &of, "a module with its arguments");
                None
            }
        }
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
}
