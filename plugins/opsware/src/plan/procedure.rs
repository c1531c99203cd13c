//! Which procedure a run follows: the same facts of the cores, other steps.

use super::stage::Stage;
use super::steps::{self, CoreState, Plan};

/// A procedure of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Procedure {
    /// All cores down.
    Multimaster,
    /// A core that is in no mesh.
    Standalone,
    /// One core after the other, the agents always reachable.
    Rolling,
}

/// Every step that playbooks ask for.
pub(super) const STEPS: &[&str] = &[
    "MM-2",
    "MM-3",
    "MM-4",
    "MM-5",
    "MM-6",
    "MM-7",
    "MM-8",
    "MM-9",
    "MM-10",
    "MM-11",
    "MM-12",
    "MM-13",
    "MM-14",
    "STD-2",
    "STD-5",
    "STD-7",
    "STD-8",
    "STD-9",
    "TRAP-56",
    "ROLL-1",
    "ROLL-2.1",
    "ROLL-2.4",
    "ROLL-2.6",
    "ROLL-2.6.3",
    "ROLL-3.1",
    "ROLL-3.4",
    "ROLL-3.5",
    "ROLL-4",
];

/// What a standalone core does at the place of a mesh's step.
const STANDALONE: &[(&str, &str)] = &[
    ("MM-2", "STD-2"),
    ("MM-4", "STD-5"),
    ("MM-7", "STD-7"),
    ("MM-10", "STD-8"),
    ("MM-11", "TRAP-56"),
    ("MM-13", "STD-9"),
];

impl Procedure {
    pub(super) fn read(word: &str) -> Self {
        match word {
            "standalone" => Self::Standalone,
            "rolling" => Self::Rolling,
            _ => Self::Multimaster,
        }
    }

    /// Why a mesh of this size and release is none for the procedure.
    pub(super) fn refusals(self, cores: usize, from: &str) -> Vec<String> {
        let mut refusals = Vec::new();
        match self {
            Self::Standalone if cores != 1 => refusals.push(format!(
                "PATH-1: a standalone core is in no mesh, and this one has {cores} cores"
            )),
            Self::Rolling if cores < 2 => refusals.push(
                "ROLL-0.4: a mesh of one core has no other that could serve its agents meanwhile"
                    .into(),
            ),
            _ => {}
        }
        if self == Self::Rolling && from != "6.6" {
            refusals.push(format!(
                "PATH-4: a rolling upgrade begins at 6.6, not at {from}"
            ));
        }
        refusals
    }

    pub(super) fn plan(self, cores: &[CoreState]) -> Plan {
        match self {
            Self::Multimaster => steps::plan(cores),
            Self::Standalone => standalone(steps::plan(cores)),
            Self::Rolling => rolling(cores),
        }
    }
}

/// The steps of a standalone core, under their own ids.
fn standalone(mesh: Plan) -> Plan {
    let mut plan = Plan {
        refusals: mesh.refusals,
        ..Plan::default()
    };
    for (from, to) in STANDALONE {
        if let Some(cores) = mesh.steps.get(from) {
            plan.steps.insert(to, cores.clone());
        }
    }
    plan
}

