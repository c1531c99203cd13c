//! The first process of a host: changes the root, starts what runs from the beginning, and buries the dead.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use rustix::process::WaitOptions;

use crate::machine::{mounts, namespaces};
use crate::paths::{Private, Shared};
use crate::scenario::Scenario;
use crate::standin;
use crate::world::{Host, World};

/// Where programs of a host are looked for.
pub const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

/// Runs as the first process of the host whose root directory this is started in, until the host is killed.
pub fn run() -> Result<ExitCode> {
    let root = &std::env::current_dir()?;
    namespaces::die_with_parent().context("cannot follow the host's keeper")?;
    mounts::processes_and_terminals(root)?;
    boot_id(root).context("cannot tell this boot from others")?;
    mounts::change_root(root)?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let program = Private::inside().saslab();
    let mut boot = command(&program, "boot")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let boot = boot.wait()?;
    anyhow::ensure!(boot.success(), "the host does not boot: {boot}");
    give_up_rights().context("cannot give up rights")?;
    let sshd = command(&program, "sshd")
        .arg0("sshd: /usr/sbin/sshd")
        .stdin(Stdio::inherit())
        .spawn()
        .context("cannot start the SSH server")?;
    let sshd = i32::try_from(sshd.id()).unwrap_or(0);
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, _))) if pid.as_raw_nonzero().get() == sshd => {
                return Ok(ExitCode::FAILURE);
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(std::io::Error::from(errno).into()),
        }
    }
}

/// Gives this boot an id of its own: the kernel tells that of the whole machine.
fn boot_id(root: &Path) -> Result<()> {
    let random = root.join("proc/sys/kernel/random");
    let file = Private::below(root).boot_id();
    std::fs::write(&file, std::fs::read(random.join("uuid"))?)?;
    Ok(mounts::bind_read_only(&file, &random.join("boot_id"))?)
}

fn command(program: &Path, what: &str) -> Command {
    let mut command = Command::new(program);
    command
        .arg(what)
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", "/root")
        .current_dir("/");
    command
}

/// Gives up what the logins of this host shall not be able to do.
fn give_up_rights() -> Result<()> {
    let host: Host = serde_json::from_slice(&std::fs::read(Private::inside().host())?)?;
    let scenario = Scenario::in_force(&Shared::inside())?;
    let server = scenario.host(&host.name).volumes.server;
    Ok(standin::volume::trouble::drop_rights(server)?)
}

/// Starts what runs on this host from the beginning.
pub fn boot() -> Result<ExitCode> {
    let host: Host = serde_json::from_slice(&std::fs::read(Private::inside().host())?)?;
    let world: World = serde_json::from_slice(&std::fs::read(Shared::inside().world())?)?;
    let scenario = Scenario::in_force(&Shared::inside())?;
    standin::boot(&host, &world, &scenario)?;
    Ok(ExitCode::SUCCESS)
}
