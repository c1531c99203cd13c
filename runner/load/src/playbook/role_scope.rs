//! What the tasks of a role see of the roles around it, and when two uses are the same.

use std::sync::Arc;

use sasrun_model::{Node, NodeKind, Role, Variables};

use super::role::{LoadedUse, Parent, RoleFiles};

fn overlay(base: &mut Variables, more: &Variables) {
    for (name, value) in more {
        base.insert(Arc::clone(name), Arc::clone(value));
    }
}

/// Defaults as tasks of a role see them: of its dependencies, of those that ask for it, its own.
pub(super) fn merged_defaults(
    dependencies: &[LoadedUse],
    parents: &[Parent],
    own: &Variables,
) -> Variables {
    let mut all = Variables::new();
    for dependency in dependencies {
        overlay(&mut all, &dependency.role.context.defaults);
    }
    for parent in parents {
        overlay(&mut all, &parent.defaults);
    }
    overlay(&mut all, own);
    all
}

/// Variables as tasks of a role see them: of those that ask for it, of its dependencies, its own.
pub(super) fn merged_variables(
    dependencies: &[LoadedUse],
    parents: &[Parent],
    own: &Variables,
) -> Variables {
    let mut all = Variables::new();
    for parent in parents {
        overlay(&mut all, &parent.variables);
    }
    for dependency in dependencies {
        overlay(&mut all, &dependency.role.context.variables);
    }
    overlay(&mut all, own);
    all
}

pub(super) fn merged_parameters(chain: &[Parent]) -> Variables {
    let mut all = Variables::new();
    for parent in chain {
        overlay(&mut all, &parent.parameters);
    }
    all
}

/// Two uses with one key do the same on the same hosts.
pub(super) fn use_key(role: &Role, files: &RoleFiles, chain: &[Parent]) -> String {
    let frames: Vec<&str> = chain.iter().map(|parent| parent.frame.as_str()).collect();
    let parameters = chain.last().map(|me| content_of_map(&me.parameters));
    format!(
        "{}|{files:?}|{parameters:?}|{frames:?}",
        role.path.display()
    )
}

fn content_of_map(variables: &Variables) -> String {
    let pairs = variables.iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={}", content(value)));
    pairs.collect::<Vec<_>>().join(",")
}

pub(super) fn content_of_all(nodes: &[Node]) -> String {
    nodes.iter().map(content).collect::<Vec<_>>().join(",")
}

/// A value without its places.
fn content(node: &Node) -> String {
    match &node.kind {
        NodeKind::List(items) => format!("[{}]", content_of_all(items)),
        NodeKind::Map(entries) => {
            let pairs = entries
                .iter()
                .map(|entry| format!("{}:{}", content(&entry.key), content(&entry.value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        NodeKind::Text(text) => format!("{:?}", text.text),
        other => format!("{other:?}"),
    }
}
