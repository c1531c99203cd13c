//! Starting and stopping labs from outside, for the command line and for tests.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FlockOperation;
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::clock::DEFAULT_SCALE;
use crate::lab::options::{Options, Running, Sshd};
use crate::lab::prepare;
use crate::machine::namespaces;
use crate::paths::StateDir;
use crate::scenario::Scenario;

/// How long the end of a lab may take.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// How long the supervisor may take to answer.
const ASK_LIMIT: Duration = Duration::from_secs(90);

/// What a lab is to be started with.
#[derive(Debug, Clone)]
pub struct Start {
    pub inventory: PathBuf,
    pub state: StateDir,
    pub scenario: Option<PathBuf>,
    pub sshd: Sshd,
    pub time_scale: f64,
    pub port: Option<u16>,
    /// The `saslab` program to run the lab with.
    pub program: PathBuf,
}

impl Start {
    /// A lab of this inventory and state directory, otherwise as usual, run by the given `saslab` program.
    pub fn new(
        program: impl Into<PathBuf>,
        inventory: impl Into<PathBuf>,
        state: impl Into<PathBuf>,
    ) -> Self {
        Self {
            inventory: inventory.into(),
            state: StateDir::new(state),
            scenario: None,
            sshd: Sshd::Embedded,
            time_scale: DEFAULT_SCALE,
            port: None,
            program: program.into(),
        }
    }

    /// Starts the lab and returns once every host answers.
    pub fn up(&self) -> Result<Running> {
        let state = absolute(&self.state)?;
        if is_running(&state) {
            bail!(
                "a lab runs in {} already: stop it with `saslab down`",
                state.path().display()
            );
        }
        // Refused here, in the foreground, whatever can be refused by reading.
        let world = crate::world::World::read(&self.inventory, self.port)?;
        if let Some(path) = &self.scenario {
            world.knows_hosts_of(&Scenario::read(path)?)?;
        }
        prepare::take_directory(&state)?;
        self.supervisor(&state)?;
        Ok(Running::read(&state)?)
    }

    fn supervisor(&self, state: &StateDir) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(state.log())?;
        let mut command = Command::new(&self.program);
        command
            .arg("supervise")
            .arg("--inventory")
            .arg(self.inventory.canonicalize()?);
        command
            .arg("--state")
            .arg(state.path())
            .arg("--time-scale")
            .arg(self.time_scale.to_string());
        command.arg("--sshd").arg(if self.sshd == Sshd::Embedded {
            "embedded"
        } else {
            "openssh"
        });
        if let Some(port) = self.port {
            command.arg("--port").arg(port.to_string());
        }
        if let Some(scenario) = &self.scenario {
            command.arg("--scenario").arg(scenario.canonicalize()?);
        }
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        namespaces::start_session(&mut command, false);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let mut out = child.stdout.take().context("the supervisor has no voice")?;
        let mut said = [0_u8; 6];
        if out.read_exact(&mut said).is_ok() && &said == b"ready\n" {
            return Ok(());
        }
        let _ = child.kill();
        let _ = child.wait();
        let log = std::fs::read_to_string(state.log()).unwrap_or_default();
        bail!(
            "the lab did not start: {}",
            log.trim().trim_start_matches("saslab: ")
        )
    }
}

/// Tells whether a lab runs in this state directory.
pub fn is_running(state: &StateDir) -> bool {
    let Ok(file) = File::open(state.lock()) else {
        return false;
    };
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

/// Stops the lab; answers whether one ran. Its files stay, to be looked at.
pub fn down(state: &StateDir) -> Result<bool> {
    if !is_running(state) {
        return Ok(false);
    }
    let running = match Running::read(state) {
        Ok(running) => running,
        Err(error) => bail!("the lab is still starting, or its state is damaged: {error}"),
    };
    let supervisor = pid_fd(running.supervisor_pid).context("the supervisor has ended")?;
    let hosts = running.hosts.values();
    let pids = hosts.flat_map(|host| host.init_pid.into_iter().chain([host.keeper_pid]));
    let processes: Vec<OwnedFd> = pids.filter_map(pid_fd).collect();
    // The lock is looked at once more: while it is held, the pid cannot be another process's.
    if ask(state, "stop").is_err() && is_running(state) {
        rustix::process::pidfd_send_signal(&supervisor, Signal::KILL)?;
    }
    let deadline = Instant::now() + STOP_LIMIT;
    for process in processes.iter().chain([&supervisor]) {
        if !ended(process, deadline)? {
            bail!("a process of the lab does not end");
        }
    }
    for file in [state.running(), state.pid(), state.control()] {
        let _ = std::fs::remove_file(file);
    }
    Ok(true)
}

/// Asks the supervisor for something: `reboot NAME` or `halt NAME`.
pub fn ask(state: &StateDir, request: &str) -> Result<()> {
    let dir = File::open(state.path())?;
    let short = format!("/proc/self/fd/{}/control", dir.as_raw_fd());
    let mut stream = UnixStream::connect(short).context("no lab runs here")?;
    stream.set_read_timeout(Some(ASK_LIMIT))?;
    stream.write_all(request.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.trim() {
        "ok" => Ok(()),
        other => bail!("{}", other.trim_start_matches("error: ")),
    }
}

/// Puts another scenario in force while the lab runs.
pub fn change_scenario(state: &StateDir, file: &Path) -> Result<()> {
    let scenario = Scenario::read(file)?;
    put_scenario(state, &scenario)
}

/// Puts this scenario in force while the lab runs.
pub fn put_scenario(state: &StateDir, scenario: &Scenario) -> Result<()> {
    let place = state.mesh().scenario();
    let new = place.with_extension("new");
    std::fs::write(&new, serde_json::to_vec_pretty(scenario)?)?;
    std::fs::rename(&new, &place)?;
    Ok(())
}

/// The directory by its full name, which need not exist.
pub fn absolute(state: &StateDir) -> Result<StateDir> {
    Ok(StateDir::new(std::path::absolute(state.path())?))
}

/// The options that a lab was started with.
pub fn options(state: &StateDir) -> Result<Options> {
    Options::read(state)
        .with_context(|| format!("{} is no lab's directory", state.path().display()))
}

fn pid_fd(pid: i32) -> Option<OwnedFd> {
    rustix::process::pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

fn ended(process: &impl AsFd, deadline: Instant) -> Result<bool> {
    let rest = deadline.saturating_duration_since(Instant::now());
    let limit = Timespec {
        tv_sec: i64::try_from(rest.as_secs())?,
        tv_nsec: i64::from(rest.subsec_nanos()),
    };
    let mut fds = [PollFd::new(process, PollFlags::IN)];
    Ok(poll(&mut fds, Some(&limit))? > 0)
}
