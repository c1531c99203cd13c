//! Dictionaries of several levels laid over each other, for those who set `hash_behaviour = merge`.
//!
//! As in Ansible what was written is merged: a template counts as a whole.

use std::sync::Arc;

use sasrun_model::{Node, NodeKind};
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
            Some(lower) => merged = merged.laid_over(&lower),
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
        Binding::Data(value) => Node::data(value.clone()).as_written_map(),
        _ => None,
    }
}
