//! Every name that anything could give a value: the other side of what templates need.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sasrun_model::{
    Action, Inventory, LayeredVariables, Loop, Name, Node, NodeKind, Play, Step, Task, Variables,
};

use super::Outset;
use super::targets::steps_of;
use crate::closest;
use crate::files::first_file;
use crate::session::Session;

/// Names that can have a value, wherever it would come from.
#[derive(Default)]
pub(super) struct Known<'a> {
    /// What was written under a name.
    written: HashMap<Name, Vec<Arc<Node>>>,
    /// Names that tasks give values to, so that these cannot be known.
    made: HashSet<Name>,
    inventory: Option<&'a Inventory>,
    /// Whether names may come from where files do not tell.
    pub(super) is_open: bool,
}

/// Facts that modules make under names of their own.
const FACTS: &[&str] = &["services", "packages", "mount_points", "item"];
/// Beginnings of names that are facts or settings.
const PREFIXES: &[&str] = &["ansible_", "getent_", "facter_", "ohai_", "module_setup"];
/// How a needed name fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may have a value.
    MayBe,
    /// Nothing defines it.
    Nowhere,
    /// It is defined, always without the key at this index of its path.
    LacksKey(usize),
}

impl<'a> Known<'a> {
    /// Collects everything that the files of a run define.
    pub(super) fn collect(session: &mut Session<'_>, outset: &Outset<'a>) -> Self {
        let mut known = Known {
            inventory: Some(outset.inventory),
            ..Known::default()
        };
        let own = outset.given.iter().chain(FACTS);
        known.made.extend(own.map(|name| Name::from(*name)));
        known.variables(outset.extra);
        for play in outset.playbooks.iter().flat_map(|book| &book.plays) {
            known.play(session, play);
        }
        known
    }

    fn play(&mut self, session: &mut Session<'_>, play: &Play) {
        self.variables(&play.variables);
        for prompt in &play.vars_prompt {
            self.made_by(prompt.get("name"));
        }
        for node in &play.vars_files {
            self.variables_file(session, play, node);
        }
        for steps in steps_of(play) {
            self.steps(steps);
        }
    }

