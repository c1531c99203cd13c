//! What is wrong with the file systems of a host: dead and stale servers, exports that squash root, full disks.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::mount::MountFlags;
use rustix::thread::CapabilitySet;

use super::table::{self, Mount};
use crate::standin::fault::FileServer;
use crate::standin::machine::overlay;
use crate::standin::site::Site;
use crate::standin::terminal::complain;

/// Size of a file system that is full.
const FULL_BYTES: &std::ffi::CStr = c"size=131072,mode=755";

/// Prepares this host's troubles, before anyone can log in.
pub fn boot(site: &Site) -> io::Result<()> {
    for directory in &site.faults().volumes.full {
        fill(Path::new(directory))?;
    }
    if site.faults().volumes.server == FileServer::Stale {
        overlay::lay_over("ls")?;
    }
    Ok(())
}

/// Puts a directory on a file system of its own that has no room left; what it holds stays.
fn fill(directory: &Path) -> io::Result<()> {
    let mut held = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            let mode = path.metadata()?.permissions().mode();
            held.push((
                path.clone(),
                mode,
                path.metadata()?.modified()?,
                std::fs::read(&path)?,
            ));
        }
    }
    rustix::mount::mount(
        "/dev/sdb1",
        directory,
        "tmpfs",
        MountFlags::empty(),
        FULL_BYTES,
    )?;
    for (path, mode, time, bytes) in held {
        std::fs::write(&path, bytes)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        std::fs::File::options()
            .write(true)
            .open(&path)?
            .set_modified(time)?;
    }
    let mut filler = std::fs::File::create(directory.join(".filler"))?;
    while filler.write_all(&[0; 4096]).is_ok() {}
    Ok(())
}

/// Takes from this process and all that follow it the right to read whatever it likes, where an export squashes root.
pub fn drop_rights(server: FileServer) -> io::Result<()> {
    if server != FileServer::Squash {
        return Ok(());
    }
    for right in [CapabilitySet::DAC_OVERRIDE, CapabilitySet::DAC_READ_SEARCH] {
        rustix::thread::remove_capability_from_bounding_set(right)?;
    }
    Ok(())
}

/// Makes the files of a new mount what its server allows.
pub fn settle(site: &Site, mount: &Mount) -> io::Result<()> {
    if site.faults().volumes.server == FileServer::Squash && is_foreign(mount) {
        std::fs::set_permissions(&mount.target, std::fs::Permissions::from_mode(0o000))?;
    }
    Ok(())
}

fn is_foreign(mount: &Mount) -> bool {
    mount.kind == "nfs" && !mount.medium.is_empty()
}

/// Tells whether a command about this source or mount point waits for a dead server.
pub fn waits_for_ever(site: &Site, place: &str) -> bool {
    let place = place.trim_end_matches('/');
    let is_remote =
        |mount: &Mount| mount.kind == "nfs" && (mount.target == place || mount.source == place);
    site.faults().volumes.server == FileServer::Dead
        && (place.contains(":/") || table::read(site).iter().any(is_remote))
}

/// `ls` where handles have gone stale.
pub fn ls(site: &Site, args: &[String]) -> ExitCode {
    let here = std::env::current_dir().unwrap_or_default();
    let mut places: Vec<PathBuf> = args
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .map(|arg| here.join(arg))
        .collect();
    if places.is_empty() {
        places.push(here);
    }
    let stale: Vec<Mount> = table::read(site)
        .into_iter()
        .filter(|mount| mount.is_stale)
        .collect();
    for place in places {
        if stale.iter().any(|mount| place.starts_with(&mount.target)) {
            complain(&format!("ls: {}: Stale NFS file handle", place.display()));
            return ExitCode::from(2);
        }
    }
    use std::os::unix::process::CommandExt;
    complain(&overlay::command("ls", args).exec().to_string());
    ExitCode::from(127)
}
