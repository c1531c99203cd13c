//! A disk that fails at its n-th call, for every n of a small run: nothing is said to be durable
//! that is not, and nothing is written after the first failure.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::sample::{OneSecret, directory, event, events, finished, header, no_secrets, resumed};
use futures::executor::block_on;
use futures::future::join_all;
use sasrun_journal::{
    Disk, DiskFile, JournalWriter, ReadError, RealDisk, RunDirectory, Tail, read, read_unsealed,
};
use sasrun_model::Event;

/// Counts calls and fails one of them, and all after it.
#[derive(Debug)]
struct Calls {
    made: AtomicUsize,
    fail_at: usize,
    /// What a failing write leaves of its bytes.
    is_partial: bool,
    syncs: Mutex<Vec<String>>,
}

impl Calls {
    fn new(fail_at: usize, is_partial: bool) -> Arc<Self> {
        Arc::new(Self {
            made: AtomicUsize::new(0),
            fail_at,
            is_partial,
            syncs: Mutex::default(),
        })
    }

    fn next(&self) -> io::Result<()> {
        if self.made.fetch_add(1, Ordering::SeqCst) + 1 >= self.fail_at {
            return Err(io::Error::other("no space left, says the test"));
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct FailingDisk(Arc<Calls>);

#[derive(Debug)]
struct FailingFile {
    file: Arc<dyn DiskFile>,
    calls: Arc<Calls>,
    name: String,
}

impl FailingDisk {
    fn over(&self, file: Arc<dyn DiskFile>, path: &Path) -> Arc<dyn DiskFile> {
        Arc::new(FailingFile {
            file,
            calls: Arc::clone(&self.0),
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
        })
    }
}

impl Disk for FailingDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.0.next()?;
        Ok(self.over(RealDisk.create(path)?, path))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.0.next()?;
        Ok(self.over(RealDisk.open(path)?, path))
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.0.next()?;
        RealDisk.make_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.0.next()?;
        RealDisk.sync_directory(path)
    }
}

impl DiskFile for FailingFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let failed = self.calls.next();
        if failed.is_err() && self.calls.is_partial {
            self.file.append(&bytes[..bytes.len() / 2])?;
        }
        failed?;
        self.file.append(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.calls.next()?;
        self.calls.syncs.lock().unwrap().push(self.name.clone());
        // Nothing here outlives the test's machine; the order of calls is what counts.
        Ok(())
    }

    fn truncate(&self, length_bytes: u64) -> io::Result<()> {
        self.calls.next()?;
        self.file.truncate(length_bytes)
    }

    fn lock(&self) -> io::Result<bool> {
        self.file.lock()
    }
}

/// A small run with a secret and a large value in it.
fn small_run() -> Vec<Event> {
    let mut all = events(2);
    let large = "the word is hunter22 ".repeat(5_000);
    all.insert(3, event(0, finished("gamma", 0, &large)));
    all
}

/// Writes a run until its disk fails; gives how many events were added and how many of them the
/// writer said to be durable.
fn write(run: &RunDirectory, calls: &Arc<Calls>, all: &[Event]) -> Option<(usize, usize)> {
    let disk = Arc::new(FailingDisk(Arc::clone(calls)));
    let secret = Arc::new(OneSecret("hunter22"));
    let writer = JournalWriter::create_on(disk, run, &header("sample"), secret).ok()?;
    let (mut added, mut durable) = (0, 0);
    for (index, event) in all.iter().enumerate() {
        match writer.append(event) {
            Ok(_) => added += 1,
            Err(error) => {
                assert!(error.to_string().contains("no space left"), "{error}");
                assert!(
                    error
                        .path()
                        .starts_with(run.path().ancestors().nth(2).unwrap())
                );
                // The first failure is the last word.
                assert_eq!(writer.append(event), Err(error.clone()));
                assert_eq!(block_on(writer.durable()), Err(error));
                break;
            }
        }
        if index % 2 == 0 {
            match block_on(writer.durable()) {
                Ok(()) => durable = added,
                Err(error) => {
                    assert_eq!(writer.append(event), Err(error));
                    break;
                }
            }
        }
    }
    Some((added, durable))
}

