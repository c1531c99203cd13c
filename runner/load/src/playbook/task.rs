//! Tasks and handlers.

use std::sync::Arc;

use sasrun_model::{
    Action, Entry, Keyword, Keywords, Name, Node, NodeKind, Span, Step, Task, Variables,
};

use super::action::{Call, Verb};
use super::keywords::{self, key_text, may_be_true, one_or_many};
use super::loops;
use super::{Around, Reader, elsewhere};
use crate::problem::Problem;
use crate::variables::is_variable_name;
use crate::{closest, codes};

/// A module that takes arguments of any name.
const ANY: &str = "ansible.builtin.set_fact";

impl Reader<'_, '_> {
    /// A task, or the block that an import stands for.
    pub(super) fn task(&mut self, node: &Node, entries: &[Entry], around: &Around) -> Option<Step> {
        let mut task = blank(node, around);
        let mut others: Vec<&Entry> = Vec::new();
        for entry in entries {
            if !self.task_keyword(entry, &mut task) {
                others.push(entry);
            }
        }
        task.each = self.each(entries);
        let collections = task.keywords.get(Keyword::Collections);
        let collections = self.collections(collections, &around.collections);
        let around = Around {
            collections,
            catches: around.catches || catches(&task),
            is_conditional: around.is_conditional || !task.when.is_empty(),
            has_defaults: around.has_defaults
                || task.keywords.get(Keyword::ModuleDefaults).is_some(),
            ..around.clone()
        };
        let call = self.call(node, entries, &others, &around)?;
        if let Some(host) = &call.delegate_to {
            task.keywords.set(Keyword::DelegateTo, host.clone());
        }
        if let (false, Some(written)) = (around.is_handler, node.get("listen")) {
            let message = "only handlers listen";
            self.session
                .add(Problem::error(codes::TASK_KEY, written.span, message));
        }
        self.acted(task, call, entries, &around)
    }

    fn acted(
        &mut self,
        mut task: Task,
        call: Call,
        entries: &[Entry],
        around: &Around,
    ) -> Option<Step> {
        match &call.verb {
            Verb::Module(name) => {
                task.action = Action::Module(Arc::clone(name));
                task.arguments = self.module_arguments(name, &call, &task, around);
            }
            Verb::Chosen(name) => {
                task.action = Action::Chosen(name.clone());
                // Read as those of a module that takes any, for which one it is will be seen.
                task.arguments = self.module_arguments(&ANY.into(), &call, &task, around);
            }
            Verb::Absent(name) => {
                task.action = Action::Module(Arc::clone(name));
                if matches!(call.value.kind, NodeKind::Map(_)) {
                    task.arguments = call.value;
                }
            }
            Verb::Meta => task.action = Action::Meta(self.meta(&call)?),
            Verb::IncludeTasks | Verb::IncludeRole => {
                self.check_include_keywords(entries);
                return self.dynamic_include(task, &call, around);
            }
            Verb::ImportTasks | Verb::ImportRole => {
                return self.static_import(task, &call, around);
            }
        }
        Some(Step::Task(Arc::new(task)))
    }

    /// Takes in one entry of a task. False when it is no keyword.
    fn task_keyword(&mut self, entry: &Entry, task: &mut Task) -> bool {
        let name = key_text(&entry.key);
        let value = &entry.value;
        self.check_value_among(&name, value, keywords::TASK);
        match name.as_str() {
            "name" => task.name = Some(value.clone()),
            "when" => task.when = self.conditions("when", value),
            "tags" => task.tags = keywords::tags(value),
            "vars" => task.variables = self.vars(value),
            "until" => task.until = self.conditions("until", value),
            "retries" => task.retries = Some(value.clone()),
            "delay" => task.delay = Some(value.clone()),
            "changed_when" => task.changed_when = Some(self.conditions("changed_when", value)),
            "failed_when" => task.failed_when = Some(self.conditions("failed_when", value)),
            "register" => task.register = self.register(value),
            "notify" => {
                task.notify = one_or_many(value);
                self.gathered.notified.extend(task.notify.iter().cloned());
            }
            "listen" => task.listen = one_or_many(value),
            "async" => task.async_seconds = Some(value.clone()),
            "poll" => task.poll_seconds = Some(value.clone()),
            // Read with the action or the loop.
            "loop" | "loop_control" | "args" | "action" | "local_action" => {}
            other if loops::lookup_of(other).is_some() => {}
            other => return self.inherited_keyword(other, value, &mut task.keywords),
        }
        true
    }

    fn register(&mut self, value: &Node) -> Option<Name> {
        match value.as_str() {
            Some(name) if is_variable_name(name) => Some(name.into()),
            _ => {
                let message = match value.as_str() {
                    Some(name) => format!("`{name}` cannot be the name of a variable"),
                    None => format!("`register` takes a name, not {}", value.kind_name()),
                };
                self.session.add(
                    Problem::error(codes::NAME, value.span, message)
                        .hint("use letters, digits and `_`, and begin with a letter"),
                );
                None
            }
        }
    }

