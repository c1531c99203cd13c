//! Reading a journal: every whole record, in order; a torn end is normal, damage is refused.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use sasrun_model::{Event, EventKind, Input};
use serde_json::Value;

use crate::error::ReadError;
use crate::frame::{Chain, FIRST_LINE, MAGIC, Next, decode_record};
use crate::header::{FORMAT, RunHeader};
use crate::order::{Disorder, Order};
use crate::reveal::{Beside, reveal};
use crate::seal::Opened;
use crate::{RunDirectory, spool};

/// One event as it was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Number of the record and of its event, from 1.
    pub sequence: u64,
    /// Where it begins in the file.
    pub offset: u64,
    /// What happened.
    pub event: Event,
}

/// How a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// With a whole record.
    Whole,
    /// With a record that was being written when the writer died.
    Torn {
        /// Where that begins.
        offset: u64,
    },
}

/// A journal that was read.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// What the run is.
    pub header: RunHeader,
    /// Its events.
    pub records: Vec<Record>,
    /// How it ends.
    pub tail: Tail,
    /// The first event that may not stand where it does, if any.
    pub disorder: Option<Disorder>,
    /// What was sealed, to be masked in all output; empty when secrets were not asked for.
    pub secrets: Vec<String>,
    pub(crate) chain: Chain,
    /// Length of the file without what is torn.
    pub(crate) whole_bytes: u64,
    /// Length of the file.
    pub(crate) length_bytes: u64,
}

impl Recovered {
    /// Number of the last record; 0 when there is only the header.
    pub fn last_sequence(&self) -> u64 {
        self.records.last().map_or(0, |record| record.sequence)
    }

    /// Every file that the run used, by its path, each with the hash that was noted last.
    pub fn inputs(&self) -> Vec<Input> {
        let used = self
            .records
            .iter()
            .filter_map(|record| match &record.event.kind {
                EventKind::InputUsed { input } => Some(input),
                _ => None,
            });
        let all = self.header.inputs.iter().chain(used);
        let by_path: BTreeMap<&String, &Input> = all.map(|input| (&input.path, input)).collect();
        by_path.into_values().cloned().collect()
    }

    /// Length of the whole records and the header, in bytes.
    pub fn whole_bytes(&self) -> u64 {
        self.whole_bytes
    }
}

/// Reads a journal with stars in place of its secrets, as it may be shown.
///
/// # Errors
/// The file cannot be read, is of a newer format, or is damaged before its end.
pub fn read(path: &Path) -> Result<Recovered, ReadError> {
    let directory = RunDirectory::of_journal(path);
    read_with(path, &Shown { directory })
}

/// Reads the journal of a run with its secrets, as it can be resumed.
///
/// # Errors
/// As [`read`], and when the secrets cannot be opened.
pub fn read_unsealed(directory: &RunDirectory) -> Result<Recovered, ReadError> {
    let opened = Opened::read(directory)?;
    let mut texts: Vec<(u64, String)> = opened.texts.clone().into_iter().collect();
    texts.sort();
    let unsealed = Unsealed {
        directory: directory.clone(),
        opened,
        whole: RefCell::default(),
    };
    let mut recovered = read_with(&directory.journal(), &unsealed)?;
    let whole = unsealed.whole.into_inner();
    recovered.secrets = texts
        .into_iter()
        .filter(|(number, _)| !whole.contains(number))
        .map(|(_, text)| text)
        .collect();
    Ok(recovered)
}

struct Shown {
    directory: RunDirectory,
}

impl Beside for Shown {
    fn sealed(&self, _: u64) -> Result<Option<&str>, String> {
        Ok(None)
    }

    fn sealed_whole(&self, _: u64) -> Result<Option<&str>, String> {
        Ok(None)
    }

    fn spooled(&self, name: &str, length_bytes: usize) -> Result<String, String> {
        spool::read(&self.directory, name, length_bytes)
    }
}

struct Unsealed {
    directory: RunDirectory,
    opened: Opened,
    /// Numbers of what is no piece of a text, but JSON that was sealed as a whole.
    whole: RefCell<HashSet<u64>>,
}

impl Beside for Unsealed {
    fn sealed(&self, number: u64) -> Result<Option<&str>, String> {
        let text = self.opened.texts.get(&number);
        text.map(|text| Some(text.as_str()))
            .ok_or_else(|| format!("the sealed value {number} is not in the file of secrets"))
    }

    fn sealed_whole(&self, number: u64) -> Result<Option<&str>, String> {
        self.whole.borrow_mut().insert(number);
        self.sealed(number)
    }

    fn spooled(&self, name: &str, length_bytes: usize) -> Result<String, String> {
        spool::read(&self.directory, name, length_bytes)
    }
}

