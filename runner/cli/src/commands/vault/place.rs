//! Reading and replacing files whose content must never lie about readable.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Reads a file, or standard input for `-`.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut content = Vec::new();
        std::io::stdin().lock().read_to_end(&mut content)?;
        return Ok(content);
    }
    fs::read(path).with_context(|| format!("Unable to read source file ({})", path.display()))
}

/// Writes a file that only its owner can read, or standard output for `-`.
pub(super) fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if path == Path::new("-") {
        let mut out = std::io::stdout().lock();
        return Ok(out.write_all(content).and_then(|()| out.flush())?);
    }
    let path = real(path);
    put(&path, content)
}

/// Writes a file anew, with the owner and mode it had.
pub(super) fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let path = real(path);
    let before = fs::metadata(&path).ok();
    put(&path, content)?;
    if let Some(before) = before {
        fs::set_permissions(&path, Permissions::from_mode(before.mode() & 0o7777))?;
        chown(&path, Some(before.uid()), Some(before.gid()))?;
    }
    Ok(())
}

/// Where a link leads, so that the link stays.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Writes beside the file and renames, so that there is always a whole one.
fn put(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Some(name) = path.file_name() else {
        bail!("{} is no file", path.display());
    };
    let new = folder.join(format!(
        ".{}.{:08x}",
        name.to_string_lossy(),
        rand::random::<u32>()
    ));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&new);
    }
    written.with_context(|| format!("Destination '{}' not writable", folder.display()))
}
