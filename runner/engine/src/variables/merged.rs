//! Dictionaries of several levels laid over each other, for those who set `hash_behaviour = merge`.
//!
//! As in Ansible what was written is merged: a template counts as a whole.

use std::sync::Arc;

use sasrun_model::{Entry, Node, NodeKind};
use sasrun_template::Binding;

/// Merges what levels say of a variable, the one that wins first.
pub(super) fn of_bindings(found: impl IntoIterator<Item = Binding>) -> Option<Binding> {
    let mut found = found.into_iter();
    let first = found.next()?;
    let Some(mut merged) = dictionary(&first) else {
        return Some(first);
    };
    for lower in found {
        match dictionary(&lower) {
            Some(lower) => merged = over(&merged, &lower),
            // What is no dictionary hides all below it.
            None => break,
        }
    }
    Some(Binding::Written(Arc::new(merged)))
}

/// The same of what was written.
pub(super) fn of_nodes<'a>(found: impl IntoIterator<Item = &'a Arc<Node>>) -> Option<Arc<Node>> {
    let found = found.into_iter();
    match of_bindings(found.map(|node| Binding::Written(Arc::clone(node))))? {
        Binding::Written(node) => Some(node),
        _ => None,
    }
}

/// The dictionary that a binding is, as written.
fn dictionary(binding: &Binding) -> Option<Node> {
    match binding {
        Binding::Written(node) => matches!(node.kind, NodeKind::Map(_)).then(|| (**node).clone()),
        Binding::Data(value) => {
            let entries = value.as_map()?.iter().map(|(key, value)| Entry {
                key: of_data(key.to_value()),
                value: of_data(value.clone()),
            });
            Some(Node {
                span: sasrun_model::Span::default(),
                kind: NodeKind::Map(entries.collect()),
            })
        }
        _ => None,
    }
}

fn of_data(value: sasrun_model::Value) -> Node {
    Node {
        span: sasrun_model::Span::default(),
        kind: NodeKind::Data(value),
    }
}

/// One dictionary over another one.
fn over(high: &Node, low: &Node) -> Node {
    let mut entries: Vec<Entry> = low.entries().to_vec();
    for entry in high.entries() {
        let key = entry.key.to_static_value();
        let same = entries
            .iter_mut()
            .find(|known| key.is_some() && known.key.to_static_value() == key);
        match same {
            Some(known) => known.value = value_over(&entry.value, &known.value),
            None => entries.push(entry.clone()),
        }
    }
    Node {
        span: high.span,
        kind: NodeKind::Map(entries),
    }
}

fn value_over(high: &Node, low: &Node) -> Node {
    let as_written = |node: &Node| match &node.kind {
        NodeKind::Data(value) => dictionary(&Binding::Data(value.clone())),
        NodeKind::Map(_) => Some(node.clone()),
        _ => None,
    };
    match (as_written(high), as_written(low)) {
        (Some(high), Some(low)) => over(&high, &low),
        _ => high.clone(),
    }
}
