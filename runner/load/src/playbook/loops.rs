//! Loops of tasks.

use sasrun_model::{Entry, Loop, LoopControl, Node, NodeKind};

use super::Reader;
use super::keywords::key_text;
use crate::problem::Problem;
use crate::{closest, codes};

const CONTROL: &[&str] = &[
    "label",
    "loop_var",
    "index_var",
    "pause",
    "extended",
    "extended_allitems",
    "break_when",
];

/// Lookups that `with_…` may name, for suggestions only: plugins may bring more.
const LOOKUPS: &[&str] = &[
    "with_items",
    "with_dict",
    "with_together",
    "with_nested",
    "with_cartesian",
    "with_first_found",
    "with_subelements",
    "with_fileglob",
    "with_sequence",
    "with_flattened",
    "with_file",
    "with_lines",
    "with_list",
    "with_indexed_items",
    "with_inventory_hostnames",
    "with_random_choice",
];

/// The lookup of a `with_…` key, with its namespace if it has one.
pub(super) fn lookup_of(key: &str) -> Option<&str> {
    key.strip_prefix("with_").filter(|name| !name.is_empty())
}

/// The `with_…` key that a misspelt one was meant to be.
pub(super) fn near_lookup(key: &str) -> Option<&'static str> {
    closest(key, LOOKUPS.iter().copied())
}

impl Reader<'_, '_> {
    /// The loop of a task from its entries.
    pub(super) fn each(&mut self, entries: &[Entry]) -> Option<Loop> {
        let mut found: Option<(Loop, &Node)> = None;
        for entry in entries {
            let key = entry.key.as_str().unwrap_or_default();
            let lookup = lookup_of(key);
            if key != "loop" && lookup.is_none() {
                continue;
            }
            if let Some((_, first)) = &found {
                let problem = Problem::error(codes::LOOP, entry.key.span, "a second loop")
                    .related(first.span, "the first one");
                self.session.add(problem);
                continue;
            }
            match lookup {
                None => self.check_loop(&entry.value),
                Some(lookup) => self.check_lookup(lookup, &entry.key),
            }
            let each = Loop {
                items: entry.value.clone(),
                lookup: lookup
                    .map(|name| name.strip_prefix("ansible.builtin.").unwrap_or(name).into()),
                control: LoopControl::default(),
            };
            found = Some((each, &entry.key));
        }
        let control = entries
            .iter()
            .find(|entry| entry.key.as_str() == Some("loop_control"));
        let control = control.map(|entry| self.loop_control(&entry.value));
        let (mut each, _) = found?;
        each.control = control.unwrap_or_default();
        Some(each)
    }

    fn check_lookup(&mut self, lookup: &str, key: &Node) {
        let syntax = self.session.loader.syntax.as_ref();
        let known = syntax.map(|syntax| syntax.lookups()).unwrap_or_default();
        let short = super::action::short(lookup);
        let is_known = known
            .iter()
            .any(|name| **name == *lookup || **name == *short);
        if known.is_empty() || is_known {
            return;
        }
        let message = format!("there is no lookup `{lookup}` to loop with");
        let near = closest(lookup, known.iter().map(|name| &**name));
        let near = near.map(|near| format!("with_{near}"));
        let problem = Problem::error(codes::LOOP, key.span, message).meant(near.as_deref());
        self.session.add(problem);
    }

    fn check_loop(&mut self, items: &Node) {
        let is_right = match &items.kind {
            NodeKind::List(_) | NodeKind::Data(_) | NodeKind::Null => true,
            NodeKind::Text(text) => text.is_template,
            _ => false,
        };
        if !is_right {
            let given = items.as_str().unwrap_or_else(|| items.kind_name());
            let message = format!("`loop` takes a list, not {given}");
            let problem = Problem::error(codes::LOOP, items.span, message);
            self.session.add(match items.as_str() {
                Some(name) => problem.hint(format!("a variable is written \"{{{{ {name} }}}}\"")),
                None => problem.hint("turn a mapping into a list with `| dict2items`"),
            });
        }
    }

    fn loop_control(&mut self, node: &Node) -> LoopControl {
        let mut control = LoopControl::default();
        if !matches!(node.kind, NodeKind::Map(_) | NodeKind::Null) {
            self.session.wrong_kind(node, "`loop_control`", "a mapping");
        }
        for entry in node.entries() {
            let name = key_text(&entry.key);
            let value = entry.value.clone();
            self.check_value_among(&name, &value, CONTROL);
            match name.as_str() {
                "label" => control.label = Some(value),
                "loop_var" => control.loop_var = Some(value),
                "index_var" => control.index_var = Some(value),
                "pause" => control.pause = Some(value),
                "extended" => control.extended = Some(value),
                "extended_allitems" => control.extended_allitems = Some(value),
                "break_when" => control.break_when = self.conditions("break_when", &value),
                _ => {
                    let message = format!("`loop_control` has no key `{name}`");
                    let near = closest(&name, CONTROL.iter().copied());
                    let problem = Problem::error(codes::TASK_KEY, entry.key.span, message);
                    self.session.add(problem.meant(near));
                }
            }
        }
        control
    }
}
