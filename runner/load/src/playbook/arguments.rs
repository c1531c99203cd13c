//! Arguments of modules: every way of writing them as one mapping, checked.

use std::sync::Arc;

use sasrun_model::{ArgumentProblem, Entry, Name, Node, NodeKind, Span, Task};

use super::action::Call;
use super::{Around, Reader};
use crate::codes;
use crate::problem::Problem;

impl Reader<'_, '_> {
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
                    let split = self.free_form(module, &text.text, node.span, around);
                    put_all(&mut entries, split);
                }
                NodeKind::Int(_) | NodeKind::Float(_) | NodeKind::Bool(_) => {
                    let text = node
                        .to_static_value()
                        .and_then(|value| Some(sasrun_model::Key::from_value(&value)?.to_string()));
                    let split =
                        self.free_form(module, &text.unwrap_or_default(), node.span, around);
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

    fn free_form(&mut self, module: &Name, text: &str, span: Span, around: &Around) -> Vec<Entry> {
        let split = self.session.loader.catalogue.split_free_form(module, text);
        match split {
            Some(pairs) => pairs
                .into_iter()
                .map(|(key, value)| pair(span, &key, Node::text(span, value)))
                .collect(),
            // The task fails over the argument that there is none of, and that is caught.
            None if around.catches => {
                vec![pair(span, "_raw_params", Node::text(span, text))]
            }
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
            // What catches failures at run time catches this one there; a misspelt name is none,
            // and it is misspelt if there is one much like it.
            let name = problem.argument.as_deref().unwrap_or_default();
            let is_near = problem.hint.is_some() || problem.message.contains("Did you mean");
            let is_misspelt = is_near && !problem.is_value && arguments.get(name).is_some();
            if around.catches && !is_misspelt {
                continue;
            }
            let is_missing = problem
                .argument
                .as_ref()
                .is_none_or(|name| arguments.get(name).is_none());
            if is_missing && around.has_defaults {
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
    Entry {
        key: Node::text(span, key),
        value,
    }
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
