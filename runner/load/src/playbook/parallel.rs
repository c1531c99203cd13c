//! `parallel`: branches that run side by side.

use std::collections::HashMap;
use std::sync::Arc;

use sasrun_model::{Block, Branch, Entry, Node, NodeKind, Parallel, Span, Step};

use super::keywords::key_text;
use super::{Around, Reader};
use crate::codes;
use crate::problem::Problem;

impl Reader<'_, '_> {
    /// Branches are a mapping of names to task lists, or a list of blocks with names.
    pub(super) fn parallel(&mut self, node: &Node, entries: &[Entry], around: &Around) -> Step {
        let mut frame = Block {
            path: around.path.as_str().into(),
            span: node.span,
            ..Block::default()
        };
        let own: Vec<Entry> = entries
            .iter()
            .filter(|entry| entry.key.as_str() != Some("parallel"))
            .cloned()
            .collect();
        self.block_keywords(&own, &mut frame);
        let inside = self.inside_of(&frame, around);
        let imported = self.gathered.imported_handlers.len();
        let branches = node
            .get("parallel")
            .map(|written| self.branches(written, &inside))
            .unwrap_or_default();
        self.frame_imported(imported, &frame);
        self.check_writes(&branches);
        Step::Parallel(Arc::new(Parallel {
            path: frame.path,
            span: frame.span,
            name: frame.name,
            keywords: frame.keywords,
            when: frame.when,
            tags: frame.tags,
            variables: frame.variables,
            branches,
        }))
    }

    fn branches(&mut self, written: &Node, inside: &Around) -> Vec<Branch> {
        match &written.kind {
            NodeKind::Map(entries) => entries
                .iter()
                .map(|entry| {
                    let name = key_text(&entry.key);
                    let around = inside.inside(&name);
                    let block = Block {
                        path: around.path.as_str().into(),
                        span: entry.key.span,
                        name: Some(entry.key.clone()),
                        block: self.steps(&entry.value, &name, &around),
                        ..Block::default()
                    };
                    Branch {
                        name: name.into(),
                        block: Arc::new(block),
                    }
                })
                .collect(),
            NodeKind::List(items) => items
                .iter()
                .filter_map(|item| self.listed_branch(item, inside))
                .collect(),
            _ => {
                self.session.wrong_kind(
                    written,
                    "`parallel`",
                    "a mapping of branch names to task lists",
                );
                Vec::new()
            }
        }
    }

    fn listed_branch(&mut self, item: &Node, inside: &Around) -> Option<Branch> {
        let name = item.get("name").and_then(Node::as_str);
        let (Some(name), Some(_)) = (name, item.get("block")) else {
            let message = "a branch has a `name` and a `block`";
            self.session
                .add(Problem::error(codes::PARALLEL, item.span, message));
            return None;
        };
        let around = inside.inside(name);
        let block = self.block(item, item.entries(), &around);
        Some(Branch {
            name: name.into(),
            block: Arc::new(block),
        })
    }

    /// Two branches that set the same variable of a host would race.
    fn check_writes(&mut self, branches: &[Branch]) {
        let mut names: HashMap<&str, Span> = HashMap::new();
        let mut writers: HashMap<String, (usize, Span)> = HashMap::new();
        for (index, branch) in branches.iter().enumerate() {
            let span = branch.block.span;
            if let Some(first) = names.insert(&branch.name, span) {
                let message = format!("two branches are named `{}`", branch.name);
                let problem = Problem::error(codes::PARALLEL, span, message);
                self.session.add(problem.related(first, "the first one"));
            }
            let mut writes = Vec::new();
            collect_writes(&branch.block, &mut writes);
            for (name, span) in writes {
                match writers.get(&name) {
                    Some((other, first)) if *other != index => {
                        let message = format!("two branches set the variable `{name}`");
                        self.session.add(
                            Problem::error(codes::PARALLEL, span, message)
                                .related(*first, "the other branch sets it here")
                                .hint("give each branch a name of its own for it"),
                        );
                    }
                    Some(_) => {}
                    None => {
                        writers.insert(name, (index, span));
                    }
                }
            }
        }
    }
}

/// Variables that steps set, as far as files tell.
fn collect_writes(block: &Block, writes: &mut Vec<(String, Span)>) {
    let steps = block.block.iter().chain(&block.rescue).chain(&block.always);
    for step in steps {
        match step {
            Step::Block(block) => collect_writes(block, writes),
            Step::Parallel(parallel) => {
                for branch in &parallel.branches {
                    collect_writes(&branch.block, writes);
                }
            }
            Step::Task(task) => {
                if let Some(name) = &task.register {
                    writes.push((name.to_string(), task.span));
                }
                let sets_facts = matches!(&task.action,
                    sasrun_model::Action::Module(name) if name.ends_with("set_fact"));
                if sets_facts {
                    for entry in task.arguments.entries() {
                        let name = key_text(&entry.key);
                        if name != "cacheable" {
                            writes.push((name, entry.key.span));
                        }
                    }
                }
            }
        }
    }
}
