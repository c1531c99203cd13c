//! The step between the lab and a host: gives the host its namespaces and mounts, then waits for its first process.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::host::{root, tools};
use crate::lab::options::Options;
use crate::machine::mounts;
use crate::machine::namespaces::{self, Rights};
use crate::machine::netlink::{self, Network};
use crate::paths::StateDir;
use crate::scenario::Scenario;
use crate::world::{Host, World};

/// Runs a host from its namespaces to its end. The SSH listener is this process's stdin.
pub fn run(state: &StateDir, name: &str) -> Result<ExitCode> {
    namespaces::die_with_parent().context("cannot follow the supervisor")?;
    let options = Options::read(state)?;
    let world: World = serde_json::from_slice(&std::fs::read(state.mesh().world())?)?;
    let host = world.host(name).context("no such host")?;
    let outside = Network::here().context("cannot speak to the lab's network")?;
    namespaces::enter_host(options.own_networks).context("cannot leave the lab's namespaces")?;
    if options.own_networks {
        join_network(&outside, host).context("cannot join the lab's network")?;
    }
    rustix::system::sethostname(name.as_bytes()).context("cannot name the host")?;
    let scenario = Scenario::in_force(&state.mesh())?;
    mount_root(state, host, &scenario, &options)?;
    start_init(state, name)
}

fn join_network(outside: &Network, host: &Host) -> std::io::Result<()> {
    outside.join(std::process::id())?;
    netlink::route_loopback_addresses()?;
    Network::here()?.take_address(host.address)
}

/// Binds what the host shares with the machine and the lab below its root directory.
fn mount_root(state: &StateDir, host: &Host, scenario: &Scenario, options: &Options) -> Result<()> {
    let root_dir = state.root(&host.name);
    let like = scenario.like(host);
    mounts::keep_private()?;
    mounts::bind(&root_dir, &root_dir)?;
    for (from, pick) in [
        ("/", root::is_system as fn(&str) -> bool),
        ("/usr", root::is_shared),
    ] {
        let from = Path::new(from);
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            let name = entry.file_name();
            if pick(&name.to_string_lossy()) && entry.file_type()?.is_dir() {
                let source = from.join(&name);
                mounts::bind_read_only(
                    &source,
                    &root_dir.join(source.strip_prefix("/").unwrap_or(&source)),
                )?;
            }
        }
    }
    mounts::bind_read_only(Path::new("/usr"), &root_dir.join(".lab/usr"))?;
    for name in ["bin", "sbin"] {
        mounts::bind_read_only(
            &tools::place(state, like, name),
            &root_dir.join("usr").join(name),
        )?;
    }
    let alternatives = Path::new("/etc/alternatives");
    if alternatives.is_dir() {
        mounts::bind_read_only(alternatives, &root_dir.join("etc/alternatives"))?;
    }
    mounts::bind(state.mesh().path(), &root_dir.join(".lab/mesh"))?;
    mounts::bind_read_only(&state.program(), &root_dir.join(".lab/bin/saslab"))?;
    if options.rights == Rights::Root {
        mounts::bind_read_only(&state.become_program(), &root_dir.join(".lab/bin/become"))?;
    }
    mounts::devices(&root_dir.join("dev"))?;
    Ok(())
}

/// Starts the first process of the host and waits for its end, which is the host's.
fn start_init(state: &StateDir, name: &str) -> Result<ExitCode> {
    let mut init = Command::new(state.program())
        .arg0("/sbin/init")
        .arg("init")
        .current_dir(state.root(name))
        .env_clear()
        .stdin(Stdio::inherit())
        .spawn()
        .context("cannot start the first process")?;
    let mut out = std::io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map(std::fs::File::from)?;
    writeln!(out, "init {}", init.id())?;
    drop(out);
    let status = init.wait()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
