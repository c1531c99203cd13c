//! T7: a host falls silent without a word, in each phase of a connection. It is noticed within the limit, the message names
//! the phase, and the other hosts are as fast as if it were not there: as fast as in a run that begins at the same moment and
//! has no silent host, for how fast a machine is changes with all else that it does.
//!
//! They go on by themselves (`strategy: free`): where hosts wait for each other, they wait for the silent one too, but never
//! longer than the limit.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::network::{NoAnswer, Proxy};
use crate::run::{Site, Started};
use crate::sshd::{Sshd, address};
use crate::trial::{Stage, Turn};
use crate::{Bench, Dice, Failure, playbook, system};

/// Hosts besides the one that falls silent.
const OTHERS: usize = 4;
/// Steps of each host, with a short rest in each.
const STEPS: usize = 10;
/// How soon a silent host is noticed with the usual limits.
const NOTICED: Duration = Duration::from_secs(45);
/// What the runner may take for everything else.
const SLACK: Duration = Duration::from_secs(3);
/// How much later the others may be: a part of what they take, and what a busy machine adds.
const LATER_PART: f64 = 0.05;
const LATER: Duration = Duration::from_secs(1);
/// How often a turn is done when something was late: a host that is waited for is late each time, a busy machine is not.
const MOST_TRIES: u32 = 3;
/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(180);
/// A shorter limit for signs of life.
const ALIVE: &str = "ansible_ssh_common_args='-o ServerAliveInterval=1 -o ServerAliveCountMax=3'";
/// Shortest greeting of a server.
const GREETING_BYTES: u64 = 20;
/// Words of which one stands in the message, for the phase.
const PHASES: [&str; 5] = [
    "connecting",
    "the SSH handshake",
    "the authentication",
    "starting a shell",
    "no sign of life",
];

/// When the host falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connect,
    Greeting,
    Login,
    Task,
}

/// The limits that are in force at a part of the full size, in words.
pub(crate) fn limits(size: f64) -> String {
    if size >= 1.0 {
        "limits as usual: 10 s, 30 s, 3 x 15 s".to_owned()
    } else {
        "limits 2 s, 4 s, 3 x 1 s".to_owned()
    }
}

/// Gets ready for silence instead of an answer to the call.
pub(crate) fn begin_connect(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    Ok(Box::new(BlackHoles::new(bench, Phase::Connect)?))
}

/// Gets ready for silence instead of a greeting.
pub(crate) fn begin_greeting(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    Ok(Box::new(BlackHoles::new(bench, Phase::Greeting)?))
}

/// Gets ready for silence at any byte up to the first step.
pub(crate) fn begin_login(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    Ok(Box::new(BlackHoles::new(bench, Phase::Login)?))
}

/// Gets ready for silence while a step runs.
pub(crate) fn begin_task(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    Ok(Box::new(BlackHoles::new(bench, Phase::Task)?))
}

struct BlackHoles {
    bench: Bench,
    phase: Phase,
    /// How long the others take when nobody is silent.
    usual: Duration,
    /// Bytes that a server sends until the first step begins.
    login_bytes: u64,
}

/// What leads to the host that falls silent.
enum Way {
    Proxy(Proxy),
    NoAnswer(NoAnswer),
}

impl BlackHoles {
    fn new(bench: &Bench, phase: Phase) -> Result<Self, Failure> {
        let (usual, login_bytes) = Scene::undisturbed(bench)?.measure()?;
        Ok(Self {
            bench: bench.clone(),
            phase,
            usual,
            login_bytes,
        })
    }

    /// Variables of the host that falls silent: at less than full size those limits are shortened that notice it. Others stay as they
    /// are, for on a busy machine the host takes its time to come as far as that.
    fn shortened(&self) -> &'static [&'static str] {
        match self.phase {
            _ if self.bench.is_full() => &[],
            Phase::Connect | Phase::Greeting => &["ansible_timeout=2"],
            Phase::Login => &[
                "ansible_timeout=2",
                "sasrun_login_timeout=4",
                "sasrun_shell_timeout=4",
                ALIVE,
            ],
            Phase::Task => &[ALIVE],
        }
    }

    /// How soon the silence must be noticed, when a run that nobody disturbs takes so long.
    fn limit(&self, usual: Duration) -> Duration {
        let limit = match self.phase {
            _ if self.bench.is_full() => NOTICED,
            Phase::Connect | Phase::Greeting => Duration::from_secs(2),
            Phase::Login => Duration::from_secs(4),
            Phase::Task => Duration::from_secs(3),
        };
        // The run ends with its last host.
        limit.max(usual) + SLACK
    }
}

