//! The supervisor: owns the lab's namespaces and keeps its hosts. When it ends, everything of the lab ends with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{SocketAddrV4, TcpListener};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FlockOperation;
use rustix::process::{Pid, WaitOptions};

use crate::clock::Clock;
use crate::lab::options::{Options, Running, RunningHost, Sshd};
use crate::lab::prepare;
use crate::machine::mounts;
use crate::machine::namespaces::{self, Rights};
use crate::machine::netlink::Network;
use crate::paths::StateDir;
use crate::scenario::Scenario;
use crate::standin::gateway::lifeline;
use crate::world::{Host, World};

/// How long a host may take from its start to its first answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A host that has been started.
struct Keeper {
    child: Child,
    says: BufReader<ChildStdout>,
    init_pid: Option<i32>,
}

/// Everything the supervisor holds.
struct Supervisor {
    state: StateDir,
    world: World,
    listeners: BTreeMap<String, Option<TcpListener>>,
    keepers: BTreeMap<String, Keeper>,
    rights: Rights,
    /// Locked for as long as this process lives.
    _lock: File,
}

/// Runs a lab until it is told to stop; says `ready` on stdout once every host answers.
pub fn run(
    state: StateDir,
    options: Options,
    port: Option<u16>,
    scenario: Scenario,
) -> Result<ExitCode> {
    let world = World::read(&options.inventory, port)?;
    world.knows_hosts_of(&scenario)?;
    let lock = lock(&state)?;
    let listeners = listen(&world, &scenario)?;
    let rights = namespaces::enter_lab().context(
        "cannot make namespaces: run as root, or allow user namespaces to plain users \
         (kernel.unprivileged_userns_clone=1, user.max_user_namespaces>0, \
         kernel.apparmor_restrict_unprivileged_userns=0)",
    )?;
    if options.sshd == Sshd::Openssh && rights != Rights::Root {
        bail!("--sshd openssh needs root: OpenSSH's server changes users");
    }
    mounts::keep_private()?;
    // A host whose keeper has gone is buried here, not by the machine.
    rustix::process::set_child_subreaper(Pid::from_raw(1)).map_err(std::io::Error::from)?;
    let options = Options {
        own_networks: join_networks(),
        rights,
        ..options
    };
    options.write(&state)?;
    prepare::prepare(&state, &world, &scenario, &options)?;
    let mut supervisor = Supervisor {
        state,
        world,
        listeners,
        keepers: BTreeMap::new(),
        rights,
        _lock: lock,
    };
    supervisor.start_all()?;
    watch_over_agents(&supervisor);
    let control = control_socket(&supervisor.state)?;
    supervisor.write_running()?;
    std::fs::write(supervisor.state.pid(), format!("{}\n", std::process::id()))?;
    say("ready");
    if let Err(error) = prepare::remove_old(&supervisor.state) {
        note(&format!(
            "cannot remove what is left of an earlier lab: {error}"
        ));
    }
    supervisor.watch(&control)
}

/// Measures for as long as the lab runs how long agents are without a core gateway.
fn watch_over_agents(supervisor: &Supervisor) {
    let (world, shared) = (supervisor.world.clone(), supervisor.state.mesh());
    let clock = Clock::read(&shared);
    std::thread::spawn(move || lifeline::watch(&world, &shared, || clock.elapsed_ms()));
}

/// Takes the lock that a running lab holds.
fn lock(state: &StateDir) -> Result<File> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(state.lock())?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| anyhow::anyhow!("a lab runs in {} already", state.path().display()))?;
    Ok(file)
}

/// Opens every host's SSH port while still in the machine's network.
fn listen(world: &World, scenario: &Scenario) -> Result<BTreeMap<String, Option<TcpListener>>> {
    let mut listeners = BTreeMap::new();
    for host in world.hosts() {
        let place = SocketAddrV4::new(host.address, host.port);
        let listener = if scenario.host(&host.name).ssh.down {
            None
        } else {
            Some(TcpListener::bind(place).with_context(|| {
                format!(
                    "{}: cannot listen on {place} (another lab? choose another with --port)",
                    host.name
                )
            })?)
        };
        listeners.insert(host.name.clone(), listener);
    }
    Ok(listeners)
}

/// Makes the network that joins the hosts; without one they share a single network.
fn join_networks() -> bool {
    let made = Network::here().and_then(|network| {
        network.loopback_up()?;
        network.make_bridge()
    });
    match made {
        Ok(()) => true,
        Err(error) => {
            note(&format!("no bridge ({error}): all hosts share one network"));
            false
        }
    }
}

fn control_socket(state: &StateDir) -> Result<UnixListener> {
    let _ = std::fs::remove_file(state.control());
    // The name of a socket must be short; the directory may be deep.
    let dir = File::open(state.path())?;
    let short = format!("/proc/self/fd/{}/control", dir.as_raw_fd());
    Ok(UnixListener::bind(short)?)
}

impl Keeper {
    /// Waits for the host's first process, which ends with its keeper and is then this process's child.
    fn bury_init(&mut self) {
        if let Some(pid) = self.init_pid.take().and_then(Pid::from_raw) {
            let _ = rustix::process::waitpid(Some(pid), WaitOptions::empty());
        }
    }
}

impl Supervisor {
    fn start_all(&mut self) -> Result<()> {
        let hosts: Vec<Host> = self.world.hosts().cloned().collect();
        for host in &hosts {
            let keeper = self
                .start(host)
                .with_context(|| format!("{}: cannot start", host.name))?;
            self.keepers.insert(host.name.clone(), keeper);
        }
        let deadline = Instant::now() + START_LIMIT;
        for host in &hosts {
            self.await_ready(&host.name, deadline)?;
        }
        Ok(())
    }

