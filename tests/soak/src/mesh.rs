//! T1 at the simulated mesh: the runner is killed at random moments of the upgrade. What the lab's
//! hosts saw must be an upgrade in order, with no component upgraded twice.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sasrun_scenarios::case::Variant;
use sasrun_scenarios::order::PROPERTIES;
use sasrun_scenarios::scene::{Programs, Scene};

use crate::run::Started;
use crate::{Bench, Dice, Failure};

/// Times that a run is gone on with before it is given up on.
const MOST_RESUMES: u32 = 20;
/// Most kills of one run.
const MOST_KILLS: u64 = 2;
/// How long an upgrade may take.
const LIMIT: Duration = Duration::from_secs(300);

/// A property that counts beginnings and ends: an installer that ends with its connection tells no
/// end. That no component is upgraded twice is judged all the same.
const NOT_WITH_KILLS: &str = "one_installer_per_host";

/// A lab that is upgraded.
struct Upgrade {
    scene: Scene,
    lives: u32,
}

/// Kills one upgrade one or more times and judges what the hosts saw.
pub(crate) fn once(bench: &Bench, seed: u64) -> Result<(), Failure> {
    let usual = undisturbed(bench)?;
    let mut dice = Dice::new(seed);
    let mut upgrade = Upgrade::new(bench)?;
    for life in 0..=dice.below(MOST_KILLS) {
        let started = if life == 0 {
            upgrade.begin()?
        } else {
            upgrade.resume(&[])?
        };
        std::thread::sleep(dice.moment(usual.took));
        if !started.kill()? {
            break;
        }
    }
    upgrade.finish()?;
    upgrade.judge(usual)
}

/// What an undisturbed upgrade leaves, and how long it takes.
struct Undisturbed {
    done: BTreeMap<String, u32>,
    took: Duration,
}

fn undisturbed(bench: &Bench) -> Result<&'static Undisturbed, Failure> {
    static KNOWN: OnceLock<Undisturbed> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known);
    }
    let mut upgrade = Upgrade::new(bench)?;
    let began = Instant::now();
    let mut started = upgrade.begin()?;
    let code = started.end_within(LIMIT)?.code();
    if code != Some(0) {
        return Err(started.failure(code));
    }
    let took = began.elapsed();
    let done = upgrade.done()?;
    Ok(KNOWN.get_or_init(|| Undisturbed { done, took }))
}

impl Upgrade {
    fn new(_: &Bench) -> Result<Self, Failure> {
        let variant: Variant = serde_yaml::from_str("{name: killed, run: {expect: {}}}")
            .map_err(|error| Failure::Lab(error.into()))?;
        let programs = Programs::find().map_err(Failure::Lab)?;
        let scene = Scene::set(&programs, &variant).map_err(Failure::Lab)?;
        Ok(Self { scene, lives: 0 })
    }

    fn begin(&mut self) -> Result<Started, Failure> {
        let playbook = self.scene.upgrade().display().to_string();
        let mesh = self.scene.mesh().display().to_string();
        self.start(&["playbook", &playbook, "-i", &mesh])
    }

    fn resume(&mut self, more: &[&str]) -> Result<Started, Failure> {
        let runs = fs::read_dir(self.scene.state().join("runs"));
        let has_journal = runs.into_iter().flatten().flatten().any(|run| {
            fs::metadata(run.path().join("journal")).is_ok_and(|journal| journal.len() > 100)
        });
        if !has_journal {
            return self.begin();
        }
        let mut arguments = vec!["resume", "last"];
        arguments.extend(more);
        self.start(&arguments)
    }

    fn start(&mut self, arguments: &[&str]) -> Result<Started, Failure> {
        self.lives += 1;
        let said = self.scene.state().with_extension(self.lives.to_string());
        let what = format!("sasrun {}", arguments.join(" "));
        let system = |error| Failure::System(what.clone(), error);
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

    fn judge(&self, usual: &Undisturbed) -> Result<(), Failure> {
        let done = self.done()?;
        if done != usual.done {
            return Err(Failure::Upgrade(format!(
                "components upgraded: {done:?}, not {:?}",
                usual.done
            )));
        }
        let events = self.scene.lab.events().map_err(Failure::Lab)?;
        let violation = PROPERTIES
            .iter()
            .filter(|property| property.name != NOT_WITH_KILLS)
            .find_map(|property| property.violation(&self.scene.world, &events));
        match violation {
            Some(violation) => Err(Failure::Upgrade(violation)),
            None => Ok(()),
        }
    }
}
