//! Which steps of the multimaster procedure are due for which cores, what stands in the way, and
//! what is left to others.

use std::collections::BTreeMap;

use super::stage::Stage;

/// A core as the plan sees it.
#[derive(Debug, Clone)]
pub(super) struct CoreState {
    pub(super) name: String,
    pub(super) is_source: bool,
    pub(super) stage: Stage,
    /// Whether this run may change it.
    pub(super) is_ours: bool,
    /// Whether content is in its software repository.
    pub(super) has_content: bool,
    /// Whether every software repository server has the stage2 images.
    pub(super) has_stage2: bool,
    /// Services other than the core gateway that run, with their hosts.
    pub(super) running: Vec<String>,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Cores by step; a step without cores is not due.
    pub(super) steps: BTreeMap<&'static str, Vec<String>>,
    pub(super) refusals: Vec<String>,
    pub(super) left_out: Vec<String>,
}

/// Plans a run over the cores of a mesh, of which some may be out of its reach.
pub(super) fn plan(cores: &[CoreState]) -> Plan {
    let mut plan = Plan::default();
    let ours = || cores.iter().filter(|core| core.is_ours);
    for core in ours() {
        plan.refusals.extend(obstacles(core, cores));
    }
    if !plan.refusals.is_empty() {
        return plan;
    }
    plan.stop_and_databases(cores);
    plan.components(cores);
    plan.uploads(cores);
    plan.leave_out(cores);
    plan.verification(cores);
    plan
}

/// What other cores lack that this core's part builds on.
fn obstacles(core: &CoreState, cores: &[CoreState]) -> Vec<String> {
    let mut found = Vec::new();
    for other in cores.iter().filter(|other| !other.is_ours) {
        let lacks = |step: &str, what: &str| format!("{} lacks {step}: {what}", other.name);
        match (core.is_source, core.stage, other.is_source, other.stage) {
            // MM-4 and MM-5 hold everywhere before MM-6.
            (false, Stage::Start | Stage::Stopped, _, Stage::Start) => {
                found.push(lacks(
                    "MM-4",
                    &format!("still running there: {}", brief(&other.running)),
                ));
            }
            (false, Stage::Start | Stage::Stopped, true, Stage::Begun | Stage::Complete) => found
                .push(format!(
                    "{} has begun MM-7 although {} lacks MM-6; that is out of order, inspect both",
                    other.name, core.name
                )),
            // MM-7 holds before MM-8 and MM-9.
            (
                false,
                Stage::Database | Stage::Begun,
                true,
                Stage::Start | Stage::Stopped | Stage::Database,
            ) => {
                found.push(lacks("MM-7", "none of its components is upgraded"));
            }
            (false, Stage::Database | Stage::Begun, true, Stage::Begun) => {
                found.push(lacks("MM-7", "not all of its components are upgraded"));
            }
            // MM-6 of all destinations holds before MM-7.
            (
                true,
                Stage::Start | Stage::Stopped | Stage::Begun,
                false,
                Stage::Start | Stage::Stopped,
            ) => {
                found.push(lacks("MM-6", "its database is not upgraded"));
            }
            // MM-9 of all destinations holds before the uploads.
            (true, Stage::Complete, false, stage)
                if stage != Stage::Complete && !(core.has_content && core.has_stage2) =>
            {
                found.push(lacks("MM-9", "not all of its components are upgraded"));
            }
            _ => {}
        }
    }
    found
}

