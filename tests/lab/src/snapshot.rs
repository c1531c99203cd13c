//! What every host looks like at one moment, as canonical JSON: two takes of an untouched lab are equal.
//!
//! Taken from outside, so that looking leaves no trace on a host. What the lab itself keeps on a host, what reading
//! alone changes and what belongs to logins is left out.

mod files;
mod processes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lab::options::Running;
use crate::paths::{Private, StateDir};

pub use files::Entry;
pub use processes::{Mount, Port, Process};

/// The look of a lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What stand-ins keep for the whole mesh: database counters, gateway tables, propagation.
    pub mesh: BTreeMap<String, Value>,
    pub hosts: BTreeMap<String, HostLook>,
}

/// The look of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostLook {
    /// By path on the host.
    pub files: BTreeMap<String, Entry>,
    /// What stand-ins keep for this host: versions, mount table.
    pub state: BTreeMap<String, Value>,
    pub mounts: Vec<Mount>,
    /// What runs, logins and the lab's own processes left out.
    pub processes: Vec<Process>,
    pub ports: Vec<Port>,
}

impl Snapshot {
    /// The canonical text: sorted keys, one value a line.
    pub fn to_text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Names what differs between two looks, one line each: host, kind and place.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let (before, after) = (serde_json::to_value(self), serde_json::to_value(other));
        if let (Ok(before), Ok(after)) = (before, after) {
            compare("", &before, &after, &mut found);
        }
        found
    }
}

/// Takes the snapshot of a running lab.
pub fn take(state: &StateDir) -> Result<Snapshot> {
    let running = Running::read(state).context("no lab runs here")?;
    let mut hosts = BTreeMap::new();
    for (name, host) in &running.hosts {
        let root = state.root(name);
        let mut look = HostLook {
            files: files::tree(&root)
                .with_context(|| format!("{name}: cannot look at its files"))?,
            state: kept(&Private::below(&root).state())?,
            ..HostLook::default()
        };
        if let Some(init) = host.init_pid {
            look.mounts = processes::mounts(init)?;
            (look.processes, look.ports) = processes::running(init)?;
        }
        hosts.insert(name.clone(), look);
    }
    let mut mesh = kept(&state.mesh().state())?;
    // Up to when the model of the traffic was moved on: every look does that.
    if let Some(Value::Object(traffic)) = mesh.get_mut("traffic.json") {
        traffic.remove("at_ms");
    }
    Ok(Snapshot { mesh, hosts })
}

/// The content of every file that stand-ins keep below a directory, by its path there.
fn kept(dir: &Path) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(sub) = waiting.pop() {
        for entry in std::fs::read_dir(dir.join(&sub))? {
            let entry = entry?;
            let name = sub.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                waiting.push(name);
            } else if kind.is_file() && !is_transient(&name) {
                let bytes = std::fs::read(entry.path())?;
                let value = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
                    Value::String(String::from_utf8_lossy(&bytes).into_owned())
                });
                found.insert(name.to_string_lossy().into_owned(), value);
            }
        }
    }
    Ok(found)
}

/// Files that come and go with every look at a state: locks and versions not yet renamed into place.
fn is_transient(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| matches!(extension.to_str(), Some("lock" | "new" | "tmp")))
}

fn compare(place: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let place = format!("{place}/{key}");
                match (before.get(key), after.get(key)) {
                    (Some(one), Some(other)) => compare(&place, one, other, found),
                    (Some(_), None) => found.push(format!("{place}: gone")),
                    (None, _) => found.push(format!("{place}: new")),
                }
            }
        }
        _ if before != after => found.push(format!("{place}: {before} became {after}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_the_place_of_each() {
        let look = |version: &str| Snapshot {
            mesh: BTreeMap::from([("oracle.json".to_owned(), json!({"failures": version}))]),
            hosts: BTreeMap::new(),
        };
        assert_eq!(look("1").differences(&look("1")), [""; 0]);
        let found = look("1").differences(&look("2"));
        assert_eq!(found, [r#"/mesh/oracle.json/failures: "1" became "2""#]);
    }
}
