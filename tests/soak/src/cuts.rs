//! T5: the connection to a host is cut at random while long steps run there. Each step begins once, and its output comes whole.
//!
//! The host is this machine behind its own OpenSSH server, reached through a proxy that cuts.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::network::Proxy;
use crate::run::Site;
use crate::sshd::{Sshd, address};
use crate::trial::{Stage, Turn};
use crate::{Bench, Dice, Failure, playbook, system};

const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Seconds of the long job at full size, and how often it is cut.
const LONG_S: f64 = 600.0;
const LONG_CUTS: f64 = 100.0;

/// A job that writes, and when it is cut.
struct Job {
    lines: u32,
    /// Lines after which it rests a moment.
    burst: u32,
    /// Cuts, and the longest time between two of them.
    cuts: u64,
    between: Duration,
    limit: Duration,
}

/// Gets ready for short jobs.
pub(crate) fn begin(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    let bench = bench.clone();
    let is_long = false;
    Ok(Box::new(Cuts { bench, is_long }))
}

/// Gets ready for the long job.
pub(crate) fn begin_long(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    let bench = bench.clone();
    let is_long = true;
    Ok(Box::new(Cuts { bench, is_long }))
}

/// Seconds of the long job, and its cuts, at a part of the full size.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small and positive"
)]
pub(crate) fn long_job(size: f64) -> (u32, u32) {
    let part = size.clamp(0.02, 1.0);
    ((LONG_S * part) as u32, (LONG_CUTS * part) as u32)
}

struct Cuts {
    bench: Bench,
    is_long: bool,
}

impl Stage for Cuts {
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let mut dice = Dice::new(turn.seed);
        let job = if self.is_long {
            let (seconds, cuts) = long_job(self.bench.size);
            Job {
                lines: seconds * 40,
                burst: 4,
                cuts: u64::from(cuts),
                between: Duration::from_secs(u64::from(seconds)) * 2 / (cuts + 1),
                limit: Duration::from_secs(u64::from(seconds) * 2 + 120),
            }
        } else {
            Job {
                lines: 4000,
                burst: 200,
                cuts: 1 + dice.below(4),
                between: Duration::from_millis(1500),
                limit: Duration::from_secs(120),
            }
        };
        once(&self.bench, &mut dice, &job)
    }
}

/// Cuts one run's connections a few times.
fn once(bench: &Bench, dice: &mut Dice, job: &Job) -> Result<(), Failure> {
    let site = Site::empty(bench)?;
    let server = Sshd::start(site.folder(), 1, "SOAK=cut").map_err(system("sshd"))?;
    let proxy = Proxy::start((address(0), server.port)).map_err(system("a proxy"))?;
    write(&site, &server, proxy.port, job).map_err(system("the playbook"))?;
    let mut started = site.start(&["playbook", "-i", "hosts.ini", "site.yml"])?;
    // Logging in is not what is tried here.
    let ledger = site.folder().join("count");
    let began = Instant::now();
    while !ledger.exists() && began.elapsed() < LONGEST_WAIT {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..job.cuts {
        std::thread::sleep(dice.moment(job.between));
        proxy.cut();
    }
    let status = started.end_within(job.limit)?;
    if !status.success() {
        return Err(started.failure(status.code()));
    }
    let count = fs::read_to_string(&ledger).map_err(system("the ledger"))?;
    if count != "first\nlong\nlast\n" {
        return Err(Failure::Output(format!("steps began as {count:?}")));
    }
    for (name, line) in [("stdout", "out"), ("stderr", "err")] {
        let seen = fs::read_to_string(site.folder().join(name)).map_err(system(name))?;
        let expected: Vec<String> = (0..job.lines).map(|i| format!("{line} {i}")).collect();
        if seen.trim_end() != expected.join("\n") {
            let bytes = seen.len();
            return Err(Failure::Output(format!(
                "{name} came with {bytes} bytes that are not those written"
            )));
        }
    }
    Ok(())
}

fn write(site: &Site, server: &Sshd, port: u16, job: &Job) -> io::Result<()> {
    let folder = site.folder();
    let at = folder.display();
    let hosts = [server.variables(Ipv4Addr::LOCALHOST, port)?];
    fs::write(folder.join("hosts.ini"), playbook::inventory(&hosts))?;
    let (lines, burst) = (job.lines, job.burst);
    fs::write(
        folder.join("site.yml"),
        format!(
            "- hosts: h1\n  gather_facts: false\n  job: true\n  tasks:\n    \
             - shell: echo first >>{at}/count; sleep 0.2\n    \
             - shell: echo long >>{at}/count; i=0; while [ $i -lt {lines} ]; do echo out $i; echo err $i >&2; i=$((i+1)); if [ $((i%{burst})) = 0 ]; then sleep 0.1; fi; done\n      register: long\n    \
             - shell: echo last >>{at}/count\n    \
             - copy: {{content: '{{{{ long[item] }}}}', dest: '{at}/{{{{ item }}}}'}}\n      loop: [stdout, stderr]\n      \
             delegate_to: localhost\n      vars: {{ansible_connection: local}}\n"
        ),
    )
}
