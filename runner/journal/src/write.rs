//! Writing a journal.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sasrun_model::{Event, EventKind};
use serde::Serialize;

use crate::conceal::{Aside, Conceal, SPOOLED_ABOVE_BYTES};
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::frame::{Chain, FIRST_LINE, encode_record};
use crate::seal::{Unsynced, Vault};
use crate::sync::{Commit, Committer};
use crate::{FindSecrets, JournalError, Recovered, RunDirectory, RunHeader, spool};

/// Keeps a run's events in a file of mode 0600.
///
/// A record is handed to the system when it is added, so that it outlives the runner; it outlives
/// the machine once [`durable`](Self::durable) said so. The first failure is the last word: nothing
/// is written after it.
pub struct JournalWriter {
    writing: Mutex<Writing>,
    committer: Committer,
    path: PathBuf,
    run: String,
}

/// What adding a record changes.
struct Writing {
    file: Arc<dyn DiskFile>,
    directory: RunDirectory,
    disk: Arc<dyn Disk>,
    secrets: Arc<dyn FindSecrets>,
    vault: Vault,
    sequence: u64,
    chain: Chain,
    unsynced: Unsynced,
}

/// An event as it is written: its number is that of its record.
#[derive(Serialize)]
struct Kept<'a> {
    sequence: u64,
    at_ms: u64,
    elapsed: Duration,
    #[serde(flatten)]
    kind: &'a EventKind,
}

impl JournalWriter {
    /// Begins the journal of a run.
    ///
    /// # Errors
    /// A file cannot be made or written.
    pub fn create(
        directory: &RunDirectory,
        header: &RunHeader,
        secrets: Arc<dyn FindSecrets>,
    ) -> Result<Self, JournalError> {
        Self::create_on(Arc::new(RealDisk), directory, header, secrets)
    }

    /// Begins the journal of a run on a disk of the caller's.
    ///
    /// # Errors
    /// A file cannot be made or written.
    pub fn create_on(
        disk: Arc<dyn Disk>,
        directory: &RunDirectory,
        header: &RunHeader,
        secrets: Arc<dyn FindSecrets>,
    ) -> Result<Self, JournalError> {
        let path = directory.journal();
        let failed = |action, error: &std::io::Error| JournalError::new(action, &path, error);
        let file = disk.create(&path).map_err(|error| failed("make", &error))?;
        take(&*file, &path)?;
        file.append(FIRST_LINE)
            .map_err(|error| failed("write", &error))?;
        let mut writing = Writing {
            file,
            directory: directory.clone(),
            vault: Vault::new(directory, Arc::clone(&disk)),
            disk,
            secrets,
            sequence: 0,
            chain: Chain::new(),
            unsynced: Unsynced::new(),
        };
        writing.header(header)?;
        Self::over(writing, directory)
    }

    /// Goes on with the journal of a run: cuts what is torn, and records who goes on with it.
    ///
    /// # Errors
    /// The run is still going on, or a file cannot be written.
    pub fn reopen(
        directory: &RunDirectory,
        recovered: &Recovered,
        resumed: EventKind,
        secrets: Arc<dyn FindSecrets>,
    ) -> Result<Self, JournalError> {
        Self::reopen_on(Arc::new(RealDisk), directory, recovered, resumed, secrets)
    }

    /// Goes on with the journal of a run on a disk of the caller's.
    ///
    /// # Errors
    /// The run is still going on, or a file cannot be written.
    pub fn reopen_on(
        disk: Arc<dyn Disk>,
        directory: &RunDirectory,
        recovered: &Recovered,
        resumed: EventKind,
        secrets: Arc<dyn FindSecrets>,
    ) -> Result<Self, JournalError> {
        let path = directory.journal();
        let file = disk
            .open(&path)
            .map_err(|error| JournalError::new("open", &path, &error))?;
        take(&*file, &path)?;
        // Someone else may have gone on with it between our reading and our taking it.
        let length = std::fs::metadata(&path).map(|known| known.len());
        if length.map_err(|error| JournalError::new("look at", &path, &error))?
            != recovered.length_bytes
        {
            let why = "it has grown since it was read; try again";
            return Err(JournalError::because("go on with", &path, why));
        }
        file.truncate(recovered.whole_bytes)
            .map_err(|error| JournalError::new("cut", &path, &error))?;
        let writing = Writing {
            file,
            directory: directory.clone(),
            vault: Vault::reopen(directory, Arc::clone(&disk))?,
            disk,
            secrets,
            sequence: recovered.last_sequence(),
            chain: recovered.chain,
            unsynced: Unsynced::new(),
        };
        let writer = Self::over(writing, directory)?;
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        writer.append(&Event {
            sequence: 0,
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            elapsed: Duration::ZERO,
            kind: resumed,
        })?;
        Ok(writer)
    }

    fn over(mut writing: Writing, directory: &RunDirectory) -> Result<Self, JournalError> {
        let commit = ToDisk {
            file: Arc::clone(&writing.file),
            disk: Arc::clone(&writing.disk),
            directory: directory.clone(),
            has_name: AtomicBool::new(false),
        };
        let path = directory.journal();
        let committer = Committer::start(Arc::new(commit))
            .map_err(|error| JournalError::new("write", &path, &error))?;
        committer.wrote(1, std::mem::take(&mut writing.unsynced));
        Ok(Self {
            writing: Mutex::new(writing),
            committer,
            path,
            run: directory.run().to_owned(),
        })
    }

