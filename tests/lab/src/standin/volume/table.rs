//! The mount table of a host, and the mounts behind it.
//!
//! A mount is a small file system in memory under the right name, filled with the medium's files; where the kernel
//! does not allow that, the files are copied. Tools read the table, which tells the type that the real thing would.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use serde::{Deserialize, Serialize};

use super::medium;
use crate::standin::site::Site;
use crate::standin::store::{Store, StoreError};

/// One line of the mount table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    pub source: String,
    pub target: String,
    pub kind: String,
    pub options: String,
    /// Medium whose files are shown; empty for none.
    pub medium: String,
    /// Directory whose files are shown; empty for none.
    pub directory: String,
    /// Whether the files are copies because the kernel would not mount.
    pub is_copied: bool,
    /// Whether its server no longer knows the handles.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_stale: bool,
}

impl Mount {
    /// A disc or an image.
    pub fn disc(source: &str, target: &str, kind: &str, medium: &str) -> Self {
        Self {
            source: source.to_owned(),
            target: target.to_owned(),
            kind: kind.to_owned(),
            options: "ro".to_owned(),
            medium: medium.to_owned(),
            ..Self::default()
        }
    }

    /// An NFS file system.
    pub fn nfs(source: &str, target: &str) -> Self {
        Self {
            source: source.to_owned(),
            target: target.to_owned(),
            kind: "nfs".to_owned(),
            options: "rw,hard,intr".to_owned(),
            ..Self::default()
        }
    }
}

/// Why a mount was not taken off.
#[derive(Debug, thiserror::Error)]
pub enum DetachError {
    #[error("not mounted")]
    NotMounted,
    #[error("target is busy.")]
    Busy,
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn store(site: &Site) -> Store<Vec<Mount>> {
    site.store("mounts")
}

/// Every mount, the oldest first.
pub fn read(site: &Site) -> Vec<Mount> {
    store(site).read().unwrap_or_default()
}

/// Forgets all mounts, as a start of the host does.
pub fn reset(site: &Site) -> io::Result<()> {
    store(site).update(Vec::clear).map_err(io::Error::other)?;
    publish(site)
}

/// Mounts; the caller has seen to it that nothing is mounted there.
pub fn attach(site: &Site, mount: &Mount) -> io::Result<()> {
    let mut mount = mount.clone();
    let content = content(site, &mount);
    let target = PathBuf::from(&mount.target);
    match rustix::mount::mount(
        mount.source.as_str(),
        &target,
        "tmpfs",
        MountFlags::empty(),
        None,
    ) {
        Ok(()) => {}
        Err(Errno::PERM | Errno::ACCESS | Errno::NODEV) => mount.is_copied = true,
        Err(error) => return Err(error.into()),
    }
    if let Some(content) = content {
        copy(&content, &target)?;
        super::trouble::settle(site, &mount)?;
        if !mount.is_copied && mount.options.split(',').any(|option| option == "ro") {
            rustix::mount::mount_remount(&target, MountFlags::RDONLY, "")?;
        }
    }
    store(site)
        .update(|mounts| mounts.push(mount))
        .map_err(io::Error::other)?;
    publish(site)
}

fn content(site: &Site, mount: &Mount) -> Option<PathBuf> {
    if !mount.medium.is_empty() {
        return Some(medium::tree(site, &mount.medium));
    }
    (!mount.directory.is_empty()).then(|| PathBuf::from(&mount.directory))
}

/// Takes off the newest mount at a place, given by mount point or source; gives what it was.
pub fn detach(site: &Site, place: &str) -> Result<Mount, DetachError> {
    let place = place.trim_end_matches('/');
    let mounts = read(site);
    let mount = mounts
        .iter()
        .rev()
        .find(|mount| mount.target == place || mount.source == place)
        .cloned()
        .ok_or(DetachError::NotMounted)?;
    if mount.is_copied {
        if !super::holders::of(Path::new(&mount.target)).is_empty() {
            return Err(DetachError::Busy);
        }
        empty(Path::new(&mount.target))?;
    } else {
        match rustix::mount::unmount(mount.target.as_str(), UnmountFlags::empty()) {
            Err(Errno::BUSY) => return Err(DetachError::Busy),
            // The kernel knows no such mount: only the table is out of date.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
    let forget = |mounts: &mut Vec<Mount>| {
        if let Some(index) = mounts.iter().rposition(|one| *one == mount) {
            mounts.remove(index);
        }
    };
    store(site)
        .update(forget)
        .map_err(|error: StoreError| io::Error::other(error))?;
    publish(site)?;
    Ok(mount)
}

/// Writes the table to where the host's tools look for it.
pub fn publish(site: &Site) -> io::Result<()> {
    let (path, text) = if site.is_solaris() {
        ("/etc/mnttab", mnttab(&read(site)))
    } else {
        ("/etc/mtab", mtab(&read(site)))
    };
    std::fs::write(path, text)
}

/// The table as Linux writes it.
pub fn mtab(mounts: &[Mount]) -> String {
    let mut text = String::from("/dev/sda1 / ext3 rw 0 0\nproc /proc proc rw 0 0\n");
    for mount in mounts {
        text.push_str(&format!(
            "{} {} {} {} 0 0\n",
            mount.source, mount.target, mount.kind, mount.options
        ));
    }
    text
}

/// The table as Solaris writes it: tabs, and the time at the end.
pub fn mnttab(mounts: &[Mount]) -> String {
    let mut text = String::from("/dev/dsk/c0t0d0s0\t/\tufs\trw\t1196431511\n");
    for mount in mounts {
        text.push_str(&format!(
            "{}\t{}\t{}\t{}\t1196431600\n",
            mount.source, mount.target, mount.kind, mount.options
        ));
    }
    text
}

/// Copies a small tree with its modes and times.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &target)?;
            std::fs::File::options()
                .write(true)
                .open(&target)?
                .set_modified(entry.metadata()?.modified()?)?;
        }
    }
    Ok(())
}

fn empty(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_as_each_system_writes_it() {
        let mounts = [Mount::nfs(
            "filer-a:/export/ogfs/audit",
            "/var/opt/opsware/ogfs/mnt/audit",
        )];
        let line =
            "filer-a:/export/ogfs/audit /var/opt/opsware/ogfs/mnt/audit nfs rw,hard,intr 0 0\n";
        assert!(mtab(&mounts).ends_with(line));
        let solaris = mnttab(&mounts);
        let fields: Vec<_> = solaris.lines().last().unwrap().split('\t').collect();
        assert_eq!(fields.len(), 5);
        assert_eq!(
            (fields[1], fields[2]),
            ("/var/opt/opsware/ogfs/mnt/audit", "nfs")
        );
    }
}
