//! Lists of steps, and blocks.

use std::sync::Arc;

use sasrun_model::{Block, Entry, Keyword, Node, NodeKind, Step};

use super::keywords::{self, key_text, may_be_true, one_or_many};
use super::{Around, Reader};
use crate::codes;
use crate::problem::Problem;

/// Keys that make an entry a block.
const BLOCK_KEYS: [&str; 3] = ["block", "rescue", "always"];

impl Reader<'_, '_> {
    /// The steps of a list such as `tasks`.
    pub(super) fn steps(&mut self, node: &Node, of: &str, around: &Around) -> Vec<Step> {
        let items = match &node.kind {
            NodeKind::Null => return Vec::new(),
            NodeKind::List(items) => items,
            _ => {
                let of = format!("`{of}`");
                self.session.wrong_kind(node, &of, "a list of tasks");
                return Vec::new();
            }
        };
        let steps = items.iter().enumerate();
        steps
            .filter_map(|(index, item)| self.step(item, &around.inside(&index.to_string())))
            .collect()
    }

    /// A step. Its path is that of `around`.
    fn step(&mut self, node: &Node, around: &Around) -> Option<Step> {
        match &node.kind {
            NodeKind::Map(entries) => {
                let has = |names: &[&str]| {
                    entries
                        .iter()
                        .any(|entry| entry.key.as_str().is_some_and(|key| names.contains(&key)))
                };
                if has(&BLOCK_KEYS) {
                    Some(Step::Block(Arc::new(self.block(node, entries, around))))
                } else if has(&["parallel"]) {
                    Some(self.parallel(node, entries, around))
                } else {
                    self.task(node, entries, around)
                }
            }
            NodeKind::Null => {
                let message = "an empty item in a list of tasks";
                self.session
                    .add(Problem::error(codes::SHAPE, node.span, message));
                None
            }
            _ => {
                self.session
                    .wrong_kind(node, "a list of tasks", "a mapping for each task");
                None
            }
        }
    }

    /// A block with its sections.
    pub(super) fn block(&mut self, node: &Node, entries: &[Entry], around: &Around) -> Block {
        let mut block = Block {
            path: around.path.as_str().into(),
            span: node.span,
            ..Block::default()
        };
        self.block_keywords(entries, &mut block);
        if node.get("block").is_none() {
            let message = "`rescue` and `always` stand beside a `block`";
            self.session
                .add(Problem::error(codes::NO_ACTION, node.span, message));
        }
        let inside = self.inside_of(&block, around);
        let has_rescue = node.get("rescue").is_some();
        let imported = self.gathered.imported_handlers.len();
        for entry in entries {
            let key = entry.key.as_str().unwrap_or_default();
            let catches = inside.catches || (key == "block" && has_rescue);
            let section = Around {
                catches,
                ..inside.inside(key)
            };
            match key {
                "block" => block.block = self.steps(&entry.value, key, &section),
                "rescue" => block.rescue = self.steps(&entry.value, key, &section),
                "always" => block.always = self.steps(&entry.value, key, &section),
                _ => {}
            }
        }
        self.frame_imported(imported, &block);
        block
    }

    /// What stands around the steps inside a block.
    pub(super) fn inside_of(&self, block: &Block, around: &Around) -> Around {
        let ignores = block.keywords.get(Keyword::IgnoreErrors);
        let collections = block.keywords.get(Keyword::Collections);
        Around {
            path: block.path.to_string(),
            catches: around.catches || ignores.is_some_and(may_be_true),
            is_conditional: around.is_conditional || !block.when.is_empty(),
            has_defaults: around.has_defaults
                || block.keywords.get(Keyword::ModuleDefaults).is_some(),
            collections: self.collections(collections, &around.collections),
            ..around.clone()
        }
    }

    /// Keywords of a block, without its sections.
    pub(super) fn block_keywords(&mut self, entries: &[Entry], block: &mut Block) {
        for entry in entries {
            let name = key_text(&entry.key);
            let value = &entry.value;
            self.check_value_among(&name, value, keywords::BLOCK);
            match name.as_str() {
                "block" | "rescue" | "always" => {}
                "name" => block.name = Some(value.clone()),
                "when" => block.when = self.conditions("when", value),
                "tags" => block.tags = keywords::tags(value),
                "vars" => block.variables = self.vars(value),
                "notify" => {
                    block.notify = one_or_many(value);
                    self.gathered.notified.extend(block.notify.iter().cloned());
                }
                _ => {
                    if !self.inherited_keyword(&name, value, &mut block.keywords) {
                        let allowed = &[keywords::BLOCK];
                        self.unknown_keyword(codes::TASK_KEY, "a Block", &entry.key, allowed);
                    }
                }
            }
        }
    }
}
