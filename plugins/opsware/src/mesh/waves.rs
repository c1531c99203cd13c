//! Which cores go down together in a rolling upgrade, and in which order.

use sasrun_plugin::{Marked, Object};
use serde_json::Value;

use super::Mesh;
use super::document::Problems;
use crate::spelling;

/// Waves as the policies name them, then every other core alone, the source core first.
pub(super) fn resolve(
    mesh: &Mesh,
    place: Option<&Marked>,
    problems: &mut Problems,
) -> Vec<Vec<String>> {
    let mut waves = named(&mesh.policies);
    let mut seen: Vec<String> = Vec::new();
    for name in waves.iter().flatten() {
        let known: Vec<&str> = mesh.cores.keys().map(String::as_str).collect();
        let wrong = if !known.contains(&name.as_str()) {
            Some((
                format!("`waves` names no core `{name}`"),
                spelling::hint(name, &known),
            ))
        } else if seen.contains(name) {
            Some((
                format!("`waves` names `{name}` twice"),
                "name each core once".to_owned(),
            ))
        } else {
            None
        };
        if let (Some((wrong, hint)), Some(place)) = (wrong, place) {
            problems.hinted(place, wrong, hint);
        }
        seen.push(name.clone());
    }
    let mut others: Vec<&String> = mesh
        .cores
        .keys()
        .filter(|name| !seen.contains(name))
        .collect();
    others.sort_by_key(|name| name.as_str() != mesh.source_core());
    for name in others {
        let at = if name == mesh.source_core() {
            0
        } else {
            waves.len()
        };
        waves.insert(at, vec![name.clone()]);
    }
    waves
}

fn named(policies: &Object) -> Vec<Vec<String>> {
    let lists = policies.get("waves").and_then(Value::as_array);
    let words = |wave: &Value| {
        let names = wave.as_array().into_iter().flatten();
        names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    };
    lists.into_iter().flatten().map(words).collect()
}

/// Number of the wave in which a core goes down.
pub(super) fn of(waves: &[Vec<String>], core: &str) -> usize {
    waves
        .iter()
        .position(|wave| wave.iter().any(|name| name == core))
        .unwrap_or(0)
}
