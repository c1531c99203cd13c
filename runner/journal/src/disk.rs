//! The disk as the writer uses it, so that tests can let any of its steps fail.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::FlockOperation;

/// What the writer asks of a disk. Each call is one thing that can fail.
pub trait Disk: Debug + Send + Sync {
    /// Makes a file of mode 0600 that is not there yet, to be added to.
    ///
    /// # Errors
    /// As the system says.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file that is there, to be added to.
    ///
    /// # Errors
    /// As the system says.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes a directory of mode 0700; that it is there is no error.
    ///
    /// # Errors
    /// As the system says.
    fn make_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes names in a directory durable.
    ///
    /// # Errors
    /// As the system says.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// Makes a file, or empties the one that a writer left half made when it died.
///
/// # Errors
/// As the system says.
pub(crate) fn make_anew(disk: &dyn Disk, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
    match disk.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = disk.open(path)?;
            file.truncate(0)?;
            Ok(file)
        }
        other => other,
    }
}

/// A file that is written to at its end.
pub trait DiskFile: Debug + Send + Sync {
    /// Adds bytes.
    ///
    /// # Errors
    /// As the system says; a part may have been added.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until what was added would survive a loss of power.
    ///
    /// # Errors
    /// As the system says; nothing is known then of what was added.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file to a length.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&self, length_bytes: u64) -> io::Result<()>;

    /// Takes the file for this process until it is closed; false when another has it.
    ///
    /// # Errors
    /// As the system says.
    fn lock(&self) -> io::Result<bool>;
}

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(0o600);
        Ok(Arc::new(options.open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(OpenOptions::new().append(true).open(path)?))
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl DiskFile for File {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self;
        file.write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&self, length_bytes: u64) -> io::Result<()> {
        self.set_len(length_bytes)
    }

    fn lock(&self) -> io::Result<bool> {
        match rustix::fs::flock(self, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            // Some file systems know no locks; the record is kept all the same.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOLCK) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}
