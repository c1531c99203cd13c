//! Which keywords stand where, and what values they take.

use sasrun_model::{Keyword, Keywords, Name, Node, NodeKind, Variables};

use super::Reader;
use crate::problem::Problem;
use crate::variables::Names;
use crate::{closest, codes};

/// Keywords of plays besides those in [`Keyword`].
pub(super) const PLAY: &[&str] = &[
    "name",
    "hosts",
    "tags",
    "vars",
    "vars_files",
    "vars_prompt",
    "gather_facts",
    "gather_subset",
    "gather_timeout",
    "fact_path",
    "strategy",
    "serial",
    "batch_by",
    "order",
    "max_fail_percentage",
    "force_handlers",
    "preflight",
    "pre_tasks",
    "roles",
    "tasks",
    "post_tasks",
    "handlers",
    "user",
    "import_playbook",
    "validate_argspec",
];

/// Keywords of blocks besides those in [`Keyword`].
pub(super) const BLOCK: &[&str] = &[
    "name", "when", "tags", "vars", "notify", "block", "rescue", "always", "parallel",
];

/// Keywords of tasks besides those in [`Keyword`].
pub(super) const TASK: &[&str] = &[
    "name",
    "when",
    "tags",
    "vars",
    "notify",
    "listen",
    "register",
    "loop",
    "loop_control",
    "until",
    "retries",
    "delay",
    "changed_when",
    "failed_when",
    "async",
    "poll",
    "args",
    "action",
    "local_action",
];

/// Keywords that an include takes for itself; all else would be lost at run time.
pub(super) const INCLUDE: &[&str] = &[
    "name",
    "when",
    "tags",
    "vars",
    "loop",
    "loop_control",
    "register",
    "args",
    "action",
    "collections",
    "debugger",
    "ignore_errors",
    "no_log",
    "run_once",
    "timeout",
    "notify",
    "listen",
    "delegate_to",
    "delegate_facts",
    "any_errors_fatal",
    "throttle",
];

/// What the value of a keyword must be when it is not a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    YesNo,
    Number,
    Text,
    TextOrList,
    Mappings,
    Reaction,
}

fn takes(name: &str) -> Option<Takes> {
    Some(match name {
        "any_errors_fatal" | "become" | "check_mode" | "delegate_facts" | "diff"
        | "ignore_errors" | "ignore_unreachable" | "no_log" | "run_once" | "force_handlers"
        | "gather_facts" | "preflight" | "repeatable" | "job" | "extended"
        | "extended_allitems" => Takes::YesNo,
        "port" | "throttle" | "timeout" | "retries" | "delay" | "async" | "poll" | "pause"
        | "gather_timeout" => Takes::Number,
        "become_exe" | "become_flags" | "become_method" | "become_user" | "connection"
        | "remote_user" | "delegate_to" | "debugger" | "order" | "batch_by" | "index_var"
        | "loop_var" | "name" | "done_when" => Takes::Text,
        "on_failure" => Takes::Reaction,
        "collections" | "tags" | "notify" | "listen" | "gather_subset" => Takes::TextOrList,
        "environment" | "module_defaults" => Takes::Mappings,
        _ => return None,
    })
}

impl Takes {
    fn sentence(self) -> &'static str {
        match self {
            Takes::YesNo => "yes or no",
            Takes::Number => "a number",
            Takes::Text => "text",
            Takes::TextOrList => "text or a list of texts",
            Takes::Mappings => "a mapping",
            Takes::Reaction => "stop, ask or continue",
        }
    }

    fn allows(self, node: &Node) -> bool {
        match &node.kind {
            NodeKind::Null => return true,
            NodeKind::Text(text) if text.is_template => return true,
            _ => {}
        }
        let is_scalar = !matches!(node.kind, NodeKind::List(_) | NodeKind::Map(_));
        match self {
            Takes::YesNo => is_yes_or_no(node),
            Takes::Number => match &node.kind {
                NodeKind::Int(_) | NodeKind::Float(_) => true,
                NodeKind::Text(text) => text.text.trim().parse::<f64>().is_ok(),
                _ => false,
            },
            Takes::Text => is_scalar,
            Takes::Reaction => node
                .as_str()
                .is_some_and(|text| matches!(text, "stop" | "ask" | "continue")),
            Takes::TextOrList => match &node.kind {
                NodeKind::List(items) => items
                    .iter()
                    .all(|item| !matches!(item.kind, NodeKind::Map(_))),
                _ => is_scalar,
            },
            Takes::Mappings => match &node.kind {
                NodeKind::Map(_) => true,
                NodeKind::List(items) => items.iter().all(|item| {
                    matches!(&item.kind, NodeKind::Map(_))
                        || matches!(&item.kind, NodeKind::Text(text) if text.is_template)
                }),
                _ => false,
            },
        }
    }
}

