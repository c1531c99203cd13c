//! A scene: a lab, a mesh file that leads there, and runs of the real `sasrun` with the real plugins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};
use saslab::events::Event;
use saslab::lab::control;
use saslab::lab::trial::Trial;
use saslab::snapshot::Snapshot;
use saslab::standin::response::parameters::secrets;
use saslab::world::{Component, World};
use serde_yaml::Value;

use crate::case::{Base, Exec, Run, Step, Variant, lay_over};
use crate::clock;
use crate::order;
use crate::pattern::Pattern;
use crate::watch::Watch;

/// The domain's plugins.
const PLUGINS: &[&str] = &["opsware", "gateway", "media", "oracle"];

/// How fast a person presses Ctrl-C again.
const BETWEEN_INTERRUPTS: Duration = Duration::from_millis(700);

/// How much faster than life the lab runs here.
const TIME_SCALE: f64 = 240.0;

/// How often a gateway is restarted to see how long that takes.
const RESTARTS: usize = 3;

/// The programs, installed below a folder of their own as `make install` would.
#[derive(Debug, Clone)]
pub struct Programs {
    pub sasrun: PathBuf,
    pub saslab: PathBuf,
    /// The repository.
    pub root: PathBuf,
}

impl Programs {
    /// Installs what is built beside this program; `SASRUN_BIN` names another `sasrun`, plugins and all.
    pub fn find() -> Result<Self> {
        let here = std::env::current_exe()?;
        let mut built = here.parent().context("this program lies nowhere")?;
        if built.ends_with("deps") {
            built = built.parent().context("this program lies nowhere")?;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("the repository is not where it was built")?
            .to_owned();
        let saslab = built.join("saslab");
        if let Some(sasrun) = std::env::var_os("SASRUN_BIN") {
            return Ok(Self {
                sasrun: sasrun.into(),
                saslab,
                root,
            });
        }
        let prefix = built.join("scenarios-prefix");
        let sasrun = install(&built.join("sasrun"), &prefix.join("bin"))?;
        for plugin in PLUGINS {
            let library = format!("lib{plugin}.so");
            install(&built.join(library), &prefix.join("lib/sasrun/plugins"))?;
        }
        Ok(Self {
            sasrun,
            saslab,
            root,
        })
    }
}

/// Puts a file into a folder under a name that is complete whenever it is there.
fn install(file: &Path, folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let place = folder.join(file.file_name().context("no file name")?);
    let new = place.with_extension(format!("new.{}", std::process::id()));
    let _ = fs::remove_file(&new);
    fs::hard_link(file, &new)
        .or_else(|_| fs::copy(file, &new).map(|_| ()))
        .with_context(|| format!("{} is not built", file.display()))?;
    fs::rename(&new, &place)?;
    // Two names of one file are no rename at all.
    let _ = fs::remove_file(&new);
    Ok(place)
}

/// A lab in which runs take place.
pub struct Scene {
    pub world: World,
    pub lab: Trial,
    programs: Programs,
    dir: tempfile::TempDir,
    runs: usize,
    /// Whether the runs have a clock of their own.
    has_clock: bool,
}

/// What came of one run.
pub struct Outcome {
    /// Name of the playbook.
    pub procedure: String,
    /// None for a run that took too long and was ended.
    pub status: Option<ExitStatus>,
    pub output: String,
    /// What the lab saw during the run.
    pub events: Vec<Event>,
    pub before: Snapshot,
    pub after: Snapshot,
    /// What was wrong with runs beside it, in a sentence each.
    pub rivals: Vec<String>,
    pub took: Duration,
    /// Secrets that processes on hosts showed, in a sentence each.
    pub shown: Vec<String>,
}

impl Scene {
    /// Starts the lab of a variant.
    pub fn set(programs: &Programs, variant: &Variant) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("scene-").tempdir()?;
        let mut mesh = base(programs, variant.base)?;
        lay_over(&mut mesh, &variant.mesh);
        let lab_mesh = dir.path().join("lab.yml");
        fs::write(&lab_mesh, serde_yaml::to_string(&mesh)?)?;
        let scenario = scenario_text(&variant.scenario)?;
        let lab = Trial::start_with(&programs.saslab, &lab_mesh, &scenario, |start| {
            start.time_scale = TIME_SCALE;
        })?;
        let world = World::read(&lab_mesh, Some(lab.port))?;
        let scene = Self {
            world,
            lab,
            programs: programs.clone(),
            dir,
            runs: 0,
            has_clock: false,
        };
        lay_over(&mut mesh, &scene.ways_in());
        lay_over(&mut mesh, &variant.inventory);
        let state = scene.lab.state.path().display().to_string();
        let mut text = serde_yaml::to_string(&mesh)?.replace("@LAB@", &state);
        for (old, new) in &variant.replace {
            if !text.contains(old) {
                bail!("the mesh file has no {old:?} to replace");
            }
            text = text.replacen(old, new, 1);
        }
        fs::write(scene.mesh(), text)?;
        for (host, seconds) in &variant.clocks {
            clock::set_on_host(scene.folder(), &scene.lab.state.root(host), *seconds)?;
        }
        scene.execute(&variant.prepare)?;
        Ok(scene)
    }

