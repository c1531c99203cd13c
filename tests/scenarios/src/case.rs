//! Cases as data: what is staged in the lab, what is run, and what is then right.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_yaml::Value;

/// One scenario; it passes when all its variants do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub title: String,
    pub variants: Vec<Variant>,
}

/// One way to stage a scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    pub name: String,
    /// The mesh that is changed: `pair` (two hosts) or `lab` (three cores on nine hosts).
    #[serde(default)]
    pub base: Base,
    /// Laid over the mesh, for lab and run alike; a null takes a key away.
    #[serde(default)]
    pub mesh: Value,
    /// Laid over the mesh of the run only.
    #[serde(default)]
    pub inventory: Value,
    /// Text of the run's mesh file that is replaced, once it is written.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
    /// The lab's scenario.
    #[serde(default)]
    pub scenario: Value,
    /// Seconds by which the clocks of hosts are off, by host.
    #[serde(default)]
    pub clocks: BTreeMap<String, i64>,
    /// Commands on hosts before the run.
    #[serde(default)]
    pub prepare: Vec<Exec>,
    pub run: Run,
    /// Further runs on the same lab.
    #[serde(default)]
    pub then: Vec<Run>,
}

/// A mesh to begin with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    #[default]
    Pair,
    Lab,
    /// Five cores on sixty hosts.
    Sixty,
}

/// One run of `sasrun`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// A scenario that is put in force before the run.
    #[serde(default)]
    pub scenario: Option<Value>,
    /// Commands on hosts right before the run.
    #[serde(default)]
    pub prepare: Vec<Exec>,
    #[serde(default)]
    pub args: Vec<String>,
    /// An event of the lab that is waited for before the run.
    #[serde(default)]
    pub once: Option<String>,
    /// Arguments of `sasrun` in place of the procedure: `{run}` stands for the id of the last run,
    /// `{holder}` for the run that has the mesh's lock, `{step}` for the step whose end the last run does not know,
    /// `{mesh}` for the mesh file.
    #[serde(default)]
    pub sasrun: Option<Vec<String>>,
    /// Has a clock of its own, which a step can set.
    #[serde(default)]
    pub own_clock: bool,
    /// The text of a playbook in place of the procedure's.
    #[serde(default)]
    pub playbook: Option<String>,
    /// The procedure: the name of a file of `playbooks/`.
    #[serde(default = "multimaster")]
    pub procedure: String,
    /// What happens meanwhile.
    #[serde(default)]
    pub meanwhile: Vec<Step>,
    /// Every process on every host is looked at all the time for secrets.
    #[serde(default)]
    pub watch_processes: bool,
    /// Seconds after which the run is taken for hung.
    #[serde(default = "usual_limit")]
    pub limit: u64,
    pub expect: Expect,
}

fn multimaster() -> String {
    "multimaster".to_owned()
}

fn usual_limit() -> u64 {
    400
}

/// A command on a host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    pub host: String,
    pub command: String,
}

/// Something that happens once an event has been seen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A pattern over the run's own events.
    pub after: String,
    #[serde(default = "once")]
    pub count: usize,
    /// And once the run has said this, a regular expression.
    #[serde(default)]
    pub said: Option<String>,
    #[serde(default)]
    pub scenario: Option<Value>,
    #[serde(default)]
    pub exec: Option<Exec>,
    /// A host that ceases to be.
    #[serde(default)]
    pub halt: Option<String>,
    /// How often the run is interrupted, as by Ctrl-C.
    #[serde(default)]
    pub interrupts: u32,
    /// A host that is booted.
    #[serde(default)]
    pub reboot: Option<String>,
    /// A host that loses a connection; its scenario says by which file (`ssh.cut_when_file`).
    #[serde(default)]
    pub cut: Option<String>,
    /// A signal that the run is sent.
    #[serde(default)]
    pub signal: Option<Sign>,
    /// From now on the largest file of the run can grow no more, as on a full disk.
    #[serde(default)]
    pub full_disk: bool,
    /// Seconds that the controller's clock jumps, for a run with a clock of its own.
    #[serde(default)]
    pub clock: Option<i64>,
    /// Another run beside this one.
    #[serde(default)]
    pub rival: Option<Rival>,
}

/// A signal by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    Int,
    Term,
    Kill,
}

/// A run of `sasrun` that begins and ends while another is at work.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rival {
    /// From a control host that shares nothing with the other one.
    #[serde(default)]
    pub elsewhere: bool,
    /// Arguments in place of the procedure, as those of a run.
    #[serde(default)]
    pub sasrun: Option<Vec<String>>,
    pub exit: i32,
    #[serde(default)]
    pub says: Vec<String>,
}

