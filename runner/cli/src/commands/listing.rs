//! Hosts, tasks and tags that a run would go through, in the form of ansible-playbook.

use std::collections::BTreeSet;
use std::sync::Arc;

use sasrun_engine::selected_by_tags;
use sasrun_model::{
    Action, Include, Inventory, Name, Node, NodeKind, Play, Playbook, Step, Task, Value, Variables,
};
use sasrun_template::{Binding, Scope, Templates, VariableScope};

use crate::args::PlaybookArguments;
use crate::output;

type Tags = BTreeSet<String>;

/// What is listed, and of which hosts.
pub(super) struct Listing<'a> {
    pub arguments: &'a PlaybookArguments,
    pub inventory: &'a Inventory,
    pub limit: Option<&'a [Name]>,
    pub templates: &'a Templates,
    pub extra: &'a Variables,
}

impl Listing<'_> {
    /// Lists a playbook.
    pub(super) fn playbook(&self, playbook: &Playbook) {
        output::line(&format!("\nplaybook: {}", playbook.path.display()));
        for (number, play) in (1..).zip(&playbook.plays) {
            self.play(number, play);
        }
    }

    fn play(&self, number: usize, play: &Play) {
        let patterns = texts(&play.hosts);
        let hosts = patterns.join(",");
        let name = play.name.as_ref().and_then(Node::as_str).unwrap_or(&hosts);
        let read = Reading {
            templates: self.templates,
            scope: Arc::new(scope(&[self.extra, &play.variables])),
        };
        let mut tags = Tags::new();
        read.add(&mut tags, &play.tags);
        let own = tags.iter().cloned().collect::<Vec<_>>().join(",");
        output::line(&format!(
            "\n  play #{number} ({hosts}): {name}\tTAGS: [{own}]"
        ));
        if self.arguments.list_hosts {
            self.hosts(&patterns);
        }
        if !self.arguments.list_tasks && !self.arguments.list_tags {
            return;
        }
        let mut found = Found {
            arguments: self.arguments,
            read,
            lines: Vec::new(),
            tags: tags.clone(),
        };
        for steps in [&play.pre_tasks, &play.roles, &play.tasks, &play.post_tasks] {
            found.steps(steps, &tags, None);
        }
        if self.arguments.list_tasks {
            output::line("    tasks:");
            found.lines.iter().for_each(|line| output::line(line));
        }
        if self.arguments.list_tags {
            output::line(&format!("      TASK TAGS: [{}]", listed(&found.tags)));
        }
    }

    fn hosts(&self, patterns: &[String]) {
        let mut hosts = sasrun_load::HostPattern::parse(&patterns.join(","))
            .map(|pattern| pattern.select(self.inventory).hosts)
            .unwrap_or_default();
        hosts.retain(|host| self.limit.is_none_or(|limit| limit.contains(host)));
        let quoted: Vec<String> = patterns.iter().map(|text| format!("'{text}'")).collect();
        output::line(&format!("    pattern: [{}]", quoted.join(", ")));
        output::line(&format!("    hosts ({}):", hosts.len()));
        hosts
            .iter()
            .for_each(|host| output::line(&format!("      {host}")));
    }
}

/// Tasks and tags that the flags select.
struct Found<'a> {
    arguments: &'a PlaybookArguments,
    read: Reading<'a>,
    lines: Vec<String>,
    tags: Tags,
}

impl Found<'_> {
    fn steps(&mut self, steps: &[Step], around: &Tags, role: Option<&str>) {
        for step in steps {
            match step {
                Step::Task(task) => self.task(task, around, role),
                Step::Block(block) => {
                    let mut tags = around.clone();
                    self.read.add(&mut tags, &block.tags);
                    let role = block.role.as_ref().map(|role| &*role.name).or(role);
                    self.steps(&block.block, &tags, role);
                }
                Step::Parallel(parallel) => {
                    for branch in &parallel.branches {
                        self.steps(&branch.block.block, around, role);
                    }
                }
            }
        }
    }

    fn task(&mut self, task: &Task, around: &Tags, role: Option<&str>) {
        let mut tags = around.clone();
        self.read.add(&mut tags, &task.tags);
        let own: Vec<String> = tags.iter().cloned().collect();
        if !selected_by_tags(&own, &self.arguments.tags, &self.arguments.skip_tags) {
            return;
        }
        let name = match task.name.as_ref().and_then(Node::as_str) {
            Some(name) => match role {
                Some(role) => format!("{role} : {name}"),
                None => name.to_owned(),
            },
            None => action(task),
        };
        self.lines
            .push(format!("      {name}\tTAGS: [{}]", listed(&tags)));
        self.tags.extend(tags);
    }
}

fn action(task: &Task) -> String {
    match &task.action {
        Action::Module(name) => name
            .strip_prefix("ansible.builtin.")
            .unwrap_or(name)
            .to_owned(),
        Action::Chosen(name) => name.as_str().unwrap_or_default().to_owned(),
        Action::Meta(_) => "meta".to_owned(),
        Action::Include(Include::Tasks) => "include_tasks".to_owned(),
        Action::Include(Include::Role) => "include_role".to_owned(),
    }
}

fn listed(tags: &Tags) -> String {
    tags.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// Reads tags, which may be templates of the play's variables.
struct Reading<'a> {
    templates: &'a Templates,
    scope: Arc<dyn Scope>,
}

impl Reading<'_> {
    fn add(&self, tags: &mut Tags, nodes: &[Node]) {
        for node in nodes {
            let written = match self.templates.resolve(node, &self.scope) {
                Ok(value) => values(&value),
                Err(_) => texts(node),
            };
            for text in &written {
                tags.extend(text.split(',').map(|tag| tag.trim().to_owned()));
            }
        }
    }
}

/// Variables as a scope; the first that has a name wins.
fn scope(layers: &[&Variables]) -> VariableScope {
    let mut scope = VariableScope::new();
    for (name, node) in layers.iter().rev().copied().flatten() {
        scope.insert(Arc::clone(name), Binding::Written(Arc::clone(node)));
    }
    scope
}

/// A text, or the texts of a list.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().flat_map(values).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    }
}

/// A text, or the texts of a list.
fn texts(node: &Node) -> Vec<String> {
    match &node.kind {
        NodeKind::List(items) => items.iter().flat_map(texts).collect(),
        _ => node.as_str().map(str::to_owned).into_iter().collect(),
    }
}
