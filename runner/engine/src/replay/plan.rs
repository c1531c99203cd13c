//! What going on will do, told before it is done.

use indexmap::IndexMap;
use sasrun_model::{Decision, HostTask, Name, StepClass};

use super::Past;
use super::past::whole;

/// What becomes of a step when the run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It ended, and is not done again.
    Skip,
    /// It was begun, and is done again.
    Repeat,
    /// It was begun as a job: its host is asked how it stands, and the run goes on with what is there.
    Adopt,
    /// It was begun, must not be done twice, and the host may not be able to tell how it ended.
    Ask,
    /// It is taken for done, for a person said so.
    TakeForDone,
}

/// What becomes of one host's steps.
#[derive(Debug, Clone, Default)]
pub struct HostPlan {
    /// Each step, in the order in which they were begun.
    pub steps: Vec<(HostTask, Fate)>,
}

impl HostPlan {
    /// How many steps have a fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.steps.iter().filter(|(_, own)| *own == fate).count()
    }
}

/// What going on will do, host by host.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The hosts, in order of first appearance.
    pub hosts: IndexMap<Name, HostPlan>,
}

impl Plan {
    /// How many steps of all hosts have a fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.hosts.values().map(|host| host.count(fate)).sum()
    }

    /// Steps that a decision can be about.
    pub fn open(&self) -> impl Iterator<Item = &HostTask> {
        let steps = self.hosts.values().flat_map(|host| &host.steps);
        steps
            .filter(|(_, fate)| *fate != Fate::Skip)
            .map(|(id, _)| id)
    }
}

impl Past {
    /// What going on will do.
    pub fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        let mut add = |id: &HostTask, fate| {
            let host = plan.hosts.entry(id.host.clone()).or_default();
            host.steps.push((id.clone(), fate));
        };
        for id in self.finished.keys() {
            add(id, Fate::Skip);
        }
        for (id, class) in &self.begun {
            if self.finished.contains_key(id) {
                continue;
            }
            let items: Vec<&HostTask> = self
                .begun_items
                .iter()
                .filter(|item| whole(item) == *id)
                .collect();
            if items.is_empty() {
                add(id, self.fate(id, *class));
            }
            for item in items {
                add(item, self.fate(item, *class));
            }
        }
        plan
    }

    fn fate(&self, id: &HostTask, class: StepClass) -> Fate {
        match (self.decisions.get(id), class) {
            (Some(Decision::Done), _) => Fate::TakeForDone,
            (None, _) if self.jobs.contains(&whole(id)) => Fate::Adopt,
            (None, StepClass::Once) => Fate::Ask,
            _ => Fate::Repeat,
        }
    }
}
