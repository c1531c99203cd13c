//! Writing files below the root directory of a host.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// When the vendor's software was installed: 30 November 2007, 14:05:11 UTC.
pub(super) const INSTALLED: u64 = 1_196_431_511;

/// The root directory of a host.
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// A path of the host, as the machine sees it.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Writes a file with its mode, as old as the installation.
    pub(super) fn file(&self, path: &str, mode: u32, text: &str) -> io::Result<()> {
        self.dated(path, mode, text, INSTALLED)
    }

    /// Writes a file with its mode and time.
    pub(super) fn dated(&self, path: &str, mode: u32, text: &str, seconds: u64) -> io::Result<()> {
        let target = self.at(path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&target, text)?;
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(mode))?;
        std::fs::File::options()
            .write(true)
            .open(&target)?
            .set_modified(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Writes a program that hands over to a stand-in.
    pub(super) fn program(&self, path: &str, stand_in: &str) -> io::Result<()> {
        self.file(
            path,
            0o755,
            &format!("#!/bin/sh\nexec /.lab/bin/saslab stand-in {stand_in} \"$@\"\n"),
        )
    }

    pub(super) fn directory(&self, path: &str) -> io::Result<()> {
        std::fs::create_dir_all(self.at(path))
    }

    /// Adds text to the end of a file.
    pub(super) fn append(&self, path: &str, text: &str) -> io::Result<()> {
        let old = std::fs::read_to_string(self.at(path)).unwrap_or_default();
        self.file(path, 0o644, &format!("{old}{text}"))
    }
}
