//! What the journal costs: the same run with it and without, beside what the disk takes for one sync.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::hosts::Hosts;
use crate::measure;
use crate::peer::Call;
use crate::server::Server;
use crate::table;
use crate::workload::{ALL, Workload};

/// Small tasks of the run; after each all hosts wait for each other, and for the disk.
const TASKS: usize = 100;
/// Times of the run without a journal that the run with it may take, besides the syncs.
const MOST_TIMES: f64 = 1.10;
/// Syncs of which the median is taken.
const SYNCS: usize = 200;

/// What was measured.
struct Cost {
    with: Duration,
    without: Duration,
    sync: Duration,
}

impl Cost {
    /// What the run with the journal may take.
    fn bound(&self) -> Duration {
        let barriers = u32::try_from(TASKS).unwrap_or(u32::MAX);
        self.without.mul_f64(MOST_TIMES) + self.sync * barriers
    }

    fn line(&self) -> String {
        let seconds = |time: Duration| time.as_secs_f64();
        format!(
            "journal: {:.3} s with it, {:.3} s with --no-journal, fdatasync {:.3} ms (median) x {TASKS} barriers: {} \
             {:.3} s = {MOST_TIMES} x {:.3} s + {TASKS} x {:.3} ms",
            seconds(self.with),
            seconds(self.without),
            seconds(self.sync) * 1000.0,
            if self.holds() { "within" } else { "OVER" },
            seconds(self.bound()),
            seconds(self.without),
            seconds(self.sync) * 1000.0,
        )
    }

    fn holds(&self) -> bool {
        self.with <= self.bound()
    }
}

/// Measures and prints; says whether the journal keeps its bound.
pub(crate) fn measure(sasrun: &Path, runs: usize) -> anyhow::Result<bool> {
    let place = tempfile::Builder::new().prefix("sasbench.").tempdir()?;
    let workload = ALL.first().context("no workload")?;
    let server = Server::start(place.path(), workload.hosts).context("the private sshd")?;
    let hosts = Hosts::new(place.path(), &server);
    let cost = cost(sasrun, &hosts, workload, runs)?;
    table::line(&cost.line());
    Ok(cost.holds())
}

fn cost(
    sasrun: &Path,
    hosts: &Hosts<'_>,
    workload: &Workload,
    runs: usize,
) -> anyhow::Result<Cost> {
    let inventory = hosts.inventory(workload)?;
    hosts.empty(workload)?;
    let playbook = hosts.place().join("tasks.yml");
    fs::write(&playbook, tasks())?;
    let state = hosts.place().join("state");
    let call = |more: &[&str]| Call {
        program: sasrun.to_owned(),
        arguments: ["playbook", "--forks", "50", "-i"]
            .map(OsString::from)
            .into_iter()
            .chain([inventory.yaml.clone().into(), playbook.clone().into()])
            .chain(more.iter().map(OsString::from))
            .collect(),
        environment: vec![("SASRUN_STATE", state.clone().into())],
    };
    let (mut with, mut without) = (Vec::new(), Vec::new());
    // In turn, so that what else the machine does meets both alike; the first of each warms up.
    for run in 0..=runs {
        for (call, walls) in [
            (call(&[]), &mut with),
            (call(&["--no-journal"]), &mut without),
        ] {
            let figure = measure::run(&call, hosts)?;
            if !figure.is_success {
                bail!("the run failed\n{}", figure.excerpt());
            }
            if run > 0 {
                walls.push(figure.wall);
            }
        }
    }
    Ok(Cost {
        with: median(with),
        without: median(without),
        sync: sync(&state, journal_bytes(&state)? / TASKS)?,
    })
}

/// A playbook of small tasks.
fn tasks() -> String {
    let mut text = String::from("- hosts: all\n  gather_facts: false\n  tasks:\n");
    for number in 0..TASKS {
        text.push_str(&format!(
            "    - name: number {number}\n      shell: echo {number}\n"
        ));
    }
    text
}

/// Bytes of one run's journal.
fn journal_bytes(state: &Path) -> anyhow::Result<usize> {
    let run = fs::read_dir(state.join("runs"))?.next();
    let run = run.context("the run left no journal")??;
    Ok(usize::try_from(
        fs::metadata(run.path().join("journal"))?.len(),
    )?)
}

/// The median of what the disk takes to make so many new bytes durable, where the journals lie.
fn sync(folder: &Path, bytes: usize) -> anyhow::Result<Duration> {
    let path = folder.join("sync");
    let mut file = File::create(&path)?;
    let text = vec![b'x'; bytes.max(1)];
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        file.write_all(&text)?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed());
    }
    fs::remove_file(&path)?;
    Ok(median(times))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_may_cost_a_tenth_and_the_syncs() {
        let cost = |with_ms| Cost {
            with: Duration::from_millis(with_ms),
            without: Duration::from_millis(1000),
            sync: Duration::from_millis(1),
        };
        assert!(cost(1200).holds());
        assert!(!cost(1201).holds());
        assert!(
            cost(1200).line().contains("within 1.200 s"),
            "{}",
            cost(1200).line()
        );
        assert_eq!(tasks().matches("- name").count(), TASKS);
    }
}