/// A list that fits a line.
fn brief(names: &[String]) -> String {
    match names {
        [one, two, three, rest @ ..] if !rest.is_empty() => {
            format!("{one}, {two}, {three} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}

impl Plan {
    fn step(&mut self, id: &'static str, cores: &[CoreState], due: impl Fn(&CoreState) -> bool) {
        let names: Vec<String> = cores
            .iter()
            .filter(|core| core.is_ours && due(core))
            .map(|core| core.name.clone())
            .collect();
        if !names.is_empty() {
            self.steps.insert(id, names);
        }
    }

    /// MM-2 to MM-6.
    fn stop_and_databases(&mut self, cores: &[CoreState]) {
        let before = |core: &CoreState| matches!(core.stage, Stage::Start | Stage::Stopped);
        self.step("MM-2", cores, |core| core.is_source && before(core));
        self.step("MM-3", cores, |core| !core.is_source && before(core));
        self.step("MM-4", cores, before);
        self.step("MM-5", cores, before);
        self.step("MM-6", cores, |core| {
            !core.is_source && (before(core) || core.stage == Stage::Database)
        });
    }

    /// MM-7 to MM-9: the source once every database is ready, the destinations once it is done.
    fn components(&mut self, cores: &[CoreState]) {
        let reaches_database =
            |core: &CoreState| core.is_ours || core.is_source || core.stage >= Stage::Database;
        let reaches_source =
            |core: &CoreState| !core.is_source || core.is_ours || core.stage == Stage::Complete;
        if cores.iter().all(reaches_database) {
            self.step("MM-7", cores, |core| {
                core.is_source && core.stage != Stage::Complete
            });
        }
        if cores
            .iter()
            .all(|core| reaches_database(core) && reaches_source(core))
        {
            let left = |core: &CoreState| !core.is_source && core.stage != Stage::Complete;
            self.step("MM-8", cores, left);
            self.step("MM-9", cores, left);
        }
    }

    /// MM-10 to MM-12: content once, on the source; stage2 everywhere, the source first.
    fn uploads(&mut self, cores: &[CoreState]) {
        let upgraded = |core: &CoreState, plan: &Self| {
            core.stage == Stage::Complete
                || ["MM-7", "MM-9"]
                    .iter()
                    .any(|id| plan.is_due(id, &core.name))
        };
        if cores.iter().all(|core| upgraded(core, self)) {
            self.step("MM-10", cores, |core| core.is_source && !core.has_content);
            self.step("MM-11", cores, |core| core.is_source && !core.has_stage2);
        }
        let source_ready = cores.iter().filter(|core| core.is_source).all(|core| {
            (core.has_content || self.is_due("MM-10", &core.name))
                && (core.has_stage2 || self.is_due("MM-11", &core.name))
        });
        if source_ready {
            let plan = self.clone();
            self.step("MM-12", cores, |core| {
                !core.is_source && !core.has_stage2 && upgraded(core, &plan)
            });
        }
    }

    /// MM-13 for every core of ours that this run completes, MM-14 when nothing is left in the mesh.
    fn verification(&mut self, cores: &[CoreState]) {
        let touched = |core: &CoreState, plan: &Self| {
            plan.steps.values().any(|names| names.contains(&core.name))
        };
        let plan = self.clone();
        let completes = |core: &CoreState| {
            touched(core, &plan)
                && (core.stage == Stage::Complete
                    || ["MM-7", "MM-9"]
                        .iter()
                        .any(|id| plan.is_due(id, &core.name)))
        };
        self.step("MM-13", cores, completes);
        if self.left_out.is_empty() {
            self.step("MM-14", cores, |core| touched(core, &plan));
        }
    }

    fn is_due(&self, id: &str, core: &str) -> bool {
        self.steps
            .get(id)
            .is_some_and(|names| names.iter().any(|name| name == core))
    }

    /// What remains when this run is done, core by core.
    fn leave_out(&mut self, cores: &[CoreState]) {
        for core in cores {
            let mut steps: Vec<&str> = Vec::new();
            if core.stage != Stage::Complete {
                let own: &[&str] = match (core.is_source, core.stage) {
                    (true, Stage::Begun | Stage::Database) => &["MM-7"],
                    (true, _) => &["MM-2", "MM-4", "MM-5", "MM-7"],
                    (false, Stage::Database | Stage::Begun) => &["MM-8", "MM-9"],
                    (false, _) => &["MM-3", "MM-4", "MM-5", "MM-6", "MM-8", "MM-9"],
                };
                steps.extend(own.iter().filter(|id| !self.is_due(id, &core.name)));
            }
            if core.is_source && !core.has_content && !self.is_due("MM-10", &core.name) {
                steps.push("MM-10");
            }
            let stage2 = if core.is_source { "MM-11" } else { "MM-12" };
            if !core.has_stage2 && !self.is_due(stage2, &core.name) {
                steps.push(stage2);
            }
            if !steps.is_empty() {
                self.left_out
                    .push(format!("{}: {}", core.name, steps.join(", ")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cores A (the source), B and C: stage, whether ours, content, stage2.
    fn mesh(rows: [(Stage, bool, bool, bool); 3]) -> Vec<CoreState> {
        ["a", "b", "c"]
            .iter()
            .zip(rows)
            .map(
                |(name, (stage, is_ours, has_content, has_stage2))| CoreState {
                    name: (*name).to_owned(),
                    is_source: *name == "a",
                    stage,
                    is_ours,
                    has_content,
                    has_stage2,
                    running: vec![format!("spin on {name}1")],
                },
            )
            .collect()
    }

    fn due(plan: &Plan) -> String {
        let mut steps: Vec<(u32, String)> = plan
            .steps
            .iter()
            .map(|(id, names)| {
                (
                    id[3..].parse().unwrap(),
                    format!("{}:{}", &id[3..], names.concat()),
                )
            })
            .collect();
        steps.sort();
        steps
            .into_iter()
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
            .join(" ")
    }

    use Stage::{Begun, Complete, Database, Start, Stopped};

    #[test]
    fn a_whole_mesh_goes_from_the_start_to_the_end() {
        let plan = plan(&mesh([(Start, true, false, false); 3]));
        assert_eq!(
            due(&plan),
            "2:a 3:bc 4:abc 5:abc 6:bc 7:a 8:bc 9:bc 10:a 11:a 12:bc 13:abc 14:abc"
        );
        assert_eq!((plan.refusals.len(), plan.left_out.len()), (0, 0));
    }

    #[test]
    fn a_done_mesh_has_nothing_due() {
        let plan = plan(&mesh([(Complete, true, true, true); 3]));
        assert_eq!(plan, Plan::default());
    }

    #[test]
    fn a_stopped_run_goes_on_where_it_stood() {
        let plan = plan(&mesh([
            (Begun, true, false, false),
            (Database, true, false, false),
            (Database, true, false, false),
        ]));
        assert_eq!(
            due(&plan),
            "6:bc 7:a 8:bc 9:bc 10:a 11:a 12:bc 13:abc 14:abc"
        );
    }

    #[test]
    fn one_core_does_its_part_when_the_others_stand_right() {
        let table = [
            // The others are stopped: up to its database.
            (
                [
                    (Stopped, false, false, false),
                    (Start, true, false, false),
                    (Stopped, false, false, false),
                ],
                "3:b 4:b 5:b 6:b",
            ),
            // The source is done: the rest of it.
            (
                [
                    (Complete, false, false, false),
                    (Database, true, false, false),
                    (Database, false, false, false),
                ],
                "6:b 8:b 9:b 13:b",
            ),
            // The source has content and stage2: its own stage2 too.
            (
                [
                    (Complete, false, true, true),
                    (Database, true, false, false),
                    (Complete, false, false, true),
                ],
                "6:b 8:b 9:b 12:b 13:b 14:b",
            ),
            // The source, with the destinations' databases ready.
            (
                [
                    (Stopped, true, false, false),
                    (Database, false, false, false),
                    (Database, false, false, false),
                ],
                "2:a 4:a 5:a 7:a 13:a",
            ),
            // The source's uploads, with every core done.
            (
                [
                    (Complete, true, false, false),
                    (Complete, false, false, false),
                    (Complete, false, false, true),
                ],
                "10:a 11:a 13:a",
            ),
        ];
        for (rows, wanted) in table {
            let plan = plan(&mesh(rows));
            assert_eq!(plan.refusals, Vec::<String>::new());
            assert_eq!(due(&plan), wanted);
            assert!(!plan.left_out.is_empty() || rows[0].2, "{rows:?}");
        }
    }

    #[test]
    fn one_core_is_refused_when_the_others_lack_something() {
        type Row = ([(Stage, bool, bool, bool); 3], &'static [&'static str]);
        let table: &[Row] = &[
            (
                [
                    (Start, false, false, false),
                    (Start, true, false, false),
                    (Start, false, false, false),
                ],
                &["a lacks MM-4", "c lacks MM-4"],
            ),
            (
                [
                    (Stopped, false, false, false),
                    (Database, true, false, false),
                    (Complete, false, false, false),
                ],
                &["a lacks MM-7"],
            ),
            (
                [
                    (Begun, false, false, false),
                    (Database, true, false, false),
                    (Database, false, false, false),
                ],
                &["a lacks MM-7"],
            ),
            (
                [
                    (Start, true, false, false),
                    (Stopped, false, false, false),
                    (Database, false, false, false),
                ],
                &["b lacks MM-6"],
            ),
            (
                [
                    (Complete, true, false, false),
                    (Database, false, false, false),
                    (Complete, false, false, false),
                ],
                &["b lacks MM-9"],
            ),
            (
                [
                    (Complete, false, false, false),
                    (Start, true, false, false),
                    (Complete, false, false, false),
                ],
                &["out of order"],
            ),
        ];
        for (rows, wanted) in table {
            let plan = plan(&mesh(*rows));
            assert_eq!(plan.refusals.len(), wanted.len(), "{:?}", plan.refusals);
            for (refusal, words) in plan.refusals.iter().zip(*wanted) {
                assert!(refusal.contains(words), "{refusal}");
            }
            assert!(plan.steps.is_empty());
        }
    }

    #[test]
    fn what_is_left_to_others_is_named() {
        let plan = plan(&mesh([
            (Complete, false, false, false),
            (Database, true, false, false),
            (Database, false, false, false),
        ]));
        assert_eq!(
            plan.left_out,
            ["a: MM-10, MM-11", "b: MM-12", "c: MM-8, MM-9, MM-12"]
        );
    }
}
