//! Whether a file may be loaded as code: nobody but its user and root may be able to change it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::PluginError;

/// Refuses a directory that anyone but root and the user could put plugins into.
pub(crate) fn directory(path: &Path) -> Result<(), PluginError> {
    own_alone(path)?;
    for above in path.ancestors().skip(1) {
        not_replaceable(above)?;
    }
    Ok(())
}

/// Refuses a file that anyone but root and the user could change.
pub(crate) fn file(path: &Path) -> Result<(), PluginError> {
    own_alone(path)?;
    match path.parent() {
        Some(parent) => directory(parent),
        None => Ok(()),
    }
}

fn own_alone(path: &Path) -> Result<(), PluginError> {
    let (mode, owner) = status(path)?;
    let user = rustix::process::geteuid().as_raw();
    if owner != 0 && owner != user {
        return Err(PluginError::Untrusted {
            path: path.to_owned(),
            reason: format!("it belongs to user {owner}, not to you or root"),
            way_out: format!("take it over: chown {user} {}", path.display()),
        });
    }
    if mode & 0o022 != 0 {
        return Err(writable(path, mode));
    }
    Ok(())
}

/// A directory above may be shared only if nobody can rename what is in it.
fn not_replaceable(path: &Path) -> Result<(), PluginError> {
    let (mode, _) = status(path)?;
    let sticky = mode & 0o1000 != 0;
    if mode & 0o002 != 0 && !sticky {
        return Err(writable(path, mode));
    }
    Ok(())
}

fn writable(path: &Path, mode: u32) -> PluginError {
    let who = if mode & 0o002 != 0 {
        "everyone"
    } else {
        "its group"
    };
    PluginError::Untrusted {
        path: path.to_owned(),
        reason: format!("{who} can write to it"),
        way_out: format!("forbid that: chmod go-w {}", path.display()),
    }
}

fn status(path: &Path) -> Result<(u32, u32), PluginError> {
    let metadata = fs::metadata(path).map_err(|error| PluginError::Unreadable {
        path: path.to_owned(),
        cause: error.to_string(),
    })?;
    Ok((metadata.mode(), metadata.uid()))
}
