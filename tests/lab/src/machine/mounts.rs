//! The mounts that turn a directory into the root of a host.
//!
//! What belongs to the machine is bound read-only; what belongs to the host is the directory itself.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

/// A mount that failed, with its place.
#[derive(Debug, thiserror::Error)]
#[error("cannot mount {}: {source}", target.display())]
pub struct MountError {
    target: PathBuf,
    source: io::Error,
}

/// Devices of the machine that a host may use.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Keeps what is mounted from here on from reaching the machine.
pub fn keep_private() -> Result<(), MountError> {
    let root = Path::new("/");
    rustix::mount::mount_change(
        root,
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .map_err(|errno| failed(root, errno))
}

/// Binds a directory or file of the machine to a place below the root of a host, where something must exist already.
pub fn bind(source: &Path, target: &Path) -> Result<(), MountError> {
    rustix::mount::mount_bind_recursive(source, target).map_err(|errno| failed(target, errno))
}

/// Binds a directory or file of the machine so that the host cannot change it.
pub fn bind_read_only(source: &Path, target: &Path) -> Result<(), MountError> {
    bind(source, target)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | kept_flags(target);
    rustix::mount::mount_remount(target, flags, c"").map_err(|errno| failed(target, errno))
}

/// Mounts a small file system in memory: what is made in it is gone with the lab.
pub fn memory(target: &Path) -> Result<(), MountError> {
    let safe = MountFlags::NODEV;
    rustix::mount::mount("lab", target, "tmpfs", safe, c"mode=755")
        .map_err(|errno| failed(target, errno))
}

/// Binds the devices of the machine that every program expects into `dev`.
pub fn devices(dev: &Path) -> Result<(), MountError> {
    for name in DEVICES {
        bind(&Path::new("/dev").join(name), &dev.join(name))?;
    }
    Ok(())
}

/// Mounts the processes of the pid namespace that this process is in, and terminals of the host's own.
pub fn processes_and_terminals(root: &Path) -> Result<(), MountError> {
    let proc = root.join("proc");
    let safe = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("proc", &proc, "proc", safe, c"").map_err(|errno| failed(&proc, errno))?;
    let pts = root.join("dev/pts");
    let safe = MountFlags::NOSUID | MountFlags::NOEXEC;
    rustix::mount::mount(
        "devpts",
        &pts,
        "devpts",
        safe,
        c"newinstance,ptmxmode=0666,mode=0620",
    )
    .map_err(|errno| failed(&pts, errno))
}

/// Makes `root`, which must be a mount point, the root directory, and lets go of the machine's.
pub fn change_root(root: &Path) -> Result<(), MountError> {
    let failed_here = |errno| failed(root, errno);
    rustix::process::chdir(root).map_err(failed_here)?;
    rustix::process::pivot_root(".", ".").map_err(failed_here)?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(failed_here)?;
    rustix::process::chdir("/").map_err(failed_here)
}

/// The flags that a mount in a user namespace must keep when it is mounted anew.
fn kept_flags(target: &Path) -> MountFlags {
    let Ok(stat) = rustix::fs::statvfs(target) else {
        return MountFlags::empty();
    };
    let mut flags = MountFlags::empty();
    if stat.f_flag.contains(StatVfsMountFlags::NOSUID) {
        flags |= MountFlags::NOSUID;
    }
    let locked = [
        (4, MountFlags::NODEV),
        (8, MountFlags::NOEXEC),
        (1024, MountFlags::NOATIME),
        (2048, MountFlags::NODIRATIME),
        (4096, MountFlags::RELATIME),
    ];
    for (bit, flag) in locked {
        if stat.f_flag.bits() & bit != 0 {
            flags |= flag;
        }
    }
    flags
}

fn failed(target: &Path, errno: rustix::io::Errno) -> MountError {
    MountError {
        target: target.to_owned(),
        source: errno.into(),
    }
}
