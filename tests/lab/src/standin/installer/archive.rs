//! Settings that an upgrade replaces: the copy it keeps, and the file it writes.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::standin::response::timestamp::{Form, now};
use crate::standin::site::{self, Site};

/// Where the copies go.
pub const ARCHIVE: &str = "/var/opt/opsware/install_opsware/config_file_archive";

/// Keeps a copy of a file and writes its new text.
pub fn replace(site: &Site, path: &Path, text: &str) -> io::Result<()> {
    if path.is_file() {
        let stamp = Form::of_facility(site.host.facility.id).write(now());
        let copy = copy_path(path, &stamp);
        if let Some(parent) = copy.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::copy(path, &copy)?;
    }
    std::fs::write(path, text)?;
    site::log_effect("installer.settings_replaced", json!({"file": path}));
    Ok(())
}

fn copy_path(path: &Path, stamp: &str) -> PathBuf {
    PathBuf::from(format!("{ARCHIVE}{}.{stamp}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_the_whole_path() {
        let copy = copy_path(Path::new("/etc/opt/opsware/dhcpd/dhcpd.conf"), "1");
        assert_eq!(
            copy,
            Path::new(ARCHIVE).join("etc/opt/opsware/dhcpd/dhcpd.conf.1")
        );
    }
}