    /// Id of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Where the journal is.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Adds an event; gives the number of its record, which the event is read back with.
    ///
    /// # Errors
    /// It cannot be written, now or before.
    pub fn append(&self, event: &Event) -> Result<u64, JournalError> {
        if let Some(failure) = self.committer.failure() {
            return Err(failure);
        }
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match writing.event(event) {
            Ok(sequence) => {
                let named = std::mem::take(&mut writing.unsynced);
                self.committer.wrote(1, named);
                Ok(sequence)
            }
            Err(failure) => {
                self.committer.fail(&failure);
                Err(failure)
            }
        }
    }

    /// Has everything added so far made to survive a loss of power. The disk begins at once; the
    /// future waits for it. Who asks while the disk is busy shares the next wait for it.
    ///
    /// # Errors
    /// It could not be written, or it is not known whether it is durable.
    pub fn durable(&self) -> impl Future<Output = Result<(), JournalError>> + use<> {
        self.committer.durable()
    }
}

fn take(file: &dyn DiskFile, path: &std::path::Path) -> Result<(), JournalError> {
    match file.lock() {
        Ok(true) => Ok(()),
        Ok(false) => {
            let why = "the run is still going on in another process";
            Err(JournalError::because("go on with", path, why))
        }
        Err(error) => Err(JournalError::new("lock", path, &error)),
    }
}

impl Writing {
    fn header(&mut self, header: &RunHeader) -> Result<(), JournalError> {
        let mut json = serde_json::to_value(header).map_err(|error| self.unfit(&error))?;
        let secrets = Arc::clone(&self.secrets);
        Conceal {
            secrets: &*secrets,
            aside: self,
        }
        .header(&mut json)?;
        self.record(&json.to_string())
    }

    fn event(&mut self, event: &Event) -> Result<u64, JournalError> {
        let kept = Kept {
            sequence: self.sequence + 1,
            at_ms: event.at_ms,
            elapsed: event.elapsed,
            kind: &event.kind,
        };
        let line = serde_json::to_string(&kept).map_err(|error| self.unfit(&error))?;
        self.sequence = kept.sequence;
        let is_plain = !event.kind.keeps_hidden()
            && line.len() <= SPOOLED_ABOVE_BYTES
            && !line.contains("\\u0001")
            && self.secrets.ranges(&line).is_empty();
        if is_plain {
            self.record(&line)?;
            return Ok(self.sequence);
        }
        let mut json = serde_json::to_value(&kept).map_err(|error| self.unfit(&error))?;
        let secrets = Arc::clone(&self.secrets);
        Conceal {
            secrets: &*secrets,
            aside: self,
        }
        .event(&mut json)?;
        self.record(&json.to_string())?;
        Ok(self.sequence)
    }

    fn record(&mut self, payload: &str) -> Result<(), JournalError> {
        let path = self.directory.journal();
        let (line, chain) = encode_record(self.chain, self.sequence, payload)
            .ok_or_else(|| JournalError::because("write", &path, "an event is too large"))?;
        self.file
            .append(&line)
            .map_err(|error| JournalError::new("write", &path, &error))?;
        self.chain = chain;
        Ok(())
    }

    fn unfit(&self, error: &serde_json::Error) -> JournalError {
        JournalError::because("write", &self.directory.journal(), error.to_string())
    }
}

impl Aside for Writing {
    type Error = JournalError;

    fn seal(&mut self, text: &str) -> Result<u64, JournalError> {
        self.vault.seal(text, &mut self.unsynced)
    }

    fn spool(&mut self, json: &str) -> Result<String, JournalError> {
        spool::keep(&self.directory, &self.disk, json, &mut self.unsynced)
    }
}

/// Makes records durable.
struct ToDisk {
    file: Arc<dyn DiskFile>,
    disk: Arc<dyn Disk>,
    directory: RunDirectory,
    /// Whether the names of the directory and the journal are durable.
    has_name: AtomicBool,
}

impl Commit for ToDisk {
    fn commit(&self, named: Unsynced) -> Result<(), JournalError> {
        let path = self.directory.journal();
        let failed = |error: std::io::Error| JournalError::new("sync", &path, &error);
        let mut done: Vec<*const ()> = Vec::new();
        for file in &named {
            let identity = Arc::as_ptr(file).cast::<()>();
            if !done.contains(&identity) {
                file.sync().map_err(failed)?;
                done.push(identity);
            }
        }
        self.file.sync().map_err(failed)?;
        let is_first = !self.has_name.load(Ordering::Acquire);
        if is_first || !named.is_empty() {
            let spool = self.directory.spool();
            let folders = [self.directory.path(), &self.directory.above(), &spool];
            for folder in folders.into_iter().filter(|folder| folder.exists()) {
                self.disk.sync_directory(folder).map_err(failed)?;
            }
            self.has_name.store(true, Ordering::Release);
        }
        Ok(())
    }
}
