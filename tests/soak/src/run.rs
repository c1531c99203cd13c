//! A site with the playbook of ledgers, and the program run, cut off and gone on with in it.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sasrun_journal::ReadError;
use tempfile::TempDir;

use crate::sshd::Sshd;
use crate::{Bench, Failure, Ledger, playbook, sshd, system};

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);
/// How long what a killed runner leaves behind may take to end.
const LONGEST_REST: Duration = Duration::from_secs(20);
/// Times that a run is gone on with before it is given up on.
const MOST_RESUMES: u32 = 60;
/// Variable by which what a run started is known.
const MARK: &str = "SASRUN_SOAK";
/// Signals that a process may ignore from its beginning.
const IGNORABLE: [Signal; 3] = [Signal::HUP, Signal::INT, Signal::TERM];
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A folder with a playbook, an inventory and the state of runs.
pub(crate) struct Site {
    folder: TempDir,
    program: PathBuf,
    mark: String,
    started: Cell<u32>,
    /// What the hosts are reached through; none for local ones.
    _server: Option<Sshd>,
}

/// A program that was started.
pub(crate) struct Started {
    pub(crate) what: String,
    pub(crate) child: Child,
    pub(crate) said: PathBuf,
}

impl Site {
    /// A folder with the playbook of ledgers.
    pub(crate) fn new(bench: &Bench) -> Result<Self, Failure> {
        let site = Self::empty(bench)?;
        let local = vec!["ansible_connection=local".to_owned()];
        let hosts = vec![local; playbook::HOSTS];
        playbook::write(site.folder(), &hosts).map_err(system("the playbook"))?;
        Ok(site)
    }

    /// A folder with the playbook of ledgers, whose hosts are reached over SSH.
    pub(crate) fn over_ssh(bench: &Bench) -> Result<Self, Failure> {
        let mut site = Self::empty(bench)?;
        let variable = format!("{MARK}={}", site.mark);
        let server =
            Sshd::start(site.folder(), playbook::HOSTS, &variable).map_err(system("sshd"))?;
        let hosts: io::Result<Vec<_>> = (0..playbook::HOSTS)
            .map(|host| server.variables(sshd::address(host), server.port))
            .collect();
        let hosts = hosts.map_err(system("a key"))?;
        playbook::write(site.folder(), &hosts).map_err(system("the playbook"))?;
        site._server = Some(server);
        Ok(site)
    }

    /// A folder with nothing in it.
    pub(crate) fn empty(bench: &Bench) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("sasrun-soak-")
            .tempdir()
            .map_err(|error| Failure::System("a folder".to_owned(), error))?;
        Ok(Self {
            program: bench.program.clone(),
            mark: folder.path().display().to_string(),
            started: Cell::new(0),
            _server: None,
            folder,
        })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Begins the run.
    pub(crate) fn begin(&self) -> Result<Started, Failure> {
        self.start(&["playbook", "-i", "hosts.ini", "site.yml"])
    }

    /// Goes on with the run; begins it when nothing of it was recorded.
    pub(crate) fn resume(&self, more: &[&str]) -> Result<Started, Failure> {
        if !has_begun(&self.folder.path().join("state")) {
            return self.begin();
        }
        let mut arguments = vec!["resume", "last"];
        arguments.extend(more);
        self.start(&arguments)
    }

    /// Starts the program with arguments.
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Started, Failure> {
        if !IGNORABLE.iter().any(|signal| ignores("self", *signal)) {
            return self.start_by(Command::new(&self.program), arguments);
        }
        // What this process ignores (nohup, a shell's background), whatever it starts would ignore too.
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP,INT,TERM");
        command.arg(&self.program);
        self.start_by(command, arguments)
    }

    /// Starts the program where no file may become longer than so many bytes: what would, fails as on a full disk.
    pub(crate) fn start_limited(&self, bytes: u64, arguments: &[&str]) -> Result<Started, Failure> {
        let mut command = Command::new("/bin/sh");
        // The signal that comes with it is left aside, so that the write fails.
        let line = "trap '' XFSZ; size=$1; shift; exec prlimit --fsize=$size -- \"$@\"";
        command.args(["-c", line, "sh", &bytes.to_string()]);
        command.arg(&self.program);
        self.start_by(command, arguments)
    }

    fn start_by(&self, mut command: Command, arguments: &[&str]) -> Result<Started, Failure> {
        let what = format!("sasrun {}", arguments.join(" "));
        let system = |error| Failure::System(what.clone(), error);
        let number = self.started.get();
        self.started.set(number + 1);
        let said = self.folder.path().join(format!("said-{number}"));
        let out = fs::File::create(&said).map_err(system)?;
        let errors = out.try_clone().map_err(system)?;
        let child = command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("USER", "tester")
            .env("SASRUN_STATE", self.folder.path().join("state"))
            .env(MARK, &self.mark)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .map_err(system)?;
        Ok(Started { what, child, said })
    }

