//! Media and file systems of a host: what can be mounted, the mount table, and the tools that work on it.

pub mod command;
pub mod holders;
pub mod lofi;
pub mod medium;
pub mod show;
pub mod source;
pub mod table;
pub mod trouble;

use std::path::Path;
use std::process::ExitCode;

use super::fault::FileServer;
use super::response::parameters;
use super::service::daemon;
use super::site::Site;
use crate::world::Component;

/// Service name of the process that sits in the audit file system when the scenario wants it busy.
pub const HOLDER: &str = "operator-shell";

/// Usual mount points of the OGFS file systems.
pub const STORE: &str = "/var/opt/opsware/ogfs/mnt/store";
pub const AUDIT: &str = "/var/opt/opsware/ogfs/mnt/audit";

/// Where the audit file system is mounted on this host.
pub fn audit_mount_point(site: &Site) -> String {
    let staged = &site.faults().volumes.audit.mount_point;
    if staged.is_empty() {
        AUDIT.to_owned()
    } else {
        staged.clone()
    }
}

/// The NFS file systems that this host mounts: source and mount point.
pub fn nfs_mounts(site: &Site) -> Vec<(String, String)> {
    let Some(core) = site.core().filter(|_| site.host.has(Component::Ogfs)) else {
        return Vec::new();
    };
    let filer = parameters::filer(core);
    let mut mounts = vec![(
        format!("{filer}:{}", parameters::STORE_EXPORT),
        STORE.to_owned(),
    )];
    if !site.faults().volumes.audit.local {
        mounts.push((
            format!("{filer}:{}", parameters::AUDIT_EXPORT),
            audit_mount_point(site),
        ));
    }
    mounts
}

/// Mounts what is mounted from the beginning, and seats who holds it.
pub fn boot(site: &Site) -> std::io::Result<()> {
    for (source, target) in nfs_mounts(site) {
        std::fs::create_dir_all(&target)?;
        table::attach(site, &table::Mount::nfs(&source, &target))?;
    }
    for (medium, target) in &site.faults().volumes.mounted {
        std::fs::create_dir_all(target)?;
        let kind = if site.is_solaris() { "hsfs" } else { "iso9660" };
        let source = site
            .world
            .media
            .get(medium)
            .map_or("/dev/cdrom", |medium| medium.source.as_str());
        let kind = if source.contains(":/") { "nfs" } else { kind };
        let mount = table::Mount {
            is_stale: site.faults().volumes.server == FileServer::Stale,
            ..table::Mount::disc(source, target, kind, medium)
        };
        table::attach(site, &mount)?;
    }
    trouble::boot(site)?;
    if site.faults().volumes.audit.busy && site.host.has(Component::Ogfs) {
        daemon::launch_other(HOLDER, &["-bash".to_owned()], "root")?;
    }
    Ok(())
}

/// Stays in the audit file system for ever, as a forgotten shell does.
pub fn sit_in_audit(site: &Site) -> ExitCode {
    // Where the directory is not there, there is nothing to hold either.
    let _ = std::env::set_current_dir(Path::new(&audit_mount_point(site)));
    daemon::park()
}
