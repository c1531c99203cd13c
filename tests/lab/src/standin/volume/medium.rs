//! The installation media: their labels, their files, and the images they come in.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::standin::component::package_version;
use crate::standin::site::Site;

/// Where a host keeps the files of its media, below the lab's own directory.
pub fn tree(site: &Site, name: &str) -> PathBuf {
    site.private.path().join("media").join(name)
}

/// File in the installer's directory that tells which medium it came from.
pub const ORIGIN: &str = "medium";

/// One medium of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Medium<'a> {
    name: &'static str,
    title: &'static str,
    volume: &'static str,
    release: &'a str,
    /// Directory of the installer; none for a disc that has nothing to do with the product.
    installer: Option<&'static str>,
}

/// Every medium that may turn up in a drive.
fn all(to: &str) -> [Medium<'_>; 6] {
    let medium = |name, title, volume, release, installer| Medium {
        name,
        title,
        volume,
        release,
        installer,
    };
    [
        medium(
            "primary",
            "Product Software (Primary)",
            "OPSW_PRIMARY",
            to,
            Some("disk001/opsware_installer"),
        ),
        medium(
            "upload",
            "Agent and Utilities (Upload)",
            "OPSW_UPLOAD",
            to,
            Some("opsware_installer"),
        ),
        medium(
            "old_primary",
            "Product Software (Primary)",
            "OPSW_PRIMARY",
            "6.6",
            Some("disk001/opsware_installer"),
        ),
        medium(
            "satellite",
            "Satellite Base",
            "OPSW_SATELLITE",
            to,
            Some("disk001/opsware_installer"),
        ),
        medium(
            "satellite_osprov",
            "Satellite Base Including OS Provisioning",
            "OPSW_SATELLITE_OSP",
            to,
            Some("disk001/opsware_installer"),
        ),
        medium("foreign", "Holiday Pictures", "PICTURES", "1999", None),
    ]
}

/// Lays out the files of all media for a host that is being prepared.
pub fn lay_out(site: &Site, to: &str) -> io::Result<()> {
    for medium in all(to) {
        write_tree(
            &tree(site, medium.name),
            &medium,
            &site.faults().volumes.installer_places,
        )?;
    }
    Ok(())
}

/// Writes a medium; `places` are where the installer lies in place of the usual one.
fn write_tree(root: &Path, medium: &Medium<'_>, places: &[String]) -> io::Result<()> {
    std::fs::create_dir_all(root)?;
    let Some(installer) = medium.installer else {
        std::fs::write(root.join("LABEL"), format!("{}\n", medium.title))?;
        return std::fs::write(root.join("picture001.jpg"), "not a picture\n");
    };
    std::fs::write(
        root.join("LABEL"),
        format!("Opsware SAS {} {}\n", medium.release, medium.title),
    )?;
    if places.is_empty() {
        return write_installer(root, installer, medium);
    }
    places
        .iter()
        .try_for_each(|place| write_installer(root, place, medium))
}

fn write_installer(root: &Path, place: &str, medium: &Medium<'_>) -> io::Result<()> {
    let directory = root.join(place);
    std::fs::create_dir_all(&directory)?;
    let script = directory.join("upgrade_opsware.sh");
    std::fs::write(
        &script,
        "#!/bin/sh\nexec /.lab/bin/saslab stand-in upgrade_opsware.sh \"$0\" \"$@\"\n",
    )?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    std::fs::write(
        directory.join(ORIGIN),
        format!(
            "{}\n{}\n{}\n",
            medium.name,
            medium.release,
            package_version(medium.release)
        ),
    )?;
    let packages = directory.parent().unwrap_or(root).join("packages");
    std::fs::create_dir_all(&packages)?;
    std::fs::write(
        packages.join("MANIFEST"),
        format!("release {}\n", medium.release),
    )
}

/// Offset of the volume descriptor in an image.
const DESCRIPTOR: usize = 32 * 1024;

/// Writes an image file: a volume descriptor with the label, and the name of the medium behind it.
pub fn write_image(path: &Path, name: &str, to: &str) -> io::Result<()> {
    let media = all(to);
    let volume = media
        .iter()
        .find(|medium| medium.name == name)
        .map_or("UNKNOWN", |medium| medium.volume);
    let mut descriptor = vec![b' '; 2048];
    let fields: [(usize, &[u8]); 5] = [
        (0, b"\x01CD001\x01\x00"),
        (8, b"LINUX"),
        (40, volume.as_bytes()),
        (190, b"OPSWARE"),
        (574, name.as_bytes()),
    ];
    for (at, bytes) in fields {
        for (slot, byte) in descriptor.iter_mut().skip(at).zip(bytes) {
            *slot = *byte;
        }
    }
    let mut image = vec![0; DESCRIPTOR];
    image.extend(descriptor);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, image)
}

/// The name of the medium that an image file holds.
pub fn read_image(path: &Path) -> Option<String> {
    let image = std::fs::read(path).ok()?;
    let descriptor = image.get(DESCRIPTOR..)?;
    if descriptor.get(1..6)? != b"CD001" {
        return None;
    }
    let name = String::from_utf8_lossy(descriptor.get(574..702)?)
        .trim()
        .to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_tells_what_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("depot/upload.iso");
        write_image(&path, "upload", "6.61").unwrap();
        assert_eq!(read_image(&path).as_deref(), Some("upload"));
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[DESCRIPTOR + 40..DESCRIPTOR + 51], b"OPSW_UPLOAD");
        std::fs::write(&path, "short").unwrap();
        assert_eq!(read_image(&path), None);
    }

    #[test]
    fn a_product_medium_has_label_and_installer_and_a_foreign_one_has_not() {
        let dir = tempfile::tempdir().unwrap();
        for medium in all("6.61") {
            let root = dir.path().join(medium.name);
            write_tree(&root, &medium, &[]).unwrap();
            let places = ["opsware_installer", "disk001/opsware_installer"];
            let found = places
                .iter()
                .filter(|place| root.join(place).join("upgrade_opsware.sh").is_file())
                .count();
            assert_eq!(
                found,
                usize::from(medium.name != "foreign"),
                "{}",
                medium.name
            );
        }
        let label = std::fs::read_to_string(dir.path().join("upload/LABEL")).unwrap();
        assert_eq!(label, "Opsware SAS 6.61 Agent and Utilities (Upload)\n");
    }
}