/// The steps of a rolling upgrade: the first core, then the others, uploads at the end of each.
fn rolling(cores: &[CoreState]) -> Plan {
    let mut plan = Plan::default();
    let names = |due: &dyn Fn(&CoreState) -> bool| -> Vec<String> {
        let fitting = cores.iter().filter(|core| core.is_ours && due(core));
        fitting.map(|core| core.name.clone()).collect()
    };
    let is_open = |core: &CoreState| core.stage != Stage::Complete;
    let first_left = |core: &CoreState| {
        core.is_source && (is_open(core) || !core.has_content || !core.has_stage2)
    };
    let first_waits = cores.iter().any(|core| !core.is_ours && first_left(core));
    if first_waits && !names(&|core| !core.is_source && is_open(core)).is_empty() {
        plan.refusals.push(
            "ROLL-2: a secondary core is upgraded only after the first core is complete, uploads and all".into(),
        );
        return plan;
    }
    let due: [(&'static str, Vec<String>); 8] = [
        ("ROLL-2.1", names(&|core| core.is_source && is_open(core))),
        ("ROLL-2.4", names(&|core| core.is_source && is_open(core))),
        (
            "ROLL-2.6",
            names(&|core| core.is_source && !core.has_content),
        ),
        (
            "ROLL-2.6.3",
            names(&|core| core.is_source && !core.has_stage2),
        ),
        ("ROLL-3.1", names(&|core| !core.is_source && is_open(core))),
        ("ROLL-3.4", names(&|core| !core.is_source && is_open(core))),
        (
            "ROLL-3.5",
            names(&|core| !core.is_source && !core.has_stage2),
        ),
        // Every pair needs its tunnel before any core goes down.
        (
            "ROLL-1",
            if cores.iter().any(is_open) {
                names(&|_| true)
            } else {
                Vec::new()
            },
        ),
    ];
    plan.steps
        .extend(due.into_iter().filter(|(_, names)| !names.is_empty()));
    let touched: Vec<String> = names(&|core| {
        plan.steps
            .iter()
            .any(|(id, names)| *id != "ROLL-1" && names.contains(&core.name))
    });
    if !touched.is_empty() {
        plan.steps.insert("ROLL-4", touched);
    }
    for core in cores
        .iter()
        .filter(|core| !core.is_ours && (is_open(core) || !core.has_stage2))
    {
        let step = if core.is_source { "ROLL-2" } else { "ROLL-3" };
        plan.left_out.push(format!("{}: {step}", core.name));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(name: &str, is_source: bool, stage: Stage, is_ours: bool, uploads: bool) -> CoreState {
        CoreState {
            name: name.to_owned(),
            is_source,
            stage,
            is_ours,
            has_content: uploads,
            has_stage2: uploads,
            running: Vec::new(),
        }
    }

    fn due(plan: &Plan) -> Vec<String> {
        plan.steps
            .iter()
            .map(|(id, names)| format!("{id}:{}", names.concat()))
            .collect()
    }

    #[test]
    fn a_standalone_core_has_steps_of_its_own() {
        let fresh = [core("a", true, Stage::Start, true, false)];
        assert_eq!(
            due(&Procedure::Standalone.plan(&fresh)),
            [
                "STD-2:a",
                "STD-5:a",
                "STD-7:a",
                "STD-8:a",
                "STD-9:a",
                "TRAP-56:a"
            ]
        );
        let done = [core("a", true, Stage::Complete, true, true)];
        assert_eq!(Procedure::Standalone.plan(&done), Plan::default());
        let begun = [core("a", true, Stage::Begun, true, false)];
        assert_eq!(
            due(&Procedure::Standalone.plan(&begun)).first().unwrap(),
            "STD-7:a"
        );
        assert_eq!(Procedure::Standalone.refusals(2, "6.6").len(), 1);
    }

    #[test]
    fn a_rolling_upgrade_goes_core_by_core() {
        let mesh = |first: (Stage, bool, bool), second: (Stage, bool, bool)| {
            [
                core("a", true, first.0, first.1, first.2),
                core("b", false, second.0, second.1, second.2),
            ]
        };
        let fresh = mesh((Stage::Start, true, false), (Stage::Start, true, false));
        assert_eq!(
            due(&Procedure::Rolling.plan(&fresh)),
            [
                "ROLL-1:ab",
                "ROLL-2.1:a",
                "ROLL-2.4:a",
                "ROLL-2.6:a",
                "ROLL-2.6.3:a",
                "ROLL-3.1:b",
                "ROLL-3.4:b",
                "ROLL-3.5:b",
                "ROLL-4:ab"
            ]
        );
        let done = mesh((Stage::Complete, true, true), (Stage::Complete, true, true));
        assert_eq!(Procedure::Rolling.plan(&done), Plan::default());
        let early = mesh((Stage::Begun, false, false), (Stage::Start, true, false));
        assert_eq!(Procedure::Rolling.plan(&early).refusals.len(), 1);
        let second = mesh((Stage::Complete, false, true), (Stage::Start, true, false));
        assert_eq!(
            due(&Procedure::Rolling.plan(&second)),
            [
                "ROLL-1:b",
                "ROLL-3.1:b",
                "ROLL-3.4:b",
                "ROLL-3.5:b",
                "ROLL-4:b"
            ]
        );
    }

    #[test]
    fn a_rolling_upgrade_needs_two_cores_and_6_6() {
        assert!(Procedure::Rolling.refusals(2, "6.6").is_empty());
        assert_eq!(Procedure::Rolling.refusals(1, "6.6").len(), 1);
        assert!(
            Procedure::Rolling
                .refusals(3, "6.5.1.x")
                .first()
                .unwrap()
                .starts_with("PATH-4")
        );
    }
}