fn is_yes_or_no(node: &Node) -> bool {
    node.to_static_value()
        .is_some_and(|value| value.to_boolean().is_some())
}

/// Whether a value is the word yes; a template may be.
pub(crate) fn may_be_true(node: &Node) -> bool {
    match node.to_static_value() {
        Some(value) => value.to_boolean().unwrap_or(true) && value != sasrun_model::Value::Null,
        None => true,
    }
}

/// The values of a keyword that takes one or a list of them.
pub(super) fn one_or_many(node: &Node) -> Vec<Node> {
    match &node.kind {
        NodeKind::Null => Vec::new(),
        NodeKind::List(items) => items.clone(),
        _ => vec![node.clone()],
    }
}

/// Tags: text may hold several, separated by commas.
pub(super) fn tags(node: &Node) -> Vec<Node> {
    let mut tags = Vec::new();
    for tag in one_or_many(node) {
        match tag.as_str() {
            Some(text) if text.contains(',') && tag.is_static() => {
                let parts = text.split(',').map(|part| part.trim().to_owned());
                tags.extend(parts.map(|part| Node::text(tag.span, part)));
            }
            _ => tags.push(tag),
        }
    }
    tags
}

impl Reader<'_, '_> {
    /// Takes in a keyword of [`Keyword`]. False when the name is not one.
    pub(super) fn inherited_keyword(
        &mut self,
        name: &str,
        value: &Node,
        keywords: &mut Keywords,
    ) -> bool {
        let Some(keyword) = Keyword::from_name(name) else {
            return false;
        };
        self.check_keyword_value(name, value);
        keywords.set(keyword, value.clone());
        true
    }

    /// Checks the value of a key that is one of some keywords; what is none may be a module.
    pub(super) fn check_value_among(&mut self, name: &str, value: &Node, keywords: &[&str]) {
        if keywords.contains(&name) {
            self.check_keyword_value(name, value);
        }
    }

    /// Checks a keyword's value as far as it is no template.
    pub(super) fn check_keyword_value(&mut self, name: &str, value: &Node) {
        let Some(takes) = takes(name) else { return };
        if !takes.allows(value) {
            let given = match value.as_str() {
                Some(text) => format!("`{text}`"),
                None => value.kind_name().to_owned(),
            };
            let message = format!("`{name}` takes {}, not {given}", takes.sentence());
            self.session
                .add(Problem::error(codes::KEYWORD_VALUE, value.span, message));
        }
    }

    /// Tells of an unknown keyword, with the nearest of those that may stand there.
    pub(super) fn unknown_keyword(
        &mut self,
        code: sasrun_model::Code,
        of: &str,
        key: &Node,
        allowed: &[&[&'static str]],
    ) {
        let name = key_text(key);
        let inherited = Keyword::ALL.iter().map(|(_, name)| *name);
        let known = allowed.iter().flat_map(|names| names.iter().copied());
        let near = closest(&name, known.chain(inherited));
        // In Ansible's words, which people search for.
        let message = format!("'{name}' is not a valid attribute for {of}");
        self.session
            .add(Problem::error(code, key.span, message).meant(near));
    }

    /// Variables of a `vars` keyword.
    pub(super) fn vars(&mut self, node: &Node) -> Variables {
        let mut variables = Variables::new();
        match &node.kind {
            // A list of mappings is an old form of the same.
            NodeKind::List(items) => {
                for item in items {
                    self.session
                        .variables_of(item, "`vars`", Names::Variables, &mut variables);
                }
            }
            _ => self
                .session
                .variables_of(node, "`vars`", Names::Variables, &mut variables),
        }
        variables
    }

    /// Names of a `collections` keyword, put before those of around.
    pub(super) fn collections(&self, node: Option<&Node>, around: &[Name]) -> Vec<Name> {
        let own = node.map(one_or_many).unwrap_or_default();
        let own = own.iter().filter_map(Node::as_str).map(Name::from);
        own.chain(around.iter().cloned()).collect()
    }
}

/// A key as text, for messages.
pub(super) fn key_text(key: &Node) -> String {
    match key.to_static_value() {
        Some(value) => sasrun_model::Key::from_value(&value)
            .map(|key| key.to_string())
            .unwrap_or_default(),
        None => key.as_str().unwrap_or_default().to_owned(),
    }
}