fn once() -> usize {
    1
}

/// What must be so after a run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The exit code, or a signal with a minus; unset means any but 0.
    pub exit: Option<i32>,
    /// Regular expressions that the output must match.
    pub says: Vec<String>,
    pub says_not: Vec<String>,
    /// The looks of these hosts before and after are the same; `all` means every host and the mesh.
    pub unchanged: Vec<String>,
    /// These hosts saw nothing but reads; `all` means every host.
    pub only_reads: Vec<String>,
    /// How often events came: a number, `>=N` or `<=N`, by pattern.
    pub events: BTreeMap<String, Count>,
    /// Patterns that come one after the other.
    pub sequence: Vec<String>,
    /// The whole log of the lab, earlier runs included, keeps the order of the procedure.
    pub order: bool,
    /// Every file that the run edited in place has a copy of what it was, with the way back.
    pub kept: bool,
    /// No agent is without a core gateway for longer than so many restarts of a gateway take in the same lab.
    pub gap_restarts: Option<u32>,
    /// What the run keeps, here and on the hosts, is for its user alone.
    pub private: bool,
    /// Nothing of the run's own is left on the hosts.
    pub nothing_left: bool,
    /// Commands that succeed on hosts afterwards.
    pub holds: Vec<Exec>,
    /// The database is stopped as part of the scenario.
    pub database_stops: bool,
    /// Seconds in which the run ends at most.
    pub within: Option<u64>,
    /// What changed is what the run before, in check mode, said that would change.
    pub as_predicted: bool,
}

/// How often.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Count {
    Exactly(usize),
    Bound(String),
}

impl Count {
    /// Whether a number is right; none for a bound that is not understood.
    pub fn holds(&self, number: usize) -> Option<bool> {
        match self {
            Self::Exactly(wanted) => Some(number == *wanted),
            Self::Bound(text) => {
                let bound = |sign: &str| text.strip_prefix(sign)?.trim().parse::<usize>().ok();
                bound(">=")
                    .map(|least| number >= least)
                    .or_else(|| bound("<=").map(|most| number <= most))
            }
        }
    }
}

impl Case {
    /// Reads a case file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        serde_yaml::from_str(&text).with_context(|| format!("{}", path.display()))
    }
}

/// Lays one tree over another; a null takes a key away.
pub fn lay_over(under: &mut Value, over: &Value) {
    match (under, over) {
        (_, Value::Null) => {}
        (Value::Mapping(under), Value::Mapping(over)) => {
            for (key, value) in over {
                match (under.get_mut(key), value) {
                    (_, Value::Null) => {
                        under.remove(key);
                    }
                    (Some(old), value) => lay_over(old, value),
                    (None, value) => {
                        under.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (under, over) => *under = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_adds_replaces_and_takes_away() {
        let mut tree: Value = serde_yaml::from_str("{a: {b: 1, c: 2}, d: [1]}").unwrap();
        let patch: Value = serde_yaml::from_str("{a: {b: 3, c: null, e: 4}, d: [2, 3]}").unwrap();
        lay_over(&mut tree, &patch);
        let wanted: Value = serde_yaml::from_str("{a: {b: 3, e: 4}, d: [2, 3]}").unwrap();
        assert_eq!(tree, wanted);
        lay_over(&mut tree, &Value::Null);
        assert_eq!(tree, wanted);
    }

    #[test]
    fn counts_are_exact_or_bounds() {
        let bound = |text: &str| Count::Bound(text.to_owned());
        let cases = [
            (Count::Exactly(2), 2, Some(true)),
            (Count::Exactly(2), 3, Some(false)),
            (bound(">=1"), 0, Some(false)),
            (bound(">=1"), 5, Some(true)),
            (bound("<=1"), 2, Some(false)),
            (bound("many"), 2, None),
        ];
        for (count, number, wanted) in cases {
            assert_eq!(count.holds(number), wanted, "{count:?} {number}");
        }
    }

    #[test]
    fn every_case_of_the_folder_is_understood() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders =
            ["cases", "journeys"].map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
        let mut count = 0;
        for entry in folders.into_iter().flatten() {
            let path = entry.unwrap().path();
            let case = Case::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
            assert!(!case.variants.is_empty(), "{}", path.display());
            for variant in &case.variants {
                for run in std::iter::once(&variant.run).chain(&variant.then) {
                    crate::judge::check_expressions(&run.expect)
                        .unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
                }
            }
            count += 1;
        }
        assert!(count > 0);
    }
}