    fn start(&self, host: &Host) -> Result<Keeper> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.state.host_log(&host.name))?;
        let listener = match self.listeners.get(&host.name) {
            Some(Some(listener)) => Stdio::from(OwnedFd::from(listener.try_clone()?)),
            _ => Stdio::null(),
        };
        let mut child = Command::new(self.state.program())
            .arg("host")
            .arg(self.state.path())
            .arg(&host.name)
            .env_clear()
            .stdin(listener)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let says = child.stdout.take().context("the host has no voice")?;
        Ok(Keeper {
            child,
            says: BufReader::new(says),
            init_pid: None,
        })
    }

    /// Waits until the host says that it answers.
    fn await_ready(&mut self, name: &str, deadline: Instant) -> Result<()> {
        let log = self.state.host_log(name);
        let Some(keeper) = self.keepers.get_mut(name) else {
            bail!("{name}: never started")
        };
        loop {
            if keeper.says.buffer().is_empty() && !readable(keeper.says.get_ref(), deadline)? {
                bail!(
                    "{name}: no answer after {} s; see {}",
                    START_LIMIT.as_secs(),
                    log.display()
                );
            }
            let mut line = String::new();
            if keeper.says.read_line(&mut line)? == 0 {
                let last = std::fs::read_to_string(&log).unwrap_or_default();
                bail!(
                    "{name}: ended at its start: {}",
                    last.lines().last().unwrap_or("it said nothing")
                );
            }
            match line.trim_end().split_once(' ') {
                Some(("init", pid)) => keeper.init_pid = pid.parse().ok(),
                _ if line.trim_end() == "ready" => return Ok(()),
                _ => {}
            }
        }
    }

    fn write_running(&self) -> Result<()> {
        let mut hosts = BTreeMap::new();
        for host in self.world.hosts() {
            let Some(keeper) = self.keepers.get(&host.name) else {
                continue;
            };
            hosts.insert(
                host.name.clone(),
                RunningHost {
                    address: SocketAddrV4::new(host.address, host.port),
                    keeper_pid: i32::try_from(keeper.child.id()).unwrap_or(0),
                    init_pid: keeper.init_pid,
                },
            );
        }
        let supervisor_pid = i32::try_from(std::process::id()).unwrap_or(0);
        Ok(Running {
            supervisor_pid,
            rights: self.rights,
            hosts,
        }
        .write(&self.state)?)
    }

    /// Serves requests, one at a time, and buries hosts that ended.
    fn watch(&mut self, control: &UnixListener) -> Result<ExitCode> {
        loop {
            let mut fds = [PollFd::new(control, PollFlags::IN)];
            let rest = Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            };
            let ready = poll(&mut fds, Some(&rest)).unwrap_or(0);
            for (name, keeper) in &mut self.keepers {
                if keeper.init_pid.is_some() && keeper.child.try_wait()?.is_some() {
                    note(&format!("{name}: the host ended"));
                    keeper.bury_init();
                }
            }
            if ready > 0 {
                let (stream, _) = control.accept()?;
                if self.serve(stream) {
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }

    /// Serves one request; answers whether it was the last.
    fn serve(&mut self, mut stream: UnixStream) -> bool {
        let mut request = String::new();
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        if Read::take(&mut stream, 4096)
            .read_to_string(&mut request)
            .is_err()
        {
            return false;
        }
        let last = request.trim() == "stop";
        let answer = match request.trim().split_once(' ') {
            _ if last => self.stop(),
            Some(("reboot", name)) => self.reboot(name),
            Some(("halt", name)) => self.halt(name),
            _ => Err(anyhow::anyhow!("no such request")),
        };
        let answer = match answer {
            Ok(()) => "ok\n".to_owned(),
            Err(error) => format!("error: {error:#}\n"),
        };
        let _ = stream.write_all(answer.as_bytes());
        last
    }

    /// Ends every host and waits until nothing of them is left.
    fn stop(&mut self) -> Result<()> {
        for keeper in self.keepers.values_mut() {
            keeper.child.kill()?;
        }
        // The hosts' first processes, orphaned by their keepers, end next and become this process's to bury.
        while rustix::process::wait(WaitOptions::empty()).is_ok() {}
        Ok(())
    }

    /// Ends every process of the host at once, as a power cut would.
    fn halt(&mut self, name: &str) -> Result<()> {
        let keeper = self
            .keepers
            .get_mut(name)
            .with_context(|| format!("no host {name:?}"))?;
        keeper.child.kill()?;
        keeper.child.wait()?;
        keeper.bury_init();
        self.write_running()
    }

    fn reboot(&mut self, name: &str) -> Result<()> {
        self.halt(name)?;
        let host = self
            .world
            .host(name)
            .cloned()
            .with_context(|| format!("no host {name:?}"))?;
        let keeper = self.start(&host)?;
        self.keepers.insert(name.to_owned(), keeper);
        self.await_ready(name, Instant::now() + START_LIMIT)?;
        self.write_running()
    }
}

/// Waits until there is something to read.
fn readable(source: &impl AsFd, deadline: Instant) -> Result<bool> {
    let rest = deadline.saturating_duration_since(Instant::now());
    let limit = Timespec {
        tv_sec: i64::try_from(rest.as_secs())?,
        tv_nsec: i64::from(rest.subsec_nanos()),
    };
    let mut fds = [PollFd::new(source, PollFlags::IN)];
    Ok(poll(&mut fds, Some(&limit))? > 0)
}

#[expect(
    clippy::print_stdout,
    reason = "the one word by which the command that started the lab knows that it is up"
)]
fn say(word: &str) {
    println!("{word}");
}

#[expect(
    clippy::print_stderr,
    reason = "stderr of the supervisor is the lab's log file"
)]
fn note(text: &str) {
    eprintln!("{text}");
}
