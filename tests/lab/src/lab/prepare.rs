//! The state directory of a lab that is about to start: keys, passwords, shared files and the hosts' directories.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::DirEntry;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::account::{keys, users::Passwords};
use crate::clock::Clock;
use crate::host::{root, tools};
use crate::lab::options::{Options, Sshd};
use crate::machine::mounts;
use crate::machine::namespaces::Rights;
use crate::paths::{Private, StateDir};
use crate::scenario::Scenario;
use crate::ssh::Setup;
use crate::standin;
use crate::world::{Host, Like, World};

/// Empties the directory of an earlier lab, or makes a new one; refuses a directory that is something else.
pub fn take_directory(state: &StateDir) -> Result<()> {
    let path = state.path();
    if path.exists() {
        // A lab that did not come up leaves its log alone behind.
        let is_ours = |entry: &std::io::Result<DirEntry>| matches!(entry, Ok(entry) if entry.path() == state.log());
        if !state.lock().exists() && !std::fs::read_dir(path)?.all(|entry| is_ours(&entry)) {
            bail!(
                "{} is not empty and no lab's: name another directory with --state",
                path.display()
            );
        }
        refuse_mounts_below(path)?;
        for entry in std::fs::read_dir(path)? {
            let entry = entry?.path();
            if entry == state.lock() {
                continue;
            }
            if entry == state.hosts() {
                // Making files is slow just after many were removed: the old ones go when the new lab is up.
                std::fs::rename(&entry, state.old(std::process::id()))?;
                continue;
            }
            if !state.is_old(&entry) {
                remove(&entry).with_context(|| format!("cannot remove {}", entry.display()))?;
            }
        }
    }
    std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    Ok(())
}

/// Removing a tree must never reach through a mount into the machine.
fn refuse_mounts_below(path: &Path) -> Result<()> {
    let path = path.canonicalize()?;
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let below = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .find(|place| Path::new(place).starts_with(&path));
    match below {
        Some(place) if Path::new(place) != path => {
            bail!("something is mounted at {place}: unmount it first")
        }
        _ => Ok(()),
    }
}

/// Removes what is left of earlier labs in this directory.
pub fn remove_old(state: &StateDir) -> std::io::Result<()> {
    for entry in std::fs::read_dir(state.path())? {
        let entry = entry?.path();
        if state.is_old(&entry) {
            remove(&entry)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> std::io::Result<()> {
    if path.symlink_metadata()?.is_dir() {
        open_up(path)?;
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    }
}

/// Makes directories that a host closed to their owner removable again.
fn open_up(path: &Path) -> std::io::Result<()> {
    let closed = path.metadata()?.permissions().mode() & 0o700 != 0o700;
    if closed {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// Writes all that the hosts find when they start.
pub fn prepare(
    state: &StateDir,
    world: &World,
    scenario: &Scenario,
    options: &Options,
) -> Result<()> {
    let rights = options.rights;
    shared(state, world, scenario, options)?;
    let operator = keys::make("operator@lab")?;
    let passwords = Passwords::make();
    let shadow = passwords.shadow()?;
    std::fs::create_dir_all(state.keys())?;
    std::fs::create_dir_all(state.path().join("logs"))?;
    keys::write(&operator, &state.operator_key())?;
    keys::write_private(&state.secrets(), &serde_json::to_vec_pretty(&passwords)?)?;
    keep_program(state)?;
    if rights == Rights::Root {
        // Only root comes this far into the state directory: to the machine's other users the program does not exist.
        std::fs::copy(state.program(), state.become_program())?;
        std::fs::set_permissions(
            state.become_program(),
            std::fs::Permissions::from_mode(0o4755),
        )?;
    }
    let kinds: BTreeSet<bool> = world
        .hosts()
        .map(|host| scenario.like(host) == Like::Solaris)
        .collect();
    // In memory: thousands of links that nobody wants to keep.
    std::fs::create_dir_all(state.tools())?;
    mounts::memory(&state.tools())?;
    for solaris in kinds {
        let like = if solaris { Like::Solaris } else { Like::Linux };
        tools::make(state, like, rights).context("cannot lay out the tools")?;
    }
    let mut known_hosts = String::new();
    for host in world.hosts() {
        let root = state.root(&host.name);
        root::lay_out(&root, host, world, scenario.like(host), rights)
            .with_context(|| format!("{}: cannot lay out its files", host.name))?;
        let key = access(
            &root,
            host,
            options.sshd,
            rights,
            &keys::public_line(&operator)?,
            &passwords,
        )?;
        let _ = writeln!(known_hosts, "{} {key}", known_name(host));
        keys::write_private(&root.join("etc/shadow"), shadow.as_bytes())?;
        standin::furnish(host, world, scenario, &root)
            .with_context(|| format!("{}: cannot lay out the vendor's files", host.name))?;
    }
    std::fs::write(state.known_hosts(), known_hosts)?;
    Ok(())
}

/// Keeps this program for the time of the lab: a link where that is allowed, else a copy.
fn keep_program(state: &StateDir) -> std::io::Result<()> {
    let own = std::env::current_exe()?;
    if std::fs::hard_link(&own, state.program()).is_err() {
        std::fs::copy(&own, state.program())?;
    }
    Ok(())
}

/// The directory that all hosts see.
fn shared(state: &StateDir, world: &World, scenario: &Scenario, options: &Options) -> Result<()> {
    let mesh = state.mesh();
    for (place, mode) in [
        (mesh.path().to_owned(), 0o777),
        (mesh.state(), 0o777),
        (mesh.scratch(), 0o777),
    ] {
        std::fs::create_dir_all(&place)?;
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode))?;
    }
    std::fs::write(mesh.world(), serde_json::to_vec_pretty(world)?)?;
    std::fs::write(mesh.scenario(), serde_json::to_vec_pretty(scenario)?)?;
    std::fs::write(
        mesh.clock(),
        serde_json::to_vec(&Clock::start(options.time_scale))?,
    )?;
    for file in [mesh.events(), mesh.events_seq()] {
        std::fs::write(&file, "")?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666))?;
    }
    symlink("mesh/events.jsonl", state.events())?;
    Ok(())
}

/// Writes who may log in to a host; answers its public key.
fn access(
    root: &Path,
    host: &Host,
    sshd: Sshd,
    rights: Rights,
    operator: &str,
    passwords: &Passwords,
) -> Result<String> {
    let private = Private::below(root);
    let key = keys::make(&host.name)?;
    keys::write(&key, &private.host_key())?;
    keys::write(&keys::make(&host.name)?, &private.other_host_key())?;
    std::fs::write(private.authorized_keys(), format!("{operator}\n"))?;
    keys::write_private(&private.secrets(), &serde_json::to_vec_pretty(passwords)?)?;
    let setup = Setup { sshd, rights };
    std::fs::write(private.sshd(), serde_json::to_vec(&setup)?)?;
    Ok(keys::public_line(&key)?
        .split(' ')
        .take(2)
        .collect::<Vec<_>>()
        .join(" "))
}

/// The name of a host in `known_hosts`.
fn known_name(host: &Host) -> String {
    if host.port == 22 {
        host.address.to_string()
    } else {
        format!("[{}]:{}", host.address, host.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_no_labs_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("precious"), "x").unwrap();
        let state = StateDir::new(dir.path());
        assert!(
            take_directory(&state)
                .unwrap_err()
                .to_string()
                .contains("no lab's")
        );
        assert!(dir.path().join("precious").exists());
        std::fs::write(state.lock(), "").unwrap();
        take_directory(&state).unwrap();
        assert!(!dir.path().join("precious").exists());
    }
}
