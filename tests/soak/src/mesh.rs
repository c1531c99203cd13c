//! T1 at the simulated mesh: the runner is killed at random moments of the upgrade. What the lab's
//! hosts saw must be an upgrade in order, with no component upgraded twice, and what is left a mesh as after any upgrade.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use saslab::snapshot::Snapshot;
use sasrun_scenarios::case::Variant;
use sasrun_scenarios::order::PROPERTIES;
use sasrun_scenarios::scene::{Programs, Scene};

use crate::run::{Started, has_begun};
use crate::trial::{Stage, Turn};
use crate::{Bench, Dice, Failure, system};

/// Times that a run is gone on with before it is given up on.
const MOST_RESUMES: u32 = 20;
/// Most kills of one run.
const MOST_KILLS: u64 = 2;
/// How long an upgrade may take.
const LIMIT: Duration = Duration::from_secs(900);

/// The mesh of the demo: three cores on nine hosts.
const MESH: &str = "{name: killed, base: lab, run: {expect: {}}}";

/// Gets ready to kill: upgrades undisturbed, twice, so that what is never the same is known.
pub(crate) fn begin(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    let (look, took) = undisturbed(bench)?;
    let (other, _) = undisturbed(bench)?;
    let differences = look.differences(&other);
    let never_same = differences.iter().map(|line| place(line)).collect();
    Ok(Box::new(Undisturbed {
        bench: bench.clone(),
        look,
        never_same,
        took,
    }))
}

/// The look of a mesh after an undisturbed upgrade, and how long that took.
fn undisturbed(bench: &Bench) -> Result<(Snapshot, Duration), Failure> {
    let mut upgrade = Upgrade::new(bench)?;
    let began = Instant::now();
    let mut started = upgrade.begin()?;
    let code = started.end_within(LIMIT)?.code();
    if code != Some(0) {
        return Err(started.failure(code));
    }
    let took = began.elapsed();
    Ok((upgrade.look()?, took))
}

/// The place that a difference names.
fn place(difference: &str) -> String {
    let (place, _) = difference.split_once(": ").unwrap_or((difference, ""));
    place.to_owned()
}

/// What an undisturbed upgrade leaves, and how long it takes.
struct Undisturbed {
    bench: Bench,
    look: Snapshot,
    /// Places that differ between any two upgrades.
    never_same: BTreeSet<String>,
    took: Duration,
}

impl Stage for Undisturbed {
    /// Kills one upgrade one or more times and judges what the hosts saw.
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let mut upgrade = Upgrade::new(&self.bench)?;
        self.kill(&mut upgrade, turn).map_err(|failure| {
            let places = [upgrade.scene.state(), upgrade.scene.lab.state.events()];
            let keep = |failure, place: &PathBuf| self.bench.keep(place, turn, failure);
            places.iter().fold(failure, keep)
        })
    }
}

impl Undisturbed {
    fn kill(&self, upgrade: &mut Upgrade, turn: Turn) -> Result<(), Failure> {
        let mut dice = Dice::new(turn.seed);
        for life in 0..=dice.below(MOST_KILLS) {
            let started = if life == 0 {
                upgrade.begin()?
            } else {
                upgrade.resume(&[])?
            };
            std::thread::sleep(dice.moment(self.took));
            if !started.kill()? {
                break;
            }
        }
        upgrade.finish()?;
        upgrade.judge(self)
    }
}

/// A lab that is upgraded.
struct Upgrade {
    scene: Scene,
    lives: u32,
}

impl Upgrade {
    fn new(bench: &Bench) -> Result<Self, Failure> {
        let variant: Variant =
            serde_yaml::from_str(MESH).map_err(|error| Failure::Lab(error.into()))?;
        let mut programs = Programs::find().map_err(Failure::Lab)?;
        if let Some(source) = &bench.source {
            programs.root = std::path::absolute(source).map_err(system("the source tree"))?;
        }
        let scene = Scene::set(&programs, &variant).map_err(Failure::Lab)?;
        Ok(Self { scene, lives: 0 })
    }

