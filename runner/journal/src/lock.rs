//! Locks of meshes and inventories, as files below the state directory.
//!
//! A lock is a file that comes into being whole, by a link, so that one of two wins and the other
//! can say who did. It outlives its owner: one that was left behind is recognised by the process
//! that is gone, and never broken but by its own run or by a person who names that run.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sasrun_model::LockClaim;

/// The locks of one state directory.
#[derive(Debug, Clone)]
pub struct LocalLocks {
    folder: PathBuf,
}

/// Why a lock could not be taken or given back.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error("the lock \"{}\" is held by {}", .0.name, .0)]
    Held(Box<LockClaim>),
    /// A file cannot be read or written.
    #[error("cannot use the lock {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl LocalLocks {
    /// The locks below a state directory.
    pub fn below(state: &Path) -> Self {
        Self {
            folder: state.join("locks"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(file_name(name))
    }

    /// Takes a lock for a run, or takes it over where that run has it already. Gives the claim
    /// with its fencing number.
    ///
    /// # Errors
    /// Another run has it, or files cannot be written.
    pub fn take(&self, claim: &LockClaim) -> Result<LockClaim, LockError> {
        let path = self.path(&claim.name);
        let failed = |source| LockError::File {
            path: path.clone(),
            source,
        };
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(failed)?;
        let mut claim = claim.clone();
        // Who gives it back between our two looks makes room for a second try, and so on; not for ever.
        for _ in 0..100 {
            let new = self.prepared(&claim).map_err(failed)?;
            let linked = fs::hard_link(&new, &path);
            match linked {
                Ok(()) => {
                    fs::remove_file(&new).map_err(failed)?;
                    return Ok(claim);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
            match read(&path).map_err(failed)? {
                Some(held) if held.run == claim.run => {
                    claim.fence = held.fence + 1;
                    let new = self.prepared(&claim).map_err(failed)?;
                    fs::rename(&new, &path).map_err(failed)?;
                    return Ok(claim);
                }
                Some(held) => {
                    fs::remove_file(&new).map_err(failed)?;
                    return Err(LockError::Held(Box::new(held)));
                }
                None => {}
            }
        }
        Err(failed(io::Error::other("it comes and goes")))
    }

    /// Writes a claim under a name of its own.
    fn prepared(&self, claim: &LockClaim) -> io::Result<PathBuf> {
        let path = self
            .folder
            .join(format!(".{}.{}", file_name(&claim.run), std::process::id()));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&path)?;
        file.write_all(serde_json::to_string(claim)?.as_bytes())?;
        file.sync_data()?;
        Ok(path)
    }

    /// Gives a lock back, unless somebody took it over.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn release(&self, claim: &LockClaim) -> Result<(), LockError> {
        let path = self.path(&claim.name);
        let failed = |source| LockError::File {
            path: path.clone(),
            source,
        };
        match read(&path).map_err(failed)? {
            Some(held) if held.is_same_holding(claim) => fs::remove_file(&path).map_err(failed),
            _ => Ok(()),
        }
    }

    /// All locks that are held, in no order.
    pub fn held(&self) -> Vec<LockClaim> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries
            .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
            .filter_map(|entry| read(&entry.path()).ok().flatten())
            .collect()
    }

    /// Whether the process that took a lock is still there; none when it ran on another machine.
    pub fn is_alive(claim: &LockClaim, machine: &str) -> Option<bool> {
        (claim.host == machine).then(|| {
            let pid = i32::try_from(claim.pid).ok();
            let pid = pid.and_then(rustix::process::Pid::from_raw);
            // Not being allowed to signal it says that it is there.
            pid.is_some_and(|pid| {
                rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
            })
        })
    }
}

fn read(path: &Path) -> io::Result<Option<LockClaim>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| io::Error::other(format!("it says nothing of its owner: {error}"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A name as a file may be called.
fn file_name(name: &str) -> String {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let kept: String = name
        .chars()
        .map(|c| if fit(c) { c } else { '-' })
        .take(120)
        .collect();
    // No dot in front: such files are locks in the making.
    format!("lock-{kept}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(run: &str) -> LockClaim {
        LockClaim {
            name: "mesh/1".to_owned(),
            run: run.to_owned(),
            owner: "ann".to_owned(),
            host: "control".to_owned(),
            pid: std::process::id(),
            since_ms: 1,
            since: "now".to_owned(),
            reason: "playbook site.yml".to_owned(),
            fence: 1,
        }
    }

    #[test]
    fn one_has_it_the_other_is_told_who() {
        let state = tempfile::tempdir().unwrap();
        let locks = LocalLocks::below(state.path());
        let first = locks.take(&claim("r1")).unwrap();
        match locks.take(&claim("r2")) {
            Err(LockError::Held(held)) => assert_eq!(*held, first),
            other => panic!("{other:?}"),
        }
        locks.release(&first).unwrap();
        assert_eq!(locks.held(), []);
        locks.take(&claim("r2")).unwrap();
    }

    #[test]
    fn its_own_run_takes_it_over_and_the_former_holding_cannot_give_it_back() {
        let state = tempfile::tempdir().unwrap();
        let locks = LocalLocks::below(state.path());
        let before = locks.take(&claim("r1")).unwrap();
        let after = locks.take(&claim("r1")).unwrap();
        assert_eq!((before.fence, after.fence), (1, 2));
        locks.release(&before).unwrap();
        assert_eq!(locks.held(), [after]);
    }

    #[test]
    fn of_many_at_once_one_wins() {
        let state = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let wins: usize = std::thread::scope(|scope| {
                let racing: Vec<_> = (0..4)
                    .map(|n| {
                        let locks = LocalLocks::below(state.path());
                        scope.spawn(move || locks.take(&claim(&format!("{round}-{n}"))).is_ok())
                    })
                    .collect();
                let won = racing.into_iter().map(|race| race.join().unwrap());
                won.filter(|won| *won).count()
            });
            assert_eq!(wins, 1);
            let locks = LocalLocks::below(state.path());
            for held in locks.held() {
                locks.release(&held).unwrap();
            }
        }
    }

    #[test]
    fn who_is_gone_is_known_on_its_own_machine_alone() {
        let mut claim = claim("r1");
        assert_eq!(LocalLocks::is_alive(&claim, "control"), Some(true));
        assert_eq!(LocalLocks::is_alive(&claim, "elsewhere"), None);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        claim.pid = child.id();
        child.wait().unwrap();
        assert_eq!(LocalLocks::is_alive(&claim, "control"), Some(false));
    }
}