impl Stage for BlackHoles {
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let mut dice = Dice::new(turn.seed);
        let after = match self.phase {
            Phase::Connect | Phase::Greeting => 0,
            Phase::Login => GREETING_BYTES + dice.below(self.login_bytes - GREETING_BYTES),
            Phase::Task => u64::MAX,
        };
        let moment = (self.phase == Phase::Task).then(|| dice.moment(self.usual / 4));
        let mut tries = 1;
        loop {
            match self.try_once(after, moment) {
                Err(Failure::Late { .. }) if tries < MOST_TRIES => tries += 1,
                done => return done,
            }
        }
    }
}

impl BlackHoles {
    /// Lets one host fall silent, beside a run in which none does.
    fn try_once(&self, after: u64, moment: Option<Duration>) -> Result<(), Failure> {
        let phase = self.phase;
        let scene = Scene::new(&self.bench, self.shortened(), |server| match phase {
            Phase::Connect => NoAnswer::start().map(Way::NoAnswer),
            _ => Proxy::silent_after((address(OTHERS), server), after).map(Way::Proxy),
        })?;
        let beside = Scene::undisturbed(&self.bench)?;
        let (silence, usual) = std::thread::scope(|threads| {
            let beside = threads.spawn(move || beside.measure());
            let silence = scene.fall_silent(moment);
            (silence, beside.join())
        });
        let (silence, usual) = match usual {
            Ok(usual) => (silence?, usual?.0),
            Err(panic) => std::panic::resume_unwind(panic),
        };
        self.judge(&format!("{phase:?} after {after} bytes"), &silence, usual)
    }

    /// Judges a run with a silent host by one without that ran beside it.
    fn judge(&self, what: &str, silence: &Silence, usual: Duration) -> Result<(), Failure> {
        let said = silence.said.clone();
        let is_told = PHASES.iter().any(|phase| said.contains(phase));
        if !matches!(silence.code, Some(4 | 7)) || !is_told {
            let (what, code) = (what.to_owned(), silence.code);
            return Err(Failure::Ended { what, code, said });
        }
        let in_time = |part: &str, took: Duration, limit: Duration| {
            if took <= limit {
                return Ok(());
            }
            Err(Failure::Late {
                what: format!("{what}: {part}"),
                took_s: took.as_secs_f64(),
                limit_s: limit.as_secs_f64(),
                said: said.clone(),
            })
        };
        in_time("noticing it", silence.noticed, self.limit(usual))?;
        let most = usual.max(self.usual).mul_f64(1.0 + LATER_PART) + LATER;
        in_time("the others", silence.others, most)
    }
}

/// What came of a run with a silent host.
struct Silence {
    code: Option<i32>,
    said: String,
    /// When all others were done, from the beginning of the run.
    others: Duration,
    /// When the run ended, from the beginning of the silence.
    noticed: Duration,
}

/// A site of a few hosts, of which the last is reached by a way of its own.
struct Scene {
    site: Site,
    way: Way,
    _server: Sshd,
}

impl Scene {
    /// One whose last host is reached by a way, with variables besides.
    fn new(
        bench: &Bench,
        variables: &[&str],
        way: impl FnOnce(u16) -> io::Result<Way>,
    ) -> Result<Self, Failure> {
        let site = Site::empty(bench)?;
        let server =
            Sshd::start(site.folder(), OTHERS + 1, "SOAK=silent").map_err(system("sshd"))?;
        let way = way(server.port).map_err(system("a way to the host"))?;
        write(site.folder(), &server, &way, variables).map_err(system("the playbook"))?;
        Ok(Self {
            site,
            way,
            _server: server,
        })
    }

