//! A JSON file that many processes change one after the other.
//!
//! The lock is a file of its own, so that the content can be replaced as a whole. No meaning of its content lives here.

use std::fs::{File, OpenOptions};
use std::marker::PhantomData;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
}

/// One JSON file of type `T`; an absent file reads as the default.
#[derive(Debug, Clone)]
pub struct Store<T> {
    path: PathBuf,
    lock: PathBuf,
    content: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned + Default> Store<T> {
    /// The store in `directory`, with its lock in `locks`.
    pub fn new(directory: &Path, name: &str, locks: &Path) -> Self {
        let path = directory.join(format!("{name}.json"));
        Self {
            path,
            lock: locks.join(format!("{name}.lock")),
            content: PhantomData,
        }
    }

    /// The content as it stands.
    pub fn read(&self) -> Result<T, StoreError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| StoreError::Json {
                path: self.path.clone(),
                source,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
            Err(source) => Err(self.io(source)),
        }
    }

    /// Replaces the content.
    pub fn write(&self, content: &T) -> Result<(), StoreError> {
        let json = |source| StoreError::Json {
            path: self.path.clone(),
            source,
        };
        let mut text = serde_json::to_vec_pretty(content).map_err(json)?;
        text.push(b'\n');
        self.make_parent(&self.path)?;
        let fresh = self
            .path
            .with_extension(format!("new.{}", std::process::id()));
        std::fs::write(&fresh, text).map_err(|source| self.io(source))?;
        open_to_all(&fresh);
        std::fs::rename(&fresh, &self.path).map_err(|source| self.io(source))
    }

    /// Changes the content under a lock; it is written only when the change did something.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R, StoreError>
    where
        T: PartialEq + Clone,
    {
        let _held = self.lock()?;
        let mut content = self.read()?;
        let before = content.clone();
        let result = change(&mut content);
        if content != before {
            self.write(&content)?;
        }
        Ok(result)
    }

    fn lock(&self) -> Result<File, StoreError> {
        self.make_parent(&self.lock)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.lock)
            .map_err(|source| self.io(source))?;
        open_to_all(&self.lock);
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| self.io(error.into()))?;
        Ok(file)
    }

    fn make_parent(&self, path: &Path) -> Result<(), StoreError> {
        let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) else {
            return Ok(());
        };
        std::fs::create_dir_all(parent).map_err(|source| self.io(source))?;
        let _ = std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o777));
        Ok(())
    }

    fn io(&self, source: std::io::Error) -> StoreError {
        StoreError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// Lets every user of the hosts write; who may not change the mode finds it so already.
fn open_to_all(path: &Path) {
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_many_threads_are_all_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store: Store<u64> = Store::new(&dir.path().join("deep"), "count", dir.path());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        store.update(|count| *count += 1).unwrap();
                    }
                });
            }
        });
        assert_eq!(store.read().unwrap(), 100);
    }

    #[test]
    fn an_update_that_changes_nothing_leaves_the_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        let store: Store<u64> = Store::new(dir.path(), "x", &dir.path().join("locks"));
        store.update(|_| ()).unwrap();
        assert!(!path.exists());
        std::fs::write(&path, "nonsense").unwrap();
        assert!(store.read().is_err());
    }
}
