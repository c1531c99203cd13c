//! T3: the journal of a real run, cut at every byte of its end, or with a bit flipped: the valid beginning comes back, or the
//! place of the damage is named, and nothing panics.

use std::fs;
use std::path::PathBuf;

use sasrun_journal::{ReadError, Tail, read};
use sasrun_model::Event;

use crate::full_disk::journal;
use crate::run::Site;
use crate::trial::{Stage, Turn};
use crate::{Bench, Dice, Failure, system};

/// In how many turns each byte of the end is come to once, and how many in each: 64 KiB in all.
pub(crate) const SLICES: u32 = 512;
pub(crate) const CUTS_EACH: u32 = 128;
/// Bits flipped in one turn.
pub(crate) const FLIPS_EACH: u32 = 50;

/// A journal as a run wrote it.
struct Written {
    site: Site,
    path: PathBuf,
    events: Vec<Event>,
    bytes: Vec<u8>,
    /// Where each record begins, and where the last ends.
    offsets: Vec<u64>,
}

struct Cuts(Written);

struct Flips(Written);

/// Gets ready to cut.
pub(crate) fn begin_cuts(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    Ok(Box::new(Cuts(Written::new(bench)?)))
}

/// Gets ready to flip bits.
pub(crate) fn begin_flips(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    Ok(Box::new(Flips(Written::new(bench)?)))
}

impl Written {
    fn new(bench: &Bench) -> Result<Self, Failure> {
        let site = Site::new(bench)?;
        // One host's part of the playbook is long enough.
        let mut started = site.start(&["playbook", "-i", "hosts.ini", "site.yml", "-l", "h1"])?;
        let code = started.end()?.code();
        if code != Some(0) {
            return Err(started.failure(code));
        }
        let path = journal(site.folder())?;
        let path = path.ok_or_else(|| Failure::Journal("there is none".to_owned()))?;
        let bytes = fs::read(&path).map_err(system("the journal"))?;
        let least = u64::from(SLICES) * u64::from(CUTS_EACH);
        if bytes.len() as u64 <= least {
            let length = bytes.len();
            return Err(Failure::Journal(format!("{length} bytes are too few")));
        }
        let found = read(&path).map_err(|error| Failure::Journal(error.to_string()))?;
        let mut offsets: Vec<u64> = found.records.iter().map(|record| record.offset).collect();
        offsets.push(bytes.len() as u64);
        let events = found.records.into_iter().map(|record| record.event);
        Ok(Self {
            events: events.collect(),
            site,
            path,
            bytes,
            offsets,
        })
    }

    /// What is read of bytes in place of the journal: how it ends, or where it is damaged.
    fn read(&self, bytes: &[u8], what: &str) -> Result<Result<Tail, u64>, Failure> {
        fs::write(&self.path, bytes).map_err(system(what))?;
        match read(&self.path) {
            Ok(found) => {
                let events = found.records.iter().map(|record| &record.event);
                if !events.eq(self.events.iter().take(found.records.len())) {
                    return Err(Failure::Journal(format!("{what}: other events came back")));
                }
                // All that was whole must be there.
                let length = bytes.len() as u64;
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

    /// The program itself looks at the journal as it lies there, and at what it would go on with.
    fn look(&self, what: &str, is_damaged: bool) -> Result<(), Failure> {
        for arguments in [&["verify", "last"][..], &["resume", "last", "--plan"]] {
            let mut started = self.site.start(arguments)?;
            let code = started.end()?.code();
            let is_right = match code {
                Some(0) => !is_damaged,
                // A panic is 101; 1 is an internal error.
                Some(code) => !matches!(code, 1 | 101),
                None => false,
            };
            if !is_right {
                let said = started.said();
                let what = format!("{what}: sasrun {}", arguments.join(" "));
                return Err(Failure::Ended { what, code, said });
            }
        }
        Ok(())
    }
}

impl Stage for Cuts {
    /// Cuts the journal at every byte of one slice of its end.
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let written = &self.0;
        let slice = u64::from(CUTS_EACH);
        let behind = u64::from(SLICES - turn.number % SLICES) * slice;
        let from = (written.bytes.len() as u64).saturating_sub(behind);
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
        written.look("cut", false)
    }
}

impl Stage for Flips {
    /// Flips bits, one at a time; each must be refused with the record that it is in.
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let written = &self.0;
        let mut dice = Dice::new(turn.seed);
        let bits = written.bytes.len() as u64 * 8;
        let mut what = String::new();
        for _ in 0..FLIPS_EACH {
            let bit = dice.below(bits);
            let at = bit / 8;
            what = format!("bit {} of byte {at} flipped", bit % 8);
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
        written.look(&what, true)
    }
}