    fn variables_file(&mut self, session: &mut Session<'_>, play: &Play, node: &Node) {
        let candidates = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let names: Option<Vec<&str>> = candidates
            .iter()
            .map(|node| node.as_str().filter(|_| node.is_static()))
            .collect();
        let paths = names.iter().flatten().flat_map(|name| {
            [
                play.directory.join("vars").join(name),
                play.directory.join(name),
            ]
        });
        let found = first_file(paths);
        match found.and_then(|path| session.variables_quietly(&path)) {
            Some(variables) => self.variables(&variables),
            None => self.is_open = true,
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Task(task) => self.task(task),
                Step::Block(block) => {
                    self.variables(&block.variables);
                    if let Some(role) = &block.role {
                        self.variables(&role.parameters);
                        self.variables(&role.context.defaults);
                        self.variables(&role.context.variables);
                    }
                    for steps in [&block.block, &block.rescue, &block.always] {
                        self.steps(steps);
                    }
                }
                Step::Parallel(parallel) => {
                    self.variables(&parallel.variables);
                    for branch in &parallel.branches {
                        self.steps(std::slice::from_ref(&Step::Block(Arc::clone(
                            &branch.block,
                        ))));
                    }
                }
            }
        }
    }

    fn task(&mut self, task: &Task) {
        self.variables(&task.variables);
        self.made.extend(task.register.iter().cloned());
        if let Some(each) = &task.each {
            self.loop_names(each);
        }
        let module = match &task.action {
            Action::Module(module) => module,
            Action::Chosen(_) => {
                self.is_open = true;
                return;
            }
            Action::Meta(_) | Action::Include(_) => return,
        };
        if module.rsplit('.').next() == Some("set_fact") {
            if !matches!(task.arguments.kind, NodeKind::Map(_)) {
                self.is_open = true;
            }
            for entry in task.arguments.entries() {
                self.made_by(Some(&entry.key));
            }
        }
    }

    fn loop_names(&mut self, each: &Loop) {
        for name in [&each.control.loop_var, &each.control.index_var] {
            if name.is_some() {
                self.made_by(name.as_ref());
            }
        }
    }

    /// A name that is given a value while the run goes on.
    fn made_by(&mut self, name: Option<&Node>) {
        let name = name.filter(|node| node.is_static()).and_then(Node::as_str);
        match name {
            // Arguments that stand for all of them.
            Some("_variable_params" | "_raw_params") | None => self.is_open = true,
            Some(name) => {
                self.made.insert(name.into());
            }
        }
    }

    fn variables(&mut self, variables: &Variables) {
        for (name, node) in variables {
            let nodes = self.written.entry(Arc::clone(name)).or_default();
            nodes.push(Arc::clone(node));
        }
    }

    /// Whether a name, and the keys looked for in it, may have a value.
    pub(super) fn standing(&self, name: &Name, keys: &[Name]) -> Standing {
        let is_given =
            self.made.contains(name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if is_given {
            return Standing::MayBe;
        }
        let in_files = self.written.get(name).into_iter().flatten();
        let in_inventory = self.in_inventory(name);
        let all: Vec<&Node> = in_files.map(|node| &**node).chain(in_inventory).collect();
        if all.is_empty() {
            return Standing::Nowhere;
        }
        // The depth at which even the definition that goes furthest has no such key.
        let mut deepest = 0;
        for node in all {
            match lacks(node, keys) {
                Some(at) => deepest = deepest.max(at),
                None => return Standing::MayBe,
            }
        }
        Standing::LacksKey(deepest)
    }

    fn in_inventory(&self, name: &str) -> Vec<&'a Node> {
        let Some(inventory) = self.inventory else {
            return Vec::new();
        };
        let of_hosts = inventory.hosts.values().map(|host| &host.variables);
        let of_groups = inventory.groups.values().map(|group| &group.variables);
        of_hosts
            .chain(of_groups)
            .flat_map(|layered| layers(layered).into_iter().filter_map(|all| all.get(name)))
            .map(|node| &**node)
            .collect()
    }

    /// The known name that one may have been meant to be.
    pub(super) fn near(&self, name: &str) -> Option<String> {
        let of_inventory = self.inventory.into_iter().flat_map(|inventory| {
            let hosts = inventory.hosts.values().map(|host| &host.variables);
            let groups = inventory.groups.values().map(|group| &group.variables);
            let all = hosts.chain(groups).flat_map(layers);
            all.flat_map(|variables| variables.keys())
        });
        let names: HashSet<&str> = self
            .written
            .keys()
            .chain(&self.made)
            .chain(of_inventory)
            .map(|name| &**name)
            .collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        closest(name, names).map(str::to_owned)
    }

    /// The key that one may have been meant to be, among those where it is missing.
    pub(super) fn near_key(&self, name: &Name, keys: &[Name], at: usize) -> Option<String> {
        let wanted = keys.get(at)?;
        let in_files = self.written.get(name).into_iter().flatten();
        let mut all = in_files.map(|node| &**node).chain(self.in_inventory(name));
        all.find_map(|node| {
            let mut node = node;
            for key in &keys[..at] {
                node = node.get(key)?;
            }
            let known = node.entries().iter().filter_map(|entry| entry.key.as_str());
            closest(wanted, known).map(str::to_owned)
        })
    }
}

fn layers(layered: &LayeredVariables) -> [&Variables; 3] {
    [
        &layered.source,
        &layered.beside_inventory,
        &layered.beside_playbook,
    ]
}

/// The index of the first key that a written value surely lacks; none when it may have all.
fn lacks(node: &Node, keys: &[Name]) -> Option<usize> {
    let mut node = node;
    for (at, key) in keys.iter().enumerate() {
        let NodeKind::Map(entries) = &node.kind else {
            return None;
        };
        let is_plain =
            |entry: &sasrun_model::Entry| entry.key.is_static() && entry.key.as_str().is_some();
        if !entries.iter().all(is_plain) {
            return None;
        }
        match node.get(key) {
            Some(below) => node = below,
            None => return Some(at),
        }
    }
    None
}