    /// Tells of entries that are neither keywords nor the task's action.
    pub(super) fn unknown_entries(
        &mut self,
        unknown: &[&Entry],
        has_action: bool,
        around: &Around,
    ) {
        for entry in unknown {
            let name = key_text(&entry.key);
            let inherited = Keyword::ALL.iter().map(|(_, name)| *name);
            let near_keyword = closest(&name, keywords::TASK.iter().copied().chain(inherited))
                .or_else(|| loops::near_lookup(&name))
                .or_else(|| closest(&name, ["block", "rescue", "always", "parallel"]));
            let is_module = !has_action
                && (elsewhere::removed(&name).is_some()
                    || elsewhere::find(&name, around, &self.playbook_directory).is_some());
            let problem = if !is_module && (has_action || near_keyword.is_some()) {
                let message = format!("a task has no keyword `{name}`");
                Problem::error(codes::TASK_KEY, entry.key.span, message).meant(near_keyword)
            } else {
                self.unknown_module(&name, entry.key.span, around)
            };
            self.session.add(problem);
        }
    }

    /// A problem for a module that is not known.
    pub(super) fn unknown_module(&self, name: &str, span: Span, around: &Around) -> Problem {
        let message = format!("there is no module `{name}`");
        let problem = Problem::error(codes::MODULE, span, message);
        if let Some(instead) = elsewhere::removed(name) {
            return problem.hint(instead);
        }
        let elsewhere = elsewhere::find(name, around, &self.playbook_directory);
        match (self.near_module(name), elsewhere) {
            (Some(near), _) => problem.meant(Some(&near)),
            (None, Some(place)) => problem.hint(place.hint()),
            (None, None) => problem.hint("`sasrun doc` lists the modules there are"),
        }
    }

    /// The module that a name was probably meant to be. A name that stands elsewhere as it is was
    /// not misspelt.
    pub(super) fn near_module(&self, name: &str) -> Option<String> {
        let own = super::action::short(name);
        let last = own.rsplit('.').next().unwrap_or(own);
        if elsewhere::moved_to(last).is_some() {
            return None;
        }
        let names = self.session.loader.catalogue.names();
        let verbs = super::action::VERBS.iter().map(|(name, _)| *name);
        let known: Vec<&str> = names.iter().map(|name| &**name).chain(verbs).collect();
        if let [_, _, ..] = own.split('.').skip(1).collect::<Vec<_>>().as_slice() {
            return near_in_collection(own, &known);
        }
        // A short name is compared with short names.
        let short = known.iter().map(|name| super::action::short(name));
        let near = closest(name, known.iter().copied()).or_else(|| closest(name, short));
        near.map(str::to_owned)
    }

    fn check_include_keywords(&mut self, entries: &[Entry]) {
        for entry in entries {
            let name = key_text(&entry.key);
            let is_keyword =
                keywords::TASK.contains(&name.as_str()) || Keyword::from_name(&name).is_some();
            if is_keyword && !keywords::INCLUDE.contains(&name.as_str()) {
                let message = format!("an include has no keyword `{name}`");
                self.session.add(
                    Problem::error(codes::TASK_KEY, entry.key.span, message)
                        .hint("put it under `apply:` for the included steps, or use an import"),
                );
            }
        }
    }
}

pub(super) fn blank(node: &Node, around: &Around) -> Task {
    Task {
        path: around.path.as_str().into(),
        span: node.span,
        name: None,
        action: Action::Meta("noop".into()),
        arguments: Node {
            span: node.span,
            kind: NodeKind::Map(Vec::new()),
        },
        keywords: Keywords::default(),
        when: Vec::new(),
        tags: Vec::new(),
        variables: Variables::new(),
        each: None,
        register: None,
        until: Vec::new(),
        retries: None,
        delay: None,
        changed_when: None,
        failed_when: None,
        notify: Vec::new(),
        listen: Vec::new(),
        async_seconds: None,
        poll_seconds: None,
        is_handler: around.is_handler,
        directory: around.directory.clone(),
    }
}

/// The module that a name with its collection was probably meant to be: one of that collection, or
/// one of that name.
fn near_in_collection(name: &str, known: &[&str]) -> Option<String> {
    let (collection, last) = name.rsplit_once('.')?;
    let parts = known.iter().filter_map(|known| known.rsplit_once('.'));
    let inside = parts.clone().filter(|(other, _)| *other == collection);
    let near = closest(last, inside.map(|(_, module)| module));
    let of_that_name = || {
        let mut others = parts.filter(|(_, module)| *module == last);
        others.find(|(other, _)| closest(collection, [*other]).is_some())
    };
    near.map(|module| format!("{collection}.{module}"))
        .or_else(|| of_that_name().map(|(other, module)| format!("{other}.{module}")))
}

/// Whether the task itself makes a failure bearable.
fn catches(task: &Task) -> bool {
    let ignores = task.keywords.get(Keyword::IgnoreErrors);
    ignores.is_some_and(may_be_true) || task.failed_when.is_some()
}
