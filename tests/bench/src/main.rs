//! `sasbench`: measures sasrun beside its peers, all on the same hosts in one go.
//!
//! The hosts are directories behind private OpenSSH servers on loopback addresses. The yardstick is a bare shell that is kept
//! open on each host and fed the same work as plain lines: no runner can be faster, so the ratio to it is what matters, on any
//! machine. Must not: use anything of the runner's own crates, or be told how fast sasrun is by sasrun.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod check;
mod hosts;
mod journal;
mod measure;
mod peer;
mod plain;
mod server;
mod table;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

use hosts::Hosts;
use measure::Figure;
use peer::Peer;
use server::Server;
use table::Row;
use workload::Workload;

#[derive(Parser)]
#[command(about = "Measures sasrun beside its peers on this machine")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures and prints the table.
    Run {
        /// The sasrun to measure.
        #[arg(long, value_name = "PATH")]
        sasrun: PathBuf,
        /// How often each is run; the median counts.
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// Workloads whose names begin like one of these.
        #[arg(long, value_delimiter = ',', value_name = "NAMES")]
        only: Vec<String>,
        /// Leaves the other runners out.
        #[arg(long)]
        no_peers: bool,
    },
    /// Measures what the journal costs.
    Journal {
        /// The sasrun to measure.
        #[arg(long, value_name = "PATH")]
        sasrun: PathBuf,
        /// How often it is run with a journal and without; the median counts.
        #[arg(long, default_value_t = 15)]
        runs: usize,
    },
    /// The yardstick itself: plain lines to one kept-open shell for each host.
    #[command(hide = true)]
    Plain(plain::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Plain(arguments) => plain::run(&arguments),
        Command::Run {
            sasrun,
            runs,
            only,
            no_peers,
        } => measure_all(&sasrun, runs.max(1), &only, !no_peers),
        Command::Journal { sasrun, runs } => measure_journal(&sasrun, runs.max(1)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::line(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn measure_journal(sasrun: &std::path::Path, runs: usize) -> anyhow::Result<()> {
    let sasrun = std::path::absolute(sasrun)?;
    if !journal::measure(&sasrun, runs)? {
        bail!("the journal costs more than it may");
    }
    Ok(())
}

fn measure_all(
    sasrun: &std::path::Path,
    runs: usize,
    only: &[String],
    with_peers: bool,
) -> anyhow::Result<()> {
    let sasrun = std::path::absolute(sasrun)?;
    let place = tempfile::Builder::new().prefix("sasbench.").tempdir()?;
    let workloads: Vec<&Workload> = workload::ALL
        .iter()
        .filter(|load| only.is_empty() || only.iter().any(|name| load.name.starts_with(name)))
        .collect();
    let Some(most) = workloads.iter().map(|load| load.hosts).max() else {
        bail!("no workload has such a name");
    };
    let server = Server::start(place.path(), most).context("the private sshd")?;
    let hosts = Hosts::new(place.path(), &server);
    let peers = peer::present(&sasrun, with_peers);
    table::line(&format!("peers: {}", peer::names(&peers)));
    table::head();
    let mut rows = Vec::new();
    for workload in workloads {
        rows.extend(one_workload(workload, &peers, &hosts, runs)?);
    }
    table::foot(&rows)?;
    if only.is_empty() {
        journal::measure(&sasrun, runs)?;
    }
    Ok(())
}

/// Runs a workload with each peer in turn, again and again, so that what else the machine does meets all of them alike.
fn one_workload(
    workload: &Workload,
    peers: &[Peer],
    hosts: &Hosts,
    runs: usize,
) -> anyhow::Result<Vec<Row>> {
    let mut figures: Vec<Vec<Figure>> = vec![Vec::new(); peers.len()];
    let inventory = hosts.inventory(workload)?;
    for _ in 0..runs {
        for (peer, figures) in peers.iter().zip(&mut figures) {
            let Some(command) = peer.command(workload, &inventory, hosts)? else {
                continue;
            };
            hosts.empty(workload)?;
            if workload.again {
                measure::run(&command, hosts)?;
            }
            let figure = measure::run(&command, hosts)?;
            let wrong = check::problem(workload, peer, hosts, &figure);
            if let Some(wrong) = wrong {
                bail!(
                    "{} with {}: {wrong}\n{}",
                    workload.name,
                    peer.name(),
                    figure.excerpt()
                );
            }
            figures.push(figure);
        }
    }
    let rows = table::rows(workload, peers, &figures);
    rows.iter().for_each(table::show);
    Ok(rows)
}
