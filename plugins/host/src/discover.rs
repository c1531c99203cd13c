//! Which plugins lie in the directories that may hold some.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{PluginError, trust};

/// A plugin that was found and may be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFile {
    /// Where it is, free of symbolic links.
    pub path: PathBuf,
    pub kind: PluginKind,
    /// SHA-256 of its bytes, in hexadecimal, to be recorded with the run.
    pub sha256: String,
}

/// How a plugin is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginKind {
    /// A shared library, `*.so`.
    Library,
    /// Any executable.
    Executable,
}

/// Finds the plugins of the directories, in their order and then by name.
///
/// Of two with one file name the first is taken. Directories that are not there are passed over;
/// files that are neither libraries nor executable are no plugins.
///
/// # Errors
/// A directory or plugin could be changed by somebody else, or cannot be read.
pub fn discover(directories: &[PathBuf]) -> Result<Vec<PluginFile>, PluginError> {
    let mut found = Vec::new();
    let mut names = HashSet::new();
    let mut seen = HashSet::new();
    for directory in directories {
        let Ok(real) = directory.canonicalize() else {
            continue;
        };
        if !real.is_dir() || !seen.insert(real.clone()) {
            continue;
        }
        trust::directory(&real)?;
        for path in entries(&real)? {
            let Some(kind) = kind(&path)? else { continue };
            if names.insert(path.file_name().map(ToOwned::to_owned)) {
                found.push(plugin_file(&path, kind)?);
            }
        }
    }
    Ok(found)
}

impl PluginFile {
    /// Takes one file as a plugin, wherever it lies.
    ///
    /// # Errors
    /// As [`discover`], or it is no plugin.
    pub fn at(path: &Path) -> Result<Self, PluginError> {
        match kind(path)? {
            Some(kind) => plugin_file(path, kind),
            None => Err(PluginError::Unusable {
                path: path.to_owned(),
                reason: "it is neither a library (*.so) nor executable".into(),
            }),
        }
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| unreadable(directory, &error))? {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn kind(path: &Path) -> Result<Option<PluginKind>, PluginError> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    Ok(if !metadata.is_file() {
        None
    } else if path.extension().is_some_and(|extension| extension == "so") {
        Some(PluginKind::Library)
    } else if metadata.permissions().mode() & 0o111 != 0 {
        Some(PluginKind::Executable)
    } else {
        None
    })
}

fn plugin_file(path: &Path, kind: PluginKind) -> Result<PluginFile, PluginError> {
    let real = path
        .canonicalize()
        .map_err(|error| unreadable(path, &error))?;
    trust::file(&real)?;
    let sha256 = sha256(&real)?;
    Ok(PluginFile {
        path: real,
        kind,
        sha256,
    })
}

pub(crate) fn sha256(path: &Path) -> Result<String, PluginError> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let digest = Sha256::digest(bytes);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn unreadable(path: &Path, error: &std::io::Error) -> PluginError {
    PluginError::Unreadable {
        path: path.to_owned(),
        cause: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(directory: &Path, name: &str, mode: u32) -> PathBuf {
        let path = directory.join(name);
        fs::write(&path, name).unwrap();
        chmod(&path, mode);
        path
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        chmod(directory.path(), 0o755);
        directory
    }

    #[test]
    fn finds_in_the_order_of_the_directories() {
        let (first, second) = (directory(), directory());
        put(first.path(), "libzeta.so", 0o644);
        put(first.path(), "alpha", 0o755);
        put(first.path(), "README", 0o644);
        put(first.path(), ".hidden", 0o755);
        fs::create_dir(first.path().join("below")).unwrap();
        put(second.path(), "alpha", 0o700);
        put(second.path(), "beta", 0o755);
        let missing = first.path().join("missing");
        let directories = [
            missing,
            first.path().to_owned(),
            second.path().to_owned(),
            first.path().to_owned(),
        ];
        let found = discover(&directories).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|file| (file.path.clone(), file.kind))
            .collect();
        let first = first.path().canonicalize().unwrap();
        let second = second.path().canonicalize().unwrap();
        assert_eq!(
            seen,
            [
                (first.join("alpha"), PluginKind::Executable),
                (first.join("libzeta.so"), PluginKind::Library),
                (second.join("beta"), PluginKind::Executable),
            ]
        );
        assert_eq!(
            found[0].sha256,
            "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8"
        );
    }

    #[test]
    fn refuses_what_others_can_write_to() {
        for (directory_mode, file_mode) in [
            (0o777, 0o755),
            (0o775, 0o755),
            (0o1777, 0o755),
            (0o755, 0o757),
            (0o755, 0o775),
        ] {
            let directory = directory();
            put(directory.path(), "plugin", file_mode);
            chmod(directory.path(), directory_mode);
            let error = discover(&[directory.path().to_owned()]).unwrap_err();
            assert!(
                matches!(&error, PluginError::Untrusted { way_out, .. } if way_out.contains("chmod go-w")),
                "{directory_mode:o} {file_mode:o}: {error}"
            );
        }
    }

    #[test]
    fn refuses_a_link_to_a_file_that_others_can_write_to() {
        let (directory, elsewhere) = (directory(), directory());
        let target = put(elsewhere.path(), "target", 0o777);
        symlink(target, directory.path().join("plugin")).unwrap();
        let error = discover(&[directory.path().to_owned()]).unwrap_err();
        assert!(matches!(error, PluginError::Untrusted { .. }), "{error}");
    }

    #[test]
    fn refuses_a_directory_below_one_that_others_can_write_to() {
        let above = directory();
        let below = above.path().join("plugins");
        fs::create_dir(&below).unwrap();
        chmod(&below, 0o755);
        chmod(above.path(), 0o777);
        let error = discover(&[below]).unwrap_err();
        assert!(matches!(error, PluginError::Untrusted { .. }), "{error}");
    }

    #[test]
    fn refuses_what_belongs_to_a_stranger() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let directory = directory();
        let path = put(directory.path(), "plugin", 0o755);
        std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
        let error = discover(&[directory.path().to_owned()]).unwrap_err();
        assert!(
            matches!(&error, PluginError::Untrusted { reason, .. } if reason.contains("12345")),
            "{error}"
        );
    }
}
