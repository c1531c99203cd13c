//! Programs, devices, media and file systems of a host.

use std::io;

use super::place::Place;
use crate::standin::fault::Disc;
use crate::standin::fix;
use crate::standin::site::Site;
use crate::standin::volume::{self, medium};
use crate::world::Component;

/// Writes the programs and what can be mounted.
pub(super) fn lay_out(site: &Site, place: &Place) -> io::Result<()> {
    place.program("/etc/init.d/opsware-sas", "opsware-sas")?;
    place.program("/opt/opsware/oi_util/curl/bin/curl", "opsware-curl")?;
    if site.is_solaris() {
        place.program("/opt/opsware/bin/rpm", "rpm")?;
    }
    if site.host.has(Component::Spin) {
        place.program("/opt/opsware/bin/python", "opsware-python")?;
        for (script, _) in fix::SCRIPTS {
            place.file(&format!("{}/{script}.pyc", fix::DIRECTORY), 0o644, "lab\n")?;
        }
    }
    if site.faults().fix.no_usr_tmp {
        // Every host has it as a link, unless the scenario wants none.
        std::fs::remove_file(place.at("/usr/tmp"))?;
    }
    for directory in [
        "/var/log/opsware/install_opsware",
        "/opt/opsware/lib",
        "/opt/opsware/pylibs",
    ] {
        place.directory(directory)?;
    }
    login(site, place)?;
    names(site, place)?;
    media(site, place)?;
    file_systems(site, place)
}

/// Root's login shell, where it is not the usual one.
fn login(site: &Site, place: &Place) -> io::Result<()> {
    const CSH: &str = "/opt/csh/bin/csh";
    if !site.faults().login.csh {
        return Ok(());
    }
    place.program(CSH, "csh")?;
    let old = std::fs::read_to_string(place.at("/etc/passwd"))?;
    let text: String = old
        .lines()
        .map(|line| match line.rsplit_once(':') {
            Some((before, _)) if line.starts_with("root:") => format!("{before}:{CSH}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    place.file("/etc/passwd", 0o644, &text)
}

/// Names that the scenario bends: taken from every line of the hosts file, given to another address or to none.
fn names(site: &Site, place: &Place) -> io::Result<()> {
    let bent = &site.faults().names;
    if bent.is_empty() {
        return Ok(());
    }
    let old = std::fs::read_to_string(place.at("/etc/hosts"))?;
    let mut text = String::new();
    for line in old.lines() {
        let kept: Vec<_> = line
            .split_whitespace()
            .filter(|word| !bent.contains_key(*word))
            .collect();
        text.push_str(&format!("{}\n", kept.join("\t")));
    }
    for (name, address) in bent.iter().filter(|(_, address)| !address.is_empty()) {
        text.push_str(&format!("{address}\t{name}\n"));
    }
    place.file("/etc/hosts", 0o644, &text)
}

fn media(site: &Site, place: &Place) -> io::Result<()> {
    let to = &site.world.versions.to;
    for (name, known) in &site.world.media {
        place.directory(&known.mount)?;
        match known.kind.as_str() {
            "image" => medium::write_image(&place.at(&known.source), name, to)?,
            "directory" | "bind" => place.directory(&known.source)?,
            _ => {}
        }
    }
    let disc = match site.faults().volumes.disc {
        Disc::Primary => "primary",
        Disc::Upload => "upload",
        Disc::OldPrimary => "old_primary",
        Disc::Foreign => "foreign",
        Disc::None => return place.file("/dev/cdrom", 0o660, ""),
    };
    medium::write_image(&place.at("/dev/cdrom"), disc, to)
}

fn file_systems(site: &Site, place: &Place) -> io::Result<()> {
    let mounts = volume::nfs_mounts(site);
    for (_, target) in &mounts {
        place.directory(target)?;
    }
    if site.host.has(Component::Ogfs) {
        for target in [volume::STORE, volume::AUDIT] {
            place.directory(target)?;
        }
    }
    if mounts.is_empty() {
        return Ok(());
    }
    if site.is_solaris() {
        let lines: String = mounts
            .iter()
            .map(|(source, target)| format!("{source}\t-\t{target}\tnfs\t-\tyes\thard,intr\n"))
            .collect();
        return place.append("/etc/vfstab", &lines);
    }
    let lines: String = mounts
        .iter()
        .map(|(source, target)| format!("{source} {target} nfs rw,hard,intr 0 0\n"))
        .collect();
    place.append(
        "/etc/fstab",
        &format!(
            "# Begin Opsware Global Filesystem mounts\n{lines}# End Opsware Global Filesystem mounts\n"
        ),
    )
}
