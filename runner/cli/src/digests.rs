//! Digests of the controller's files, made once for all hosts that are sent the same file.
//!
//! Must not: answer for a file that may have changed since it was read.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Smaller files are read again more cheaply than remembered.
const REMEMBERED_BYTES: u64 = 1 << 20;

/// Longest step of a file system's clock: a file that changed within it can change again under the same time.
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// One content of one file, as far as the file system tells contents apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Edition {
    device: u64,
    inode: u64,
    size_bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    algorithm: String,
}

impl Edition {
    fn of(metadata: &Metadata, algorithm: &str) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            algorithm: algorithm.to_owned(),
        }
    }

    /// Tells whether another content could not look the same.
    fn is_settled(&self, now: SystemTime) -> bool {
        let latest = self.modified.0.max(self.changed.0);
        let Ok(seconds) = u64::try_from(latest) else {
            return true;
        };
        let settled = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) + CLOCK_STEP;
        settled < now
    }
}

/// The digest of an edition, held by whoever makes it: the others wait instead of reading the file as well.
type Slot = Arc<Mutex<Option<String>>>;

/// The digests that were made.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    known: Mutex<HashMap<Edition, Slot>>,
}

impl Digests {
    /// Gives the digest of a file in hexadecimal, as these numbers describe it.
    pub(crate) fn of(
        &self,
        path: &Path,
        metadata: &Metadata,
        algorithm: &str,
    ) -> io::Result<String> {
        self.at(path, metadata, algorithm, SystemTime::now())
    }

    fn at(
        &self,
        path: &Path,
        metadata: &Metadata,
        algorithm: &str,
        now: SystemTime,
    ) -> io::Result<String> {
        let edition = Edition::of(metadata, algorithm);
        if edition.size_bytes < REMEMBERED_BYTES || !edition.is_settled(now) {
            return digest(path, algorithm);
        }
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(edition).or_default())
        };
        let mut made = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = &*made {
            return Ok(digest.clone());
        }
        let digest = digest(path, algorithm)?;
        *made = Some(digest.clone());
        Ok(digest)
    }
}

/// Digest of a file in hexadecimal, read in pieces; the number of `cksum` in decimal.
fn digest(path: &Path, algorithm: &str) -> io::Result<String> {
    match algorithm {
        "cksum" => {
            let mut sum = sasrun_connection::Cksum::default();
            read_into(path, &mut sum)?;
            Ok(sum.finish().to_string())
        }
        "md5" => hashed::<md5::Md5>(path),
        "sha1" => hashed::<sha1::Sha1>(path),
        "sha224" => hashed::<sha2::Sha224>(path),
        "sha256" => hashed::<sha2::Sha256>(path),
        "sha384" => hashed::<sha2::Sha384>(path),
        "sha512" => hashed::<sha2::Sha512>(path),
        other => Err(io::Error::other(format!(
            "there is no checksum named {other}"
        ))),
    }
}

fn hashed<D: sha2::Digest + io::Write>(path: &Path) -> io::Result<String> {
    let mut hasher = D::new();
    read_into(path, &mut hasher)?;
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn read_into(path: &Path, hasher: &mut impl io::Write) -> io::Result<()> {
    const PIECE_BYTES: usize = 128 << 10;
    let mut pieces = io::BufReader::with_capacity(PIECE_BYTES, File::open(path)?);
    io::copy(&mut pieces, hasher)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large(path: &Path, byte: u8, age_s: u64) -> Metadata {
        std::fs::write(path, vec![byte; 2 << 20]).unwrap();
        let file = File::options().append(true).open(path).unwrap();
        let then = SystemTime::now() - Duration::from_secs(age_s);
        file.set_modified(then).unwrap();
        std::fs::metadata(path).unwrap()
    }

    #[test]
    fn a_settled_file_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let digests = Digests::default();
        let later = SystemTime::now() + CLOCK_STEP * 10;
        let metadata = large(&path, 1, 100);
        let first = digests.at(&path, &metadata, "sha1", later).unwrap();
        std::fs::remove_file(&path).unwrap();
        let again = digests.at(&path, &metadata, "sha1", later).unwrap();
        assert_eq!(first, again);
        assert!(digests.at(&path, &metadata, "cksum", later).is_err());
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let digests = Digests::default();
        let later = SystemTime::now() + CLOCK_STEP * 10;
        let old = digests.at(&path, &large(&path, 1, 100), "sha1", later);
        let new = digests.at(&path, &large(&path, 2, 50), "sha1", later);
        assert_ne!(old.unwrap(), new.unwrap());
    }

    #[test]
    fn a_file_that_has_just_changed_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let digests = Digests::default();
        let metadata = large(&path, 1, 0);
        digests.of(&path, &metadata, "sha1").unwrap();
        assert!(digests.known.lock().unwrap().is_empty());
    }
}
