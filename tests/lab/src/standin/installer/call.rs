//! A call of the installer: what must hold before it says a word.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::Run;
use crate::standin::response::dialect::{Dialect, value};
use crate::standin::site::Site;
use crate::standin::terminal::{Terminal, TerminalError};
use crate::standin::volume::medium::ORIGIN;

/// The medium from which a run was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `primary`, `upload` and so on.
    pub medium: String,
    pub release: String,
    /// Letters of the packages on it.
    pub version: String,
}

/// Why a call is refused before anything is asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("must be run as root")]
    NotRoot,
    #[error("must be run from the directory /")]
    Directory,
    #[error("usage: upgrade_opsware.sh -r <full path to response file>")]
    Usage,
    #[error("{0}: the path of the response file must be absolute")]
    Relative(PathBuf),
    #[error("cannot determine the distribution")]
    Distribution,
    #[error("another installer is running (process {0})")]
    Running(String),
    #[error("cannot read {0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    #[error("the response file is empty")]
    Empty,
    #[error("{0}: not a response file")]
    NoResponseFile(PathBuf),
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Checks a call of the script; gives the medium, the response file and the host's only lock.
pub(super) fn check(
    site: &Site,
    script: &str,
    args: &[String],
) -> Result<(Origin, PathBuf, File), CallError> {
    if !rustix::process::geteuid().is_root() {
        return Err(CallError::NotRoot);
    }
    if std::env::current_dir().ok().as_deref() != Some(Path::new("/")) {
        return Err(CallError::Directory);
    }
    let file = match args {
        [flag, file] if flag == "-r" => PathBuf::from(file),
        _ => return Err(CallError::Usage),
    };
    if !file.is_absolute() {
        return Err(CallError::Relative(file));
    }
    let origin = origin(Path::new(script)).ok_or(CallError::Distribution)?;
    let lock = take_lock(site)?;
    Ok((origin, file, lock))
}

fn origin(script: &Path) -> Option<Origin> {
    let text = std::fs::read_to_string(script.parent()?.join(ORIGIN)).ok()?;
    let mut lines = text.lines().map(str::to_owned);
    Some(Origin {
        medium: lines.next()?,
        release: lines.next()?,
        version: lines.next()?,
    })
}

/// Sees to it that one installer runs on the host at most.
fn take_lock(site: &Site) -> Result<File, CallError> {
    let path = site.private.scratch().join("installer.lock");
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        let pid = std::fs::read_to_string(&path).unwrap_or_default();
        CallError::Running(pid.trim().to_owned())
    })?;
    std::fs::write(&path, std::process::id().to_string())?;
    Ok(file)
}

/// Reads the response file and opens the terminal.
pub(super) fn begin(
    site: &Site,
    origin: Origin,
    response_file: PathBuf,
) -> Result<Run<'_>, CallError> {
    let text = std::fs::read_to_string(&response_file)
        .map_err(|source| CallError::Unreadable(response_file.clone(), source))?;
    let dialect = Dialect::detect(&text).ok_or(CallError::Empty)?;
    let parameters = dialect.read(&text);
    if value(&parameters, "truth.dcNm").is_none() {
        return Err(CallError::NoResponseFile(response_file));
    }
    Ok(Run {
        site,
        terminal: Terminal::open()?,
        origin,
        response_file,
        dialect,
        parameters,
        gateway: Vec::new(),
    })
}
