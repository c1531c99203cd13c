//! One run of one program: how long it took and how much memory it needed.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::hosts::Hosts;
use crate::peer::Call;

/// How often memory is looked at.
const SAMPLING: Duration = Duration::from_millis(100);
/// Lines shown of a run that went wrong.
const EXCERPT_LINES: usize = 15;

/// What one run took.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub wall: Duration,
    /// Peak of the proportional memory of all its processes.
    pub memory_mib: f64,
    pub is_success: bool,
    pub output: String,
}

impl Figure {
    /// The end of what the program said.
    pub(crate) fn excerpt(&self) -> String {
        let lines: Vec<&str> = self.output.lines().collect();
        let from = lines.len().saturating_sub(EXCERPT_LINES);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}

/// Runs a program to its end.
pub(crate) fn run(call: &Call, hosts: &Hosts<'_>) -> anyhow::Result<Figure> {
    let log = hosts.place().join("output");
    let file = fs::File::create(&log)?;
    let started = Instant::now();
    let mut child = Command::new(&call.program)
        .args(&call.arguments)
        .envs(call.environment.iter().cloned())
        .current_dir(hosts.place())
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| call.program.display().to_string())?;
    let (stop, stopped) = mpsc::channel();
    let top = child.id();
    let sampler = thread::spawn(move || peak_memory(top, &stopped));
    let status = child.wait()?;
    let wall = started.elapsed();
    // The sampler may be gone already, with nothing to tell.
    let _ = stop.send(());
    let memory_kib = sampler.join().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "memory is small")]
    Ok(Figure {
        wall,
        memory_mib: memory_kib as f64 / 1024.0,
        is_success: status.success(),
        output: String::from_utf8_lossy(&fs::read(&log)?).into_owned(),
    })
}

/// Watches a process and all below it until told to stop; the most memory they had together, in KiB.
fn peak_memory(top: u32, stopped: &mpsc::Receiver<()>) -> u64 {
    let mut peak = 0;
    while stopped.recv_timeout(SAMPLING) == Err(mpsc::RecvTimeoutError::Timeout) {
        let sum = tree(top).into_iter().filter_map(proportional_kib).sum();
        peak = peak.max(sum);
    }
    peak
}

/// A process and everything below it.
fn tree(top: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for entry in entries {
        let Some(process) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if let Some(parent) = parent(process) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = vec![top];
    let mut at = 0;
    while let Some(process) = found.get(at).copied() {
        found.extend(children.remove(&process).unwrap_or_default());
        at += 1;
    }
    found
}

fn parent(process: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn proportional_kib(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
