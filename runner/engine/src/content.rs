//! What a task or a use of a role says, as one hash: the same text at another place of the file hashes the same.

use sasrun_model::{Action, Block, Name, Node, NodeKind, Role, Task, Value};
use sha2::{Digest, Sha256};

/// Hexadecimal digits of the hash that are kept.
const DIGITS: usize = 16;

/// The hash of a task's action, arguments, conditions and loop.
pub(crate) fn content_of(task: &Task) -> Name {
    let mut hasher = Sha256::new();
    let action = match &task.action {
        Action::Module(name) | Action::Meta(name) => name.to_string(),
        Action::Chosen(name) => name.as_str().unwrap_or_default().to_owned(),
        Action::Include(kind) => format!("{kind:?}"),
    };
    text(&mut hasher, &action);
    node(&mut hasher, &task.arguments);
    task.when
        .iter()
        .for_each(|condition| node(&mut hasher, condition));
    if let Some(each) = &task.each {
        text(&mut hasher, each.lookup.as_deref().unwrap_or_default());
        node(&mut hasher, &each.items);
    }
    for (name, value) in &task.variables {
        text(&mut hasher, name);
        node(&mut hasher, value);
    }
    digits(hasher)
}

/// The hash of how a role is used: its parameters, conditions and tags.
pub(crate) fn content_of_role(block: &Block, role: &Role) -> Name {
    let mut hasher = Sha256::new();
    for (name, value) in &role.parameters {
        text(&mut hasher, name);
        node(&mut hasher, value);
    }
    for written in [&block.when, &block.tags] {
        hasher.update([5]);
        written.iter().for_each(|value| node(&mut hasher, value));
    }
    digits(hasher)
}

/// A short hash of a value.
pub(crate) fn hash_of(value: &Value) -> String {
    let mut hasher = Sha256::new();
    text(&mut hasher, &serde_json::Value::from(value).to_string());
    digits(hasher).chars().take(8).collect()
}

fn digits(hasher: Sha256) -> Name {
    let hash: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hash.chars().take(DIGITS).collect::<String>().into()
}

/// Texts are closed by a byte that no text of YAML holds, so that two never look like one.
fn text(hasher: &mut Sha256, text: &str) {
    hasher.update(text.as_bytes());
    hasher.update([0]);
}

fn node(hasher: &mut Sha256, written: &Node) {
    match &written.kind {
        NodeKind::Text(written) => text(hasher, &written.text),
        NodeKind::List(items) => {
            hasher.update([1]);
            items.iter().for_each(|item| node(hasher, item));
            hasher.update([2]);
        }
        NodeKind::Map(entries) => {
            hasher.update([3]);
            for entry in entries {
                node(hasher, &entry.key);
                node(hasher, &entry.value);
            }
            hasher.update([4]);
        }
        _ => {
            let value = written.to_static_value().unwrap_or(Value::Null);
            text(hasher, &serde_json::Value::from(&value).to_string());
        }
    }
}
