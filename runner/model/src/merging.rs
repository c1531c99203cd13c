//! Dictionaries laid over each other as they were written.
//!
//! Must not: look into templates; one counts as a whole.

use crate::{Entry, Node, NodeKind, Span, Value};

impl Node {
    /// This value over another one: dictionaries are merged key by key, anything else hides what is below.
    pub fn laid_over(&self, low: &Self) -> Self {
        match (self.as_written_map(), low.as_written_map()) {
            (Some(high), Some(low)) => over(&high, &low),
            _ => self.clone(),
        }
    }

    /// The dictionary that this is, its keys and values as nodes.
    pub fn as_written_map(&self) -> Option<Self> {
        match &self.kind {
            NodeKind::Map(_) => Some(self.clone()),
            NodeKind::Data(value) => of_map(value),
            _ => None,
        }
    }
}

fn of_map(value: &Value) -> Option<Node> {
    let entries = value.as_map()?.iter().map(|(key, value)| Entry {
        key: Node::data(key.to_value()),
        value: Node::data(value.clone()),
    });
    Some(Node {
        span: Span::default(),
        kind: NodeKind::Map(entries.collect()),
    })
}

fn over(high: &Node, low: &Node) -> Node {
    let mut entries: Vec<Entry> = low.entries().to_vec();
    for entry in high.entries() {
        let key = entry.key.to_static_value();
        let same = entries
            .iter_mut()
            .find(|known| key.is_some() && known.key.to_static_value() == key);
        match same {
            Some(known) => known.value = entry.value.laid_over(&known.value),
            None => entries.push(entry.clone()),
        }
    }
    Node {
        span: high.span,
        kind: NodeKind::Map(entries),
    }
}
