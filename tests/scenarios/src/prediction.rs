//! Whether check mode told the truth: what it said that would change against what then changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Tasks of the procedures of which only doing them tells, by how their names begin, each with its reason.
pub const CANNOT_KNOW: &[(&str, &str)] = &[
    (
        "RESP-VERIFY-2",
        "a logon counts against its account, so none is tried",
    ),
    (
        "MM-6.3",
        "whether spin runs then depends on what the installer starts by itself",
    ),
    (
        "MM-7 start what is still down",
        "the same, for every service of the source core",
    ),
    (
        "MM-9 start what is still down",
        "the same, for every service of a destination core",
    ),
    (
        "STD-7 start what is still down",
        "the same, for every service of a standalone core",
    ),
    (
        "ROLL-2.4 start what is still down",
        "the same, for every service of the core whose turn it is",
    ),
    (
        "ROLL-3.4 start what is still down",
        "the same, for every service of the first core",
    ),
    (
        "ROLL-1.1.3 a pair without its tunnel",
        "the backup tunnels begin with what phase 1 writes",
    ),
    (
        "ROLL-1.1.3 every other core's agent gateway",
        "the same, seen from the core gateways",
    ),
    (
        "ROLL-2.2",
        "whether they carry shows when the core's own gateway is closed to its agents",
    ),
    ("ROLL-3.2", "the same, for the first core"),
    (
        "MM-8",
        "the traffic only begins with the upgrade of the source core",
    ),
];

/// Tasks of which check mode says that they will change something, and only the installer says whether that is still due: it
/// takes a response file that it saved itself without asking, as after a run that was stopped.
pub const PERHAPS_NOT_DUE: &[&str] = &["MM-2 hold the interview", "MM-3 hold the interview"];

/// What the events of one run say of every task on every host.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Status by host and task.
    pub outcomes: BTreeMap<(String, String), String>,
    /// Names of tasks by their places.
    pub names: BTreeMap<String, String>,
}

impl Told {
    /// Reads the events file of a run.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        let mut told = Self::default();
        for line in text.lines() {
            let event: Value = serde_json::from_str(line)?;
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            match event["event"].as_str() {
                Some("task_started") => {
                    told.names
                        .insert(word(&event["task"]), word(&event["name"]));
                }
                Some("host_finished") => {
                    let id = (word(&event["id"]["host"]), word(&event["id"]["task"]));
                    told.outcomes.insert(id, word(&event["outcome"]["status"]));
                }
                _ => {}
            }
        }
        Ok(told)
    }

    fn name(&self, task: &str) -> String {
        let name = self.names.get(task).map_or(task, String::as_str);
        name.rsplit(" : ").next().unwrap_or(name).to_owned()
    }

    /// Tasks that answered *cannot know*, by name.
    pub fn unknown(&self) -> BTreeSet<String> {
        self.outcomes
            .iter()
            .filter(|(_, status)| *status == "cannot_know")
            .map(|((_, task), _)| self.name(task))
            .collect()
    }
}

/// Every disagreement between a run in check mode and the run after it, in a sentence each.
pub fn disagreements(predicted: &Told, done: &Told) -> Vec<String> {
    let mut found = BTreeSet::new();
    for name in predicted.unknown() {
        if !CANNOT_KNOW.iter().any(|(start, _)| name.starts_with(start)) {
            found.insert(format!(
                "{name} says that it cannot know, for no known reason"
            ));
        }
    }
    let ids: BTreeSet<_> = predicted
        .outcomes
        .keys()
        .chain(done.outcomes.keys())
        .collect();
    for id in ids {
        let before = predicted.outcomes.get(id).map_or("absent", String::as_str);
        let after = done.outcomes.get(id).map_or("absent", String::as_str);
        let is_open = before == "cannot_know";
        if !is_open && (before == "changed") != (after == "changed") {
            let name = done.name(&id.1);
            if after == "ok" && PERHAPS_NOT_DUE.contains(&name.as_str()) {
                continue;
            }
            found.insert(format!(
                "{name} on {}: predicted {before}, was {after}",
                id.0
            ));
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(outcomes: &[(&str, &str, &str)]) -> Told {
        let mut told = Told::default();
        for (host, task, status) in outcomes {
            told.outcomes
                .insert(((*host).into(), (*task).into()), (*status).into());
        }
        told
    }

    #[test]
    fn only_what_changes_has_to_be_foretold() {
        let predicted = told(&[
            ("a", "MM-4.1", "changed"),
            ("a", "MM-8 wait", "cannot_know"),
            ("a", "look", "ok"),
            ("a", "left", "skipped"),
        ]);
        let done = told(&[
            ("a", "MM-4.1", "changed"),
            ("a", "MM-8 wait", "changed"),
            ("a", "look", "skipped"),
            ("a", "left", "ok"),
        ]);
        assert_eq!(disagreements(&predicted, &done), [""; 0]);
    }

    #[test]
    fn every_disagreement_is_found() {
        let cases = [
            (("changed", "ok"), true),
            (("ok", "changed"), true),
            (("absent", "changed"), true),
            (("cannot_know", "ok"), true),
            (("skipped", "ok"), false),
        ];
        for ((before, after), wanted) in cases {
            let side = |status: &str| match status {
                "absent" => told(&[]),
                other => told(&[("a", "some task", other)]),
            };
            let found = disagreements(&side(before), &side(after));
            assert_eq!(!found.is_empty(), wanted, "{before} {after}: {found:?}");
        }
    }
}
