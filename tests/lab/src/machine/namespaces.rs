//! Namespaces of the lab and the session of a login: the one file of the lab with unsafe code.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Signal;
use rustix::thread::UnshareFlags;

/// Whose rights the hosts of a lab have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    /// Root of the machine: every user of a host is a user of its own.
    Root,
    #[default]
    /// A plain user in a user namespace: every user of a host is the same one, who looks like root there.
    SingleUser,
}

/// Leaves the machine's mounts and network for new ones, as root if possible, else in a user namespace.
///
/// Must be called before the process has a second thread.
pub fn enter_lab() -> io::Result<Rights> {
    let own = UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWIPC;
    if rustix::process::geteuid().is_root() && unshare(own).is_ok() {
        return Ok(Rights::Root);
    }
    let (uid, gid) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    unshare(UnshareFlags::NEWUSER)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1\n"))?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1\n"))?;
    unshare(own)?;
    Ok(Rights::SingleUser)
}

/// Gives this process mounts, a host name and, for its children, process ids of their own.
pub fn enter_host(own_network: bool) -> io::Result<()> {
    let mut flags =
        UnshareFlags::NEWNS | UnshareFlags::NEWUTS | UnshareFlags::NEWIPC | UnshareFlags::NEWPID;
    if own_network {
        flags |= UnshareFlags::NEWNET;
    }
    unshare(flags)
}

/// Ends this process when the one that started it ends, however that happens.
pub fn die_with_parent() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

/// Makes the command start a session of its own; with `terminal`, its stdin becomes the controlling terminal.
pub fn start_session(command: &mut Command, terminal: bool) {
    let begin = move || {
        rustix::process::setsid()?;
        if terminal {
            rustix::process::ioctl_tiocsctty(std::io::stdin())?;
        }
        Ok(())
    };
    #[expect(
        unsafe_code,
        reason = "only system calls that are safe after fork are made, nothing is allocated"
    )]
    // SAFETY: setsid and ioctl are async-signal-safe; the closure owns no resource and touches no lock.
    unsafe {
        command.pre_exec(begin);
    }
}

fn unshare(flags: UnshareFlags) -> io::Result<()> {
    #[expect(
        unsafe_code,
        reason = "leaving a namespace is marked unsafe because of file tables, which stay shared"
    )]
    // SAFETY: the flags never include FILES, the one flag with a condition.
    unsafe {
        rustix::thread::unshare_unsafe(flags)?;
    }
    Ok(())
}