    fn begin(&mut self) -> Result<Started, Failure> {
        let playbook = self.scene.upgrade().display().to_string();
        let mesh = self.scene.mesh().display().to_string();
        self.start(&["playbook", &playbook, "-i", &mesh])
    }

    fn resume(&mut self, more: &[&str]) -> Result<Started, Failure> {
        if !has_begun(&self.scene.state()) {
            return self.begin();
        }
        let mut arguments = vec!["resume", "last"];
        arguments.extend(more);
        self.start(&arguments)
    }

    fn start(&mut self, arguments: &[&str]) -> Result<Started, Failure> {
        self.lives += 1;
        let said = self.scene.state().join(format!("said-{}", self.lives));
        let made = fs::create_dir_all(self.scene.state());
        let what = format!("sasrun {}", arguments.join(" "));
        let system = |error| Failure::System(what.clone(), error);
        made.map_err(system)?;
        let out = fs::File::create(&said).map_err(system)?;
        let errors = out.try_clone().map_err(system)?;
        let mut command = self.scene.sasrun();
        command.args(arguments).stdout(out).stderr(errors);
        command.stdin(Stdio::null());
        let child = command.spawn().map_err(system)?;
        Ok(Started { what, child, said })
    }

    /// Goes on until the upgrade is done. Steps whose end is not known are done again: the procedure
    /// looks at what is there before it changes anything.
    fn finish(&mut self) -> Result<(), Failure> {
        let mut decision: Vec<String> = Vec::new();
        for _ in 0..MOST_RESUMES {
            let more: Vec<&str> = decision.iter().map(String::as_str).collect();
            let mut started = self.resume(&more)?;
            let code = started.end_within(LIMIT)?.code();
            match code {
                Some(0) => return Ok(()),
                Some(7) => {
                    decision = started
                        .unknown_steps()
                        .into_iter()
                        .flat_map(|(step, _)| ["--repeat".to_owned(), step])
                        .collect();
                }
                code => return Err(started.failure(code)),
            }
        }
        Err(Failure::Hangs("going on".to_owned(), String::new()))
    }

    /// How often each component of each host was upgraded.
    fn done(&self) -> Result<BTreeMap<String, u32>, Failure> {
        let events = self.scene.lab.events().map_err(Failure::Lab)?;
        let mut done = BTreeMap::new();
        for event in events {
            let is_end = event.what == "installer.component.end"
                && event.details.get("result").and_then(|r| r.as_str()) == Some("SUCCESS");
            if is_end {
                let component = event.details.get("component").and_then(|c| c.as_str());
                let key = format!("{} {}", event.host, component.unwrap_or_default());
                *done.entry(key).or_default() += 1;
            }
        }
        Ok(done)
    }

    /// What upgrades leave: what the software keeps of its versions and of the mesh, what runs, and where it listens.
    fn look(&self) -> Result<Snapshot, Failure> {
        let mut look = self.scene.lab.snapshot().map_err(Failure::Lab)?;
        for host in look.hosts.values_mut() {
            host.files.clear();
            host.mounts.clear();
            // When something began is not what matters.
            host.processes
                .iter_mut()
                .for_each(|process| process.pid = 0);
            host.processes.sort();
            host.ports.sort();
        }
        Ok(look)
    }

    fn judge(&self, usual: &Undisturbed) -> Result<(), Failure> {
        let twice = self.done()?.into_iter().find(|(_, times)| *times > 1);
        if let Some((component, times)) = twice {
            return Err(Failure::Upgrade(format!(
                "{component} was upgraded {times} times"
            )));
        }
        let differences = usual.look.differences(&self.look()?);
        let is_new = |line: &&String| !usual.never_same.contains(&place(line));
        let differences: Vec<&String> = differences.iter().filter(is_new).collect();
        if let Some(first) = differences.first() {
            let count = differences.len();
            return Err(Failure::Upgrade(format!(
                "the mesh is not as usual, {count} difference(s): {first}"
            )));
        }
        let events = self.scene.lab.events().map_err(Failure::Lab)?;
        let violation = PROPERTIES
            .iter()
            .find_map(|property| property.violation(&self.scene.world, &events));
        match violation {
            Some(violation) => Err(Failure::Upgrade(violation)),
            None => Ok(()),
        }
    }
}
