//! What happens to a run meanwhile: signals, lost connections, boots, a full disk, another run beside it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use saslab::lab::control;

use crate::case::{Rival, Sign, Step};
use crate::clock;
use crate::judge::{expression, files_below};
use crate::pattern::Pattern;
use crate::scene::Scene;

/// How long a connection that is to be cut may stay.
const CUT_LIMIT: Duration = Duration::from_secs(20);
/// How long a run that is to be turned away may take.
const RIVAL_LIMIT: Duration = Duration::from_secs(60);

impl Scene {
    /// Does to the run what a step says beyond commands and scenarios.
    pub(crate) fn meddle(&self, step: &Step, run: u32, rivals: &mut Vec<String>) -> Result<()> {
        if let Some(host) = &step.reboot {
            control::ask(&self.lab.state, &format!("reboot {host}"))?;
        }
        if let Some(host) = &step.cut {
            self.cut(host)?;
        }
        if let Some(seconds) = step.clock {
            clock::set(self.folder(), seconds)?;
        }
        if step.full_disk {
            self.fill_disk(run)?;
        }
        if let Some(rival) = &step.rival {
            rivals.extend(self.rival(rival)?);
        }
        if let Some(sign) = step.signal {
            kill_process(pid(run)?, sign.signal())?;
        }
        Ok(())
    }

    /// Waits for an event in all that the lab saw.
    pub(crate) fn await_event(&self, pattern: &Pattern, limit: u64) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(limit);
        while pattern.count(&self.lab.events()?) == 0 {
            if Instant::now() > end {
                bail!("what was to come before the run did not come");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Whether the run has said what the step waits for.
    pub(crate) fn has_said(&self, step: &Step) -> bool {
        let Some(text) = &step.said else { return true };
        let said = fs::read(self.output_file(0)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        expression(text).is_ok_and(|expression| expression.is_match(&said).unwrap_or(false))
    }

    /// The step that the run before this one asks about.
    fn asked_about(&self) -> Result<String> {
        let said = fs::read_to_string(self.output_file(1))?;
        let found = expression("--mark-done (\\S+?)[`\\s]")?.captures(&said)?;
        let step = found.and_then(|found| found.get(1));
        Ok(step
            .context("the run asks about no step")?
            .as_str()
            .to_owned())
    }

    /// Arguments in which what is in braces is filled in.
    pub(crate) fn words(&self, words: &[String]) -> Result<Vec<String>> {
        let mesh = self.mesh().display().to_string();
        let mut filled = Vec::new();
        for word in words {
            let mut word = word.replace("{mesh}", &mesh);
            if word.contains("{run}") {
                word = word.replace("{run}", &self.last_run()?);
            }
            if word.contains("{holder}") {
                word = word.replace("{holder}", &self.holder()?);
            }
            if word.contains("{step}") {
                word = word.replace("{step}", &self.asked_about()?);
            }
            filled.push(word);
        }
        Ok(filled)
    }

    /// The id of the run that was begun last.
    fn last_run(&self) -> Result<String> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(self.state().join("runs"))? {
            ids.push(entry?.file_name().to_string_lossy().into_owned());
        }
        ids.into_iter().max().context("there is no run yet")
    }

    /// The id of the run that has the mesh's lock.
    fn holder(&self) -> Result<String> {
        let mut locks = fs::read_dir(self.state().join("locks"))?;
        let lock = locks.next().context("no run has the lock")??;
        let claim: serde_json::Value = serde_json::from_slice(&fs::read(lock.path())?)?;
        let run = claim.get("run").and_then(serde_json::Value::as_str);
        Ok(run.context("the lock names no run")?.to_owned())
    }

    /// Cuts one connection of a host.
    fn cut(&self, host: &str) -> Result<()> {
        let faults = saslab::scenario::Scenario::in_force(&self.lab.state.mesh())?;
        let file = faults.host(host).ssh.cut_when_file.clone();
        let file = file.with_context(|| format!("{host} has no ssh.cut_when_file"))?;
        let file = self.lab.state.root(host).join(file.trim_start_matches('/'));
        fs::write(&file, "")?;
        let end = Instant::now() + CUT_LIMIT;
        while file.exists() {
            if Instant::now() > end {
                bail!("{host} had no connection to cut");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// No file of the run may become longer than its longest, its record, is now.
    fn fill_disk(&self, run: u32) -> Result<()> {
        let mut files = Vec::new();
        files_below(&self.state(), &mut files)?;
        let lengths = files.iter().filter_map(|file| fs::metadata(file).ok());
        let longest = lengths.map(|meta| meta.len()).max();
        let limit = Rlimit {
            current: Some(longest.context("the run keeps nothing")?),
            maximum: None,
        };
        prlimit(Some(pid(run)?), Resource::Fsize, limit)?;
        Ok(())
    }

    /// Runs another one to its end; what was wrong with it.
    fn rival(&self, rival: &Rival) -> Result<Vec<String>> {
        let mut command = self.sasrun();
        if rival.elsewhere {
            let home = self.folder().join("elsewhere");
            fs::create_dir_all(&home)?;
            command
                .env("HOME", &home)
                .env("SASRUN_STATE", home.join("state"));
        }
        match &rival.sasrun {
            Some(words) => command.args(self.words(words)?),
            None => command
                .arg("playbook")
                .arg(self.upgrade())
                .arg("-i")
                .arg(self.mesh()),
        };
        let (status, said) = ended(command)?;
        let mut wrong = Vec::new();
        if status != Some(rival.exit) {
            wrong.push(format!(
                "the other run: {status:?}, not {}: {said}",
                rival.exit
            ));
        }
        for text in &rival.says {
            if !expression(text)?.is_match(&said)? {
                wrong.push(format!("the other run does not say {text:?}: {said}"));
            }
        }
        Ok(wrong)
    }
}

impl Sign {
    fn signal(self) -> Signal {
        match self {
            Self::Int => Signal::INT,
            Self::Term => Signal::TERM,
            Self::Kill => Signal::KILL,
        }
    }
}

fn pid(run: u32) -> Result<Pid> {
    let pid = i32::try_from(run).ok().and_then(Pid::from_raw);
    pid.context("the run has no process")
}

/// Runs a program to its end within the limit: its code and what it said.
fn ended(mut command: Command) -> Result<(Option<i32>, String)> {
    let file = tempfile::NamedTempFile::new()?;
    let said = file.reopen()?;
    let mut child = command
        .stdin(Stdio::null())
        .stderr(said.try_clone()?)
        .stdout(said)
        .spawn()?;
    let end = Instant::now() + RIVAL_LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status.code();
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    Ok((status, fs::read_to_string(file.path())?))
}