    /// Waits until all that runs of this site started is gone, as a person would who looks at a
    /// host before deciding about it.
    pub(crate) fn rest(&self) -> Result<(), Failure> {
        let began = Instant::now();
        while self.has_processes() {
            if began.elapsed() > LONGEST_REST {
                return Err(Failure::Hangs("what a run left".to_owned(), String::new()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn has_processes(&self) -> bool {
        let mark = format!("{MARK}={}", self.mark).into_bytes();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut environments =
            processes.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
        environments.any(|environment| environment.split(|byte| *byte == 0).any(|one| one == mark))
    }

    pub(crate) fn ledger(&self) -> Result<Ledger, Failure> {
        Ledger::read(&self.folder.path().join("ledger"))
            .map_err(|error| Failure::System("the ledgers".to_owned(), error))
    }

    /// Goes on with a run that was cut off, once all that it left is gone.
    pub(crate) fn finish_killed(&self) -> Result<(), Failure> {
        self.rest()?;
        self.finish()
    }

    /// Goes on with the run until it is done; decides about steps whose end is not known by what
    /// the ledgers say.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let mut decision: Vec<String> = Vec::new();
        for _ in 0..MOST_RESUMES {
            let more: Vec<&str> = decision.iter().map(String::as_str).collect();
            let mut started = self.resume(&more)?;
            let status = started.end()?;
            match status.code() {
                Some(0) => return self.rest(),
                Some(7) => decision = self.decide(&started)?,
                code => return Err(started.failure(code)),
            }
        }
        Err(Failure::Hangs(
            "going on with the run".to_owned(),
            String::new(),
        ))
    }

    /// Looks at the ledgers, as a person would look at the hosts. A task's name is that of its line.
    fn decide(&self, ended: &Started) -> Result<Vec<String>, Failure> {
        self.rest()?;
        let ledger = self.ledger()?;
        let mut decision = Vec::new();
        for (step, task) in ended.unknown_steps() {
            let host = step.split(':').next().unwrap_or_default();
            let is_done = ledger.count(host, &task.replace(' ', "-")) > 0;
            let word = if is_done { "--mark-done" } else { "--repeat" };
            decision.extend([word.to_owned(), step]);
        }
        Ok(decision)
    }
}

/// Whether there is a journal below a folder of state whose run came to its beginning.
pub(crate) fn has_begun(state: &Path) -> bool {
    let runs = fs::read_dir(state.join("runs"));
    let mut runs = runs.into_iter().flatten().flatten();
    runs.any(|run| {
        let found = sasrun_journal::read(&run.path().join("journal"));
        // Going on tells of damage.
        !matches!(
            found,
            Err(ReadError::NotBegun { .. } | ReadError::File { .. })
        )
    })
}

/// The text of a field of a result, as the report shows it.
fn field(line: &str, name: &str) -> Option<String> {
    let (_, after) = line.split_once(&format!("\"{name}\": \""))?;
    after.split('"').next().map(str::to_owned)
}

/// Whether a process ignores a signal, as far as can be seen.
fn ignores(process: &str, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mut masks = status
        .lines()
        .filter_map(|line| line.strip_prefix("SigIgn:"));
    let mask = masks
        .next()
        .map(|mask| u64::from_str_radix(mask.trim(), 16));
    mask.is_some_and(|mask| mask.is_ok_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1))
}

impl Started {
    /// Sends a signal, once it would not be lost.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let began = Instant::now();
        while ignores(&self.child.id().to_string(), signal) && began.elapsed() < LONGEST_REST {
            std::thread::sleep(LOOK_EVERY);
        }
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let sent = process.map(|process| kill_process(process, signal));
        match sent {
            Some(Err(error)) if error != rustix::io::Errno::SRCH => {
                Err(Failure::System(self.what.clone(), error.into()))
            }
            _ => Ok(()),
        }
    }

    /// Kills it; true when it was still running.
    pub(crate) fn kill(mut self) -> Result<bool, Failure> {
        let system = |error| Failure::System("kill".to_owned(), error);
        let is_running = self.child.try_wait().map_err(system)?.is_none();
        if is_running {
            self.child.kill().map_err(system)?;
            self.child.wait().map_err(system)?;
        }
        Ok(is_running)
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> Result<ExitStatus, Failure> {
        self.end_within(LIMIT)
    }

    pub(crate) fn end_within(&mut self, limit: Duration) -> Result<ExitStatus, Failure> {
        let began = Instant::now();
        loop {
            let ended = self.child.try_wait();
            let ended = ended.map_err(|error| Failure::System(self.what.clone(), error))?;
            if let Some(status) = ended {
                return Ok(status);
            }
            if began.elapsed() > limit {
                // It hangs; nothing more can be said of it.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return Err(Failure::Hangs(self.what.clone(), self.said()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Steps whose end it said is not known, each with the name of its task.
    pub(crate) fn unknown_steps(&self) -> Vec<(String, String)> {
        let said = self.said();
        let lines = said.lines().filter(|line| line.contains("UNKNOWN!"));
        lines
            .filter_map(|line| Some((field(line, "step")?, field(line, "task")?)))
            .collect()
    }

    /// Waits a moment for its end.
    pub(crate) fn end_soon(&mut self) -> Result<Option<ExitStatus>, Failure> {
        std::thread::sleep(LOOK_EVERY * 10);
        let ended = self.child.try_wait();
        ended.map_err(|error| Failure::System(self.what.clone(), error))
    }

    /// The most memory that it has taken so far.
    pub(crate) fn peak_kibibytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// What it said, on both streams.
    pub(crate) fn said(&self) -> String {
        let said = fs::read(&self.said).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }

    pub(crate) fn failure(&self, code: Option<i32>) -> Failure {
        let said = self.said();
        let last: Vec<&str> = said.lines().rev().take(30).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        Failure::Ended {
            what: self.what.clone(),
            code,
            said: last.join("\n"),
        }
    }
}