#[test]
fn whichever_call_fails_what_was_said_to_be_durable_is_there() {
    let all = small_run();
    let counting = Calls::new(usize::MAX, false);
    let (_state, run) = directory();
    let expected = (all.len(), all.len());
    assert_eq!(write(&run, &counting, &all), Some(expected));
    let calls = counting.made.load(Ordering::SeqCst);
    assert!(calls > 30, "{calls}");
    for fail_at in 1..=calls {
        for is_partial in [false, true] {
            let (_state, run) = directory();
            let calls = Calls::new(fail_at, is_partial);
            let done = write(&run, &calls, &all);
            let found = match (done, read(&run.journal())) {
                (_, Ok(found)) => found,
                // It failed before the run had begun.
                (None, Err(ReadError::File { .. } | ReadError::NotBegun { .. })) => continue,
                (Some(_), Err(error)) => panic!("call {fail_at}: {error}"),
                (None, Err(error)) => panic!("call {fail_at}: {error}"),
            };
            let (added, durable) = done.unwrap_or_default();
            assert!(durable <= added && added <= all.len());
            assert_eq!(found.records.len(), added, "call {fail_at}");
            if !is_partial {
                assert_eq!(found.tail, Tail::Whole, "call {fail_at}");
            }
            goes_on(&run, &all, fail_at);
        }
    }
}

/// The run goes on once the disk is in order again, whatever was half made.
fn goes_on(run: &RunDirectory, all: &[Event], fail_at: usize) {
    let found = read_unsealed(run).unwrap_or_else(|error| panic!("call {fail_at}: {error}"));
    let secret = Arc::new(OneSecret("hunter22"));
    let writer = JournalWriter::reopen(run, &found, resumed(), secret).unwrap();
    for event in all {
        let added = writer.append(event);
        assert!(added.is_ok(), "call {fail_at}: {added:?}");
    }
    block_on(writer.durable()).unwrap();
    let after = read_unsealed(run).unwrap();
    let kinds = after.records.iter().map(|record| &record.event.kind);
    let expected: Vec<_> = all.iter().map(|event| &event.kind).collect();
    assert!(
        kinds.rev().eq(expected
            .into_iter()
            .rev()
            .chain([&resumed()])
            .chain(found.records.iter().rev().map(|record| &record.event.kind)))
    );
}

#[test]
fn what_records_name_is_synced_before_them() {
    let (_state, run) = directory();
    let calls = Calls::new(usize::MAX, false);
    write(&run, &calls, &small_run());
    let syncs = calls.syncs.lock().unwrap();
    let place = |name: &str| syncs.iter().rposition(|synced| synced == name).unwrap();
    let spooled = syncs.iter().position(|name| name.len() == 64).unwrap();
    // The key of the run, which bears its name, comes before all.
    assert!(place("sample") < place("secrets"));
    assert!(place("secrets") < place("journal") && spooled < place("journal"));
}

#[test]
fn hosts_that_wait_at_the_same_time_share_one_wait() {
    let (_state, run) = directory();
    let calls = Calls::new(usize::MAX, false);
    let disk = Arc::new(FailingDisk(Arc::clone(&calls)));
    let writer = JournalWriter::create_on(disk, &run, &header("sample"), no_secrets()).unwrap();
    let kind = &events(1)[0];
    for task in 0..20 {
        (0..10).for_each(|_| {
            writer.append(kind).unwrap();
        });
        for durable in block_on(join_all((0..10).map(|_| writer.durable()))) {
            durable.unwrap();
        }
        let synced = calls.syncs.lock().unwrap().len();
        assert_eq!(synced, task + 1);
    }
    // Nothing new needs no wait.
    block_on(writer.durable()).unwrap();
    assert_eq!(calls.syncs.lock().unwrap().len(), 20);
}