    /// The folder in which everything of the scene but the lab is.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// The mesh file that leads to the lab.
    pub fn mesh(&self) -> PathBuf {
        self.dir.path().join("mesh.yml")
    }

    /// The program, to be run where the scene is.
    pub fn sasrun(&self) -> Command {
        let mut command = Command::new(&self.programs.sasrun);
        command
            .env("SASRUN_STATE", self.state())
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// The playbook of the whole upgrade.
    pub fn upgrade(&self) -> PathBuf {
        self.programs.root.join("playbooks/multimaster.yml")
    }

    /// The folder in which `sasrun` keeps its own state.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The events file of the last run.
    pub fn events_file(&self) -> PathBuf {
        self.events_file_of(self.runs)
    }

    /// The events file of the run before the last.
    pub fn events_file_before(&self) -> PathBuf {
        self.events_file_of(self.runs.saturating_sub(1))
    }

    fn events_file_of(&self, run: usize) -> PathBuf {
        self.dir.path().join(format!("events.{run}.jsonl"))
    }

    /// What a run said: this one, or one that was so many runs before.
    pub(crate) fn output_file(&self, before: usize) -> PathBuf {
        let run = self.runs.saturating_sub(before);
        self.dir.path().join(format!("output.{run}"))
    }

    /// How the hosts of the lab are reached.
    fn ways_in(&self) -> Value {
        let state = self.lab.state.path();
        let text = |path: PathBuf| Value::from(path.display().to_string());
        let mut vars = serde_yaml::Mapping::new();
        vars.insert("ansible_port".into(), u64::from(self.lab.port).into());
        vars.insert("ansible_user".into(), "root".into());
        vars.insert(
            "ansible_ssh_private_key_file".into(),
            text(state.join("keys/operator")),
        );
        vars.insert(
            "ansible_ssh_known_hosts_file".into(),
            text(state.join("known_hosts")),
        );
        let mut top = serde_yaml::Mapping::new();
        top.insert("vars".into(), vars.into());
        top.into()
    }

    pub(crate) fn execute(&self, commands: &[Exec]) -> Result<()> {
        for one in commands {
            let output = self.lab.exec(&one.host, &one.command)?;
            if output.status != Some(0) {
                bail!("{}: {}: {}", one.host, one.command, output.text());
            }
        }
        Ok(())
    }

    /// How long agents are without a core gateway while their own is restarted: the longest of a few times.
    pub fn measure_restart(&self) -> Result<u64> {
        let mut hosts = self.world.core_hosts();
        let host = hosts
            .find(|host| host.has(Component::Gateway))
            .context("the mesh has no gateway")?;
        let mut longest = 0;
        for _ in 0..RESTARTS {
            let seen = self.lab.events()?.len();
            self.execute(&[Exec {
                host: host.name.clone(),
                command: "/etc/init.d/opsware-sas restart opswgw-agw0".to_owned(),
            }])?;
            // Agents measure by the lab's clock; a busy machine takes its time.
            let end = Instant::now() + Duration::from_secs(60);
            let gap = loop {
                let events = self.lab.events()?;
                if let Some(gap) = order::longest(events.get(seen..).unwrap_or_default()) {
                    break gap;
                }
                if Instant::now() >= end {
                    bail!("{}: nobody measured the restart of the gateway", host.name);
                }
                std::thread::sleep(Duration::from_millis(20));
            };
            longest = longest.max(gap.ms);
        }
        Ok(longest)
    }

    /// Carries out one run and looks at the lab before and after.
    pub fn run(&mut self, run: &Run) -> Result<Outcome> {
        self.runs += 1;
        if let Some(scenario) = &run.scenario {
            self.lab.change_scenario(&scenario_text(scenario)?)?;
        }
        if let Some(pattern) = &run.once {
            self.await_event(&Pattern::parse(pattern)?, run.limit)?;
        }
        self.execute(&run.prepare)?;
        let playbook = match &run.playbook {
            Some(text) => {
                let path = self.dir.path().join("case.yml");
                fs::write(&path, text)?;
                path
            }
            None => {
                let file = format!("playbooks/{}.yml", run.procedure);
                self.programs.root.join(file)
            }
        };
        let before = self.lab.snapshot()?;
        let seen = self.lab.events()?.len();
        let output = self.output_file(0);
        let out = fs::File::create(&output)?;
        let mut command = self.sasrun();
        match &run.sasrun {
            Some(words) => {
                command.args(self.words(words)?);
            }
            None => {
                command.arg("playbook").arg(&playbook).arg("-i");
                command.arg(self.mesh()).arg("--events");
                command.arg(self.events_file());
            }
        }
        self.has_clock |= run.own_clock;
        if self.has_clock {
            clock::give_to(&mut command, self.folder())?;
        }
        let mut child = command
            .args(&run.args)
            .stderr(out.try_clone()?)
            .stdout(out)
            .spawn()?;
        let began = Instant::now();
        let watch = if run.watch_processes {
            Some(Watch::begin(&self.lab, secrets(&self.world))?)
        } else {
            None
        };
        let mut rivals = Vec::new();
        let status = self.attend(&mut child, run, seen, &mut rivals);
        let took = began.elapsed();
        let shown = watch.map(Watch::end).unwrap_or_default();
        if !matches!(status, Ok(Some(_))) {
            let _ = child.kill();
            let _ = child.wait();
        }
        let events = self.lab.events()?;
        Ok(Outcome {
            procedure: run.procedure.clone(),
            status: status?,
            output: String::from_utf8_lossy(&fs::read(&output)?).into_owned(),
            events: events.into_iter().skip(seen).collect(),
            before,
            after: self.lab.snapshot()?,
            rivals,
            took,
            shown,
        })
    }

    /// Waits for the end of a run, with what happens meanwhile.
    fn attend(
        &self,
        child: &mut std::process::Child,
        run: &Run,
        seen: usize,
        rivals: &mut Vec<String>,
    ) -> Result<Option<ExitStatus>> {
        let end = Instant::now() + Duration::from_secs(run.limit);
        let mut steps: Vec<(Pattern, &Step)> = Vec::new();
        for step in &run.meanwhile {
            steps.push((Pattern::parse(&step.after)?, step));
        }
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            if !steps.is_empty() {
                let events = self.lab.events()?;
                let new = events.get(seen..).unwrap_or_default();
                let (due, later): (Vec<_>, Vec<_>) =
                    steps.into_iter().partition(|(pattern, step)| {
                        pattern.count(new) >= step.count && self.has_said(step)
                    });
                steps = later;
                for (_, step) in due {
                    if let Some(scenario) = &step.scenario {
                        self.lab.change_scenario(&scenario_text(scenario)?)?;
                    }
                    self.execute(step.exec.as_slice())?;
                    if let Some(host) = &step.halt {
                        control::ask(&self.lab.state, &format!("halt {host}"))?;
                    }
                    self.meddle(step, child.id(), rivals)?;
                    for time in 0..step.interrupts {
                        if time > 0 {
                            std::thread::sleep(BETWEEN_INTERRUPTS);
                        }
                        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                        rustix::process::kill_process(pid.context("no pid")?, Signal::INT)?;
                    }
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn base(programs: &Programs, base: Base) -> Result<Value> {
    let (path, quick) = match base {
        Base::Pair => (programs.root.join("tests/scenarios/meshes/pair.yml"), None),
        Base::Sixty => (programs.root.join("tests/scenarios/meshes/sixty.yml"), None),
        Base::Lab => (
            programs.root.join("inventories/lab/mesh.yml"),
            Some("policies: {mesh_state: {polls: 3, interval: 0.3}, service_limit: 30}"),
        ),
    };
    let mut mesh: Value = serde_yaml::from_str(&fs::read_to_string(path)?)?;
    if let Some(quick) = quick {
        lay_over(&mut mesh, &serde_yaml::from_str(quick)?);
    }
    Ok(mesh)
}

fn scenario_text(scenario: &Value) -> Result<String> {
    Ok(match scenario {
        Value::Null => String::new(),
        other => serde_yaml::to_string(other)?,
    })
}
