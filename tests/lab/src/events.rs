//! The event log: what stand-ins did, one JSON object a line, by which tests judge.
//!
//! Lines of many processes never mix: each is written with one call to a file opened for appending, under a lock that
//! also gives the number. Nothing here interprets the events.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::paths::{Private, Shared};

/// What an event did to the host.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It looked and changed nothing.
    Read,
    /// It tried a logon, which counts against an account.
    Attempt,
    /// It changed something.
    Effect,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub seq: u64,
    /// Milliseconds since the lab was started, by a clock that never goes back.
    pub at_ms: u64,
    pub host: String,
    pub class: Class,
    /// For example `opsware-sas.stop`.
    pub what: String,
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

/// Why an event could not be written or the log not be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    #[error("event log: {0}")]
    Io(#[from] std::io::Error),
    #[error("event log: line {line}: {source}")]
    Line {
        line: usize,
        source: serde_json::Error,
    },
    #[error("event log: {0}")]
    Encode(#[from] serde_json::Error),
}

/// The writing end of a lab's event log.
#[derive(Debug, Clone)]
pub struct EventLog {
    shared: Shared,
    host: String,
}

impl EventLog {
    /// The log of the lab that shares this directory, for events of the named host.
    pub fn new(shared: Shared, host: impl Into<String>) -> Self {
        Self {
            shared,
            host: host.into(),
        }
    }

    /// Appends one event; `details` is an object whose keys join the line.
    pub fn write(&self, class: Class, what: &str, details: Value) -> Result<Event, EventError> {
        let details = match details {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            other => Map::from_iter([("detail".to_owned(), other)]),
        };
        let at_ms = Clock::read(&self.shared).elapsed_ms();
        let mut file = open_appending(&self.shared.events())?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(std::io::Error::from)?;
        let seq = self.next_seq()?;
        let event = Event {
            seq,
            at_ms,
            host: self.host.clone(),
            class,
            what: what.to_owned(),
            details,
        };
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        file.write_all(&line)?;
        Ok(event)
    }

    fn next_seq(&self) -> Result<u64, EventError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.shared.events_seq())?;
        open_to_all(&file);
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let seq = text.trim().parse::<u64>().unwrap_or(0) + 1;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(format!("{seq}\n").as_bytes())?;
        Ok(seq)
    }
}

/// Appends an event of the host on which this program runs.
///
/// An event that cannot be written is reported on stderr and otherwise lost: a stand-in goes on as the real thing
/// would, and the judge of the log sees the gap.
pub fn log(class: Class, what: &str, details: Value) {
    let host = host_name();
    if let Err(error) = EventLog::new(Shared::inside(), host).write(class, what, details) {
        #[expect(
            clippy::print_stderr,
            reason = "the last place to say that the log itself is broken"
        )]
        {
            eprintln!("saslab: {error}");
        }
    }
}

/// Reads the whole log; a last line that is still being written is left out.
pub fn read_all(path: &std::path::Path) -> Result<Vec<Event>, EventError> {
    let text = std::fs::read_to_string(path)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut events = Vec::new();
    for (index, line) in whole.lines().enumerate() {
        if !line.is_empty() {
            events.push(
                serde_json::from_str(line).map_err(|source| EventError::Line {
                    line: index + 1,
                    source,
                })?,
            );
        }
    }
    Ok(events)
}

fn host_name() -> String {
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    std::fs::read(Private::inside().host())
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Name>(&bytes).ok())
        .map_or_else(|| "?".to_owned(), |host| host.name)
}

fn open_appending(path: &std::path::Path) -> std::io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    open_to_all(&file);
    Ok(file)
}

/// Lets every user of the hosts write; who may not change the mode finds it so already.
fn open_to_all(file: &File) {
    use std::os::unix::fs::PermissionsExt;
    let _ = file.set_permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::StateDir;
    use serde_json::json;

    #[test]
    fn lines_of_many_writers_keep_apart_and_are_numbered_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let shared = StateDir::new(dir.path()).mesh();
        std::fs::create_dir_all(shared.path()).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let shared = shared.clone();
                scope.spawn(move || {
                    for n in 0..25 {
                        let log = EventLog::new(shared.clone(), format!("h{writer}"));
                        log.write(Class::Effect, "x.y", json!({"n": n, "text": "a\nb"}))
                            .unwrap();
                    }
                });
            }
        });
        let events = read_all(&shared.events()).unwrap();
        assert_eq!(
            events.iter().map(|e| e.seq).collect::<Vec<_>>(),
            (1..=100).collect::<Vec<_>>()
        );
        assert!(events.iter().all(|e| e.details["text"] == "a\nb"));
    }

    #[test]
    fn an_unfinished_line_is_left_out_and_a_broken_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let good = r#"{"seq":1,"at_ms":0,"host":"a1","class":"read","what":"x"}"#;
        std::fs::write(&path, format!("{good}\n{{\"seq\":2,")).unwrap();
        assert_eq!(read_all(&path).unwrap().len(), 1);
        std::fs::write(&path, format!("{good}\nnonsense\n")).unwrap();
        assert!(read_all(&path).unwrap_err().to_string().contains("line 2"));
    }
}
