//! T3: journals that are cut at every byte of their end, or in which a bit is flipped: the valid
//! beginning comes back, or the place of the damage is named, and nothing panics.

use std::sync::Arc;
use std::time::Duration;

use sasrun_journal::{
    FORMAT, JournalWriter, NoSecrets, ReadError, RunDirectory, RunHeader, Tail, read,
};
use sasrun_model::{Event, EventKind, RunMode};
use tempfile::TempDir;

use crate::{Bench, Dice, Failure};

/// How far from its end a journal is cut.
const CUT_BYTES: u64 = 64 << 10;
/// In how many trials each byte of that is come to once.
pub(crate) const SLICES: u32 = 64;
/// Bits flipped in one trial.
const FLIPS: u32 = 100;
/// Records of the journal: a little more than is cut.
const RECORDS: u64 = 160;

struct Written {
    _folder: TempDir,
    run: RunDirectory,
    events: Vec<Event>,
    bytes: Vec<u8>,
    /// Where each record begins, and where the last ends.
    offsets: Vec<u64>,
}

fn written() -> Result<Written, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Journal(error.to_string());
    let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
    let run = RunDirectory::create(folder.path(), "soak").map_err(|error| failed(&error))?;
    let header = RunHeader {
        format: FORMAT,
        version: "0".to_owned(),
        run: "soak".to_owned(),
        mode: RunMode::Apply,
        started_at_ms: 0,
        argv: Vec::new(),
        directory: "/".to_owned(),
        user: "soak".to_owned(),
        host: "soak".to_owned(),
        pid: 1,
        inputs: Vec::new(),
        options: std::collections::BTreeMap::default(),
    };
    let writer = JournalWriter::create(&run, &header, Arc::new(NoSecrets))
        .map_err(|error| failed(&error))?;
    let events: Vec<Event> = (1..=RECORDS)
        .map(|sequence| Event {
            sequence,
            at_ms: sequence,
            elapsed: Duration::from_millis(sequence),
            kind: EventKind::Warning {
                sentence: format!("{sequence} {}", "said before ".repeat(30)),
            },
        })
        .collect();
    for event in &events {
        writer.append(event).map_err(|error| failed(&error))?;
    }
    drop(writer);
    let bytes = std::fs::read(run.journal()).map_err(|error| failed(&error))?;
    let found = read(&run.journal()).map_err(|error| failed(&error))?;
    let mut offsets: Vec<u64> = found.records.iter().map(|record| record.offset).collect();
    offsets.push(found.whole_bytes());
    Ok(Written {
        _folder: folder,
        run,
        events,
        bytes,
        offsets,
    })
}

impl Written {
    fn read(&self, bytes: &[u8], what: &str) -> Result<Result<Tail, u64>, Failure> {
        let path = self.run.journal();
        std::fs::write(&path, bytes).map_err(|error| Failure::System(what.to_owned(), error))?;
        match read(&path) {
            Ok(found) => {
                let events = found.records.iter().map(|record| &record.event);
                if !events.eq(self.events.iter().take(found.records.len())) {
                    return Err(Failure::Journal(format!("{what}: other events came back")));
                }
                // All that was whole must be there.
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let ends = self.offsets.iter().skip(1);
                let whole = ends.take_while(|end| **end <= length).count();
                if found.records.len() != whole {
                    return Err(Failure::Journal(format!("{what}: whole records are lost")));
                }
                Ok(Ok(found.tail))
            }
            Err(ReadError::Damaged { offset, .. }) => Ok(Err(offset)),
            Err(ReadError::NewerFormat { .. }) => Ok(Err(0)),
            Err(other) => Err(Failure::Journal(format!("{what}: {other}"))),
        }
    }
}

/// Cuts a journal at every byte of one slice of its end.
pub(crate) fn cut_once(_: &Bench, seed: u64) -> Result<(), Failure> {
    let written = written()?;
    let length = u64::try_from(written.bytes.len()).unwrap_or(0);
    let slice = CUT_BYTES / u64::from(SLICES);
    let from = length.saturating_sub(CUT_BYTES) + (seed % u64::from(SLICES)) * slice;
    for cut in from..from + slice {
        let what = format!("cut at byte {cut}");
        let kept = usize::try_from(cut).ok();
        let bytes = kept.and_then(|kept| written.bytes.get(..kept));
        let tail = written.read(bytes.unwrap_or_default(), &what)?;
        let is_whole = written.offsets.contains(&cut);
        match tail {
            Ok(Tail::Whole) if is_whole => {}
            Ok(Tail::Torn { .. }) if !is_whole => {}
            other => return Err(Failure::Journal(format!("{what}: {other:?}"))),
        }
    }
    Ok(())
}

/// Flips bits, one at a time; each must be refused with the record that it is in.
pub(crate) fn flip_once(_: &Bench, seed: u64) -> Result<(), Failure> {
    let written = written()?;
    let mut dice = Dice::new(seed);
    let bits = u64::try_from(written.bytes.len()).unwrap_or(0) * 8;
    for _ in 0..FLIPS {
        let bit = dice.below(bits);
        let at = bit / 8;
        let what = format!("bit {} of byte {at} flipped", bit % 8);
        let mut bytes = written.bytes.clone();
        if let Some(byte) = usize::try_from(at).ok().and_then(|at| bytes.get_mut(at)) {
            *byte ^= 1 << (bit % 8);
        }
        let begins = written.offsets.iter().rev().find(|begin| **begin <= at);
        match written.read(&bytes, &what)? {
            Err(offset) if begins.is_none_or(|begin| offset == *begin) => {}
            other => return Err(Failure::Journal(format!("{what}: {other:?}"))),
        }
    }
    Ok(())
}