fn read_with(path: &Path, beside: &dyn Beside) -> Result<Recovered, ReadError> {
    let bytes = std::fs::read(path).map_err(|source| ReadError::File {
        path: path.to_owned(),
        source,
    })?;
    Reading {
        path,
        bytes: &bytes,
        at: 0,
        chain: Chain::new(),
        beside,
    }
    .all()
}

struct Reading<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
    chain: Chain,
    beside: &'a dyn Beside,
}

impl<'a> Reading<'a> {
    fn all(mut self) -> Result<Recovered, ReadError> {
        self.first_line()?;
        let header = self.header()?;
        let mut recovered = Recovered {
            header,
            records: Vec::new(),
            tail: Tail::Whole,
            disorder: None,
            secrets: Vec::new(),
            chain: self.chain,
            whole_bytes: 0,
            length_bytes: wide(self.bytes.len()),
        };
        let mut order = Order::default();
        for sequence in 1.. {
            let offset = wide(self.at);
            match self.next(sequence)? {
                Ok(payload) => {
                    let event = self.event(payload, sequence, offset)?;
                    if recovered.disorder.is_none() {
                        recovered.disorder = order.take(&event).err();
                    }
                    recovered.records.push(Record {
                        sequence,
                        offset,
                        event,
                    });
                }
                Err(tail) => {
                    recovered.tail = tail;
                    recovered.whole_bytes = offset;
                    recovered.chain = self.chain;
                    break;
                }
            }
        }
        Ok(recovered)
    }

    /// The next record's JSON, or how the journal ends here.
    fn next(&mut self, sequence: u64) -> Result<Result<&'a [u8], Tail>, ReadError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match decode_record(rest, sequence, self.chain) {
            Next::Record {
                payload,
                chain,
                length,
            } => {
                self.at += length;
                self.chain = chain;
                Ok(Ok(payload))
            }
            Next::End => Ok(Err(Tail::Whole)),
            Next::Torn => Ok(Err(Tail::Torn {
                offset: wide(self.at),
            })),
            Next::Damaged(why) => Err(self.damaged(wide(self.at), why)),
        }
    }

    fn first_line(&mut self) -> Result<(), ReadError> {
        if self.bytes.starts_with(FIRST_LINE) {
            self.at = FIRST_LINE.len();
            return Ok(());
        }
        if FIRST_LINE.starts_with(self.bytes) {
            return Err(self.not_begun());
        }
        let digits = self.bytes.strip_prefix(MAGIC).and_then(|rest| {
            let end = rest.iter().take(12).position(|byte| *byte == b'\n')?;
            std::str::from_utf8(rest.get(..end)?).ok()
        });
        match digits.and_then(|digits| digits.parse::<u64>().ok()) {
            Some(found) if found > u64::from(FORMAT) => Err(self.newer(found)),
            _ => Err(self.damaged(0, "it does not begin as a journal does".to_owned())),
        }
    }

    fn header(&mut self) -> Result<RunHeader, ReadError> {
        let offset = wide(self.at);
        let beside = self.beside;
        let path = self.path;
        let damaged = |why: String| ReadError::Damaged {
            path: path.to_owned(),
            offset,
            why,
        };
        let payload = match self.next(0)? {
            Ok(payload) => payload,
            Err(_) => return Err(self.not_begun()),
        };
        let mut json: Value =
            serde_json::from_slice(payload).map_err(|error| damaged(error.to_string()))?;
        reveal(&mut json, beside).map_err(damaged)?;
        let found = json
            .get("format")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        if found > u64::from(FORMAT) {
            return Err(self.newer(found));
        }
        serde_json::from_value(json).map_err(|error| damaged(error.to_string()))
    }

    fn event(&self, payload: &[u8], sequence: u64, offset: u64) -> Result<Event, ReadError> {
        let damaged = |why: String| self.damaged(offset, why);
        let mut json: Value =
            serde_json::from_slice(payload).map_err(|error| damaged(error.to_string()))?;
        reveal(&mut json, self.beside).map_err(damaged)?;
        let event: Event =
            serde_json::from_value(json).map_err(|error| damaged(error.to_string()))?;
        if event.sequence != sequence {
            return Err(damaged("its event has another number than it".to_owned()));
        }
        Ok(event)
    }

    fn not_begun(&self) -> ReadError {
        let path = self.path.to_owned();
        ReadError::NotBegun { path }
    }

    fn damaged(&self, offset: u64, why: String) -> ReadError {
        ReadError::Damaged {
            path: self.path.to_owned(),
            offset,
            why,
        }
    }

    fn newer(&self, found: u64) -> ReadError {
        ReadError::NewerFormat {
            path: self.path.to_owned(),
            found,
            known: FORMAT,
        }
    }
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