    /// One in which nobody is silent.
    fn undisturbed(bench: &Bench) -> Result<Self, Failure> {
        Self::new(bench, &[], |server| {
            Proxy::start((address(OTHERS), server)).map(Way::Proxy)
        })
    }

    /// How long the others take when nobody is silent, and the bytes of a server up to the first step.
    fn measure(self) -> Result<(Duration, u64), Failure> {
        let mut started = self.begin()?;
        let began = Instant::now();
        self.await_line(OTHERS, "begun", &mut started)?;
        let login_bytes = match &self.way {
            Way::Proxy(proxy) => proxy.bytes_from_server(),
            Way::NoAnswer(_) => 0,
        };
        self.await_others(&mut started)?;
        let usual = began.elapsed();
        let code = started.end_within(LIMIT)?.code();
        if code != Some(0) {
            return Err(started.failure(code));
        }
        Ok((usual, login_bytes))
    }

    /// Runs with the silent host; it falls silent so long after its first step, or by itself.
    fn fall_silent(&self, moment: Option<Duration>) -> Result<Silence, Failure> {
        let mut started = self.begin()?;
        let began = Instant::now();
        if let (Some(moment), Way::Proxy(proxy)) = (moment, &self.way) {
            self.await_line(OTHERS, "begun", &mut started)?;
            std::thread::sleep(moment);
            proxy.fall_silent();
        }
        self.await_others(&mut started)?;
        let others = began.elapsed();
        let code = started.end_within(LIMIT)?.code();
        let silent_since = match &self.way {
            Way::Proxy(proxy) => proxy.silent_since(),
            Way::NoAnswer(_) => None,
        };
        Ok(Silence {
            code,
            said: started.said(),
            others,
            noticed: silent_since.unwrap_or(began).max(began).elapsed(),
        })
    }

    fn begin(&self) -> Result<Started, Failure> {
        self.site
            .start(&["playbook", "-i", "hosts.ini", "site.yml"])
    }

    /// Waits until a host wrote a line.
    fn await_line(&self, host: usize, line: &str, started: &mut Started) -> Result<(), Failure> {
        let ledger = self.site.folder().join(format!("ledger/h{}", host + 1));
        let has_line = || {
            let text = fs::read_to_string(&ledger).unwrap_or_default();
            text.lines().any(|one| one == line)
        };
        let began = Instant::now();
        while !has_line() {
            let ended = started.child.try_wait().map_err(system("the run"))?;
            // What it wrote last may be there by now.
            if let Some(status) = ended
                && !has_line()
            {
                return Err(started.failure(status.code()));
            }
            if began.elapsed() > LIMIT {
                return Err(Failure::Hangs(format!("{line} of h{host}"), started.said()));
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        Ok(())
    }

    /// Waits until all hosts but the last are done.
    fn await_others(&self, started: &mut Started) -> Result<(), Failure> {
        let last = format!("step-{}", STEPS - 1);
        (0..OTHERS).try_for_each(|host| self.await_line(host, &last, started))
    }
}

fn write(folder: &Path, server: &Sshd, way: &Way, variables: &[&str]) -> io::Result<()> {
    let others = (0..OTHERS).map(|host| server.variables(address(host), server.port));
    let mut hosts = others.collect::<io::Result<Vec<_>>>()?;
    let port = match way {
        Way::Proxy(proxy) => proxy.port,
        Way::NoAnswer(silent) => silent.port,
    };
    let mut last = server.variables(Ipv4Addr::LOCALHOST, port)?;
    last.extend(variables.iter().copied().map(str::to_owned));
    hosts.push(last);
    fs::create_dir_all(folder.join("ledger"))?;
    fs::write(folder.join("hosts.ini"), playbook::inventory(&hosts))?;
    let mut play = String::from(
        "- hosts: all\n  gather_facts: false\n  strategy: free\n  vars:\n    \
         ledger: '{{ playbook_dir }}/ledger/{{ inventory_hostname }}'\n  tasks:\n    \
         - shell: echo begun >> {{ ledger }}\n",
    );
    for step in 0..STEPS {
        play.push_str(&format!(
            "    - shell: sleep 0.3; echo step-{step} >> {{{{ ledger }}}}\n"
        ));
    }
    fs::write(folder.join("site.yml"), play)
}
