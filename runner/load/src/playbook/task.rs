//! Tasks and handlers.

use std::sync::Arc;

use sasrun_model::{
    Action, Entry, Keyword, Keywords, Name, Node, NodeKind, Span, Step, Task, Variables,
};

use super::action::{Call, Verb};
use super::keywords::{self, key_text, may_be_true, one_or_many};
use super::loops;
use super::{Around, Reader};
use crate::problem::Problem;
use crate::variables::is_variable_name;
use crate::{closest, codes};

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
    pub(super) fn unknown_entries(&mut self, unknown: &[&Entry], has_action: bool) {
        for entry in unknown {
            let name = key_text(&entry.key);
            let inherited = Keyword::ALL.iter().map(|(_, name)| *name);
            let near_keyword = closest(&name, keywords::TASK.iter().copied().chain(inherited))
                .or_else(|| loops::near_lookup(&name))
                .or_else(|| closest(&name, ["block", "rescue", "always", "parallel"]));
            let problem = if has_action || near_keyword.is_some() {
                let message = format!("a task has no keyword `{name}`");
                Problem::error(codes::TASK_KEY, entry.key.span, message).meant(near_keyword)
            } else {
                self.unknown_module(&name, entry.key.span)
            };
            self.session.add(problem);
        }
    }

    /// A problem for a module that is not known.
    pub(super) fn unknown_module(&self, name: &str, span: Span) -> Problem {
        let names = self.session.loader.catalogue.names();
        let own = super::action::VERBS.iter().map(|(name, _)| *name);
        let known: Vec<&str> = names.iter().map(|name| &**name).chain(own).collect();
        // A short name is compared with short names.
        let short = known.iter().map(|name| super::action::short(name));
        let near = closest(name, known.iter().copied()).or_else(|| closest(name, short));
        let message = format!("there is no module `{name}`");
        let problem = Problem::error(codes::MODULE, span, message).meant(near);
        match problem.hint {
            None => problem.hint("`sasrun doc` lists the modules there are"),
            Some(_) => problem,
        }
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

/// Whether the task itself makes a failure bearable.
fn catches(task: &Task) -> bool {
    let ignores = task.keywords.get(Keyword::IgnoreErrors);
    ignores.is_some_and(may_be_true) || task.failed_when.is_some()
}
