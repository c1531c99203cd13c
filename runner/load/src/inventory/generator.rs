//! `generator`: a host for each combination of layers, with groups named by the same words.

use std::sync::Arc;

use sasrun_model::{Node, Value, Variables};

use super::build::Builder;
use super::constructed::shown;
use crate::codes;
use crate::problem::Problem;
use crate::seams::Evaluate;
use crate::session::Session;

/// Hosts that one document may make.
const MOST: usize = 100_000;

/// Groups above groups after which a document is taken for endless.
const DEEPEST: usize = 64;

impl Session<'_> {
    pub(super) fn generated(&mut self, document: &Node, builder: &mut Builder) {
        let Some(evaluate) = self.loader.evaluate.clone() else {
            let message = "templates of inventories are not rendered here";
            self.add(Problem::error(codes::INVENTORY, document.span, message));
            return;
        };
        let (Some(hosts), Some(layers)) = (document.get("hosts"), document.get("layers")) else {
            let message = "a generated inventory has `hosts` and `layers`";
            self.add(Problem::error(codes::INVENTORY, document.span, message));
            return;
        };
        let Some(combinations) = combinations(layers) else {
            let message = format!("these layers stand for more than {MOST} hosts");
            self.add(Problem::error(codes::INVENTORY, layers.span, message));
            return;
        };
        for words in combinations {
            let Some(name) = self.named(&*evaluate, hosts, &words) else {
                return;
            };
            builder.add_host("all", &name);
            self.parents(&*evaluate, hosts, &name, &words, (true, 0), builder);
        }
    }

    /// The rendered name of a host or group.
    fn named(&mut self, evaluate: &dyn Evaluate, of: &Node, words: &Variables) -> Option<String> {
        let span = of.get("name").map_or(of.span, |name| name.span);
        let rendered = of.get("name").map(|name| evaluate.template(name, words));
        let message = match rendered {
            Some(Ok(value)) => match shown(&value).filter(|name| !name.is_empty()) {
                Some(name) => return Some(name),
                None => "a name must be text".to_owned(),
            },
            Some(Err(error)) => format!("this name cannot be made: {error}"),
            None => "a host or group has no `name`".to_owned(),
        };
        self.add(Problem::error(codes::INVENTORY, span, message));
        None
    }

    /// Puts a host or group below its parents, and those below theirs.
    fn parents(
        &mut self,
        evaluate: &dyn Evaluate,
        of: &Node,
        child: &str,
        words: &Variables,
        (is_host, depth): (bool, usize),
        builder: &mut Builder,
    ) {
        let parents = of.get("parents").map_or(&[][..], Node::items);
        for parent in parents.iter().filter(|_| depth < DEEPEST) {
            let Some(name) = self.named(evaluate, parent, words) else {
                return;
            };
            builder.add_group(&name);
            for entry in parent.get("vars").map_or(&[][..], Node::entries) {
                let (Some(key), Ok(value)) =
                    (entry.key.as_str(), evaluate.template(&entry.value, words))
                else {
                    continue;
                };
                builder.set_group_variable(&name, key, Arc::new(Node::data(value)));
            }
            if is_host {
                builder.add_host(&name, child);
            } else {
                self.add_child(builder, &name, child, parent.span);
            }
            self.parents(evaluate, parent, &name, words, (false, depth + 1), builder);
        }
    }
}

/// Every combination of the layers' words, the last layer changing fastest.
fn combinations(layers: &Node) -> Option<Vec<Variables>> {
    let mut all = vec![Variables::new()];
    for layer in layers.entries() {
        let name = layer.key.as_str().unwrap_or_default();
        let words: Vec<Value> = layer
            .value
            .items()
            .iter()
            .filter_map(Node::to_static_value)
            .collect();
        if all.len().saturating_mul(words.len()) > MOST {
            return None;
        }
        let with = |known: &Variables, word: &Value| {
            let mut known = known.clone();
            known.insert(name.into(), Arc::new(Node::data(word.clone())));
            known
        };
        all = all
            .iter()
            .flat_map(|known| words.iter().map(move |word| with(known, word)))
            .collect();
    }
    Some(all)
}
