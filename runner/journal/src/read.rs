//! Reading a journal: every whole record, in order; a torn last line is normal.

use std::path::{Path, PathBuf};

use sasrun_model::Event;

/// Why a journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is not there or may not be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A line that is not the last cannot be understood.
    #[error("{} is damaged at line {line}: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Reads all whole events.
///
/// # Errors
/// The file cannot be read, or a line before the last is damaged.
pub fn read_events(path: &Path) -> Result<Vec<Event>, ReadError> {
    let bytes = std::fs::read(path).map_err(|source| ReadError::File {
        path: path.to_owned(),
        source,
    })?;
    let mut events = Vec::new();
    let mut lines = bytes.split(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let is_last = lines.peek().is_none();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(event) => events.push(event),
            // A last line without its end was being written when the runner died.
            Err(_) if is_last => break,
            Err(source) => {
                return Err(ReadError::Damaged {
                    path: path.to_owned(),
                    line: index + 1,
                    source,
                });
            }
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JournalWriter, RunDirectory};
    use sasrun_model::EventKind;
    use std::time::Duration;

    fn event(sequence: u64) -> Event {
        let kind = EventKind::Warning {
            sentence: format!("number {sequence}"),
        };
        Event {
            sequence,
            at_ms: 1,
            elapsed: Duration::from_millis(sequence),
            kind,
        }
    }

    #[test]
    fn what_was_written_is_read_back_and_a_torn_end_is_left_out() {
        let state = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(state.path(), "r1").unwrap();
        let writer = JournalWriter::create(&directory).unwrap();
        for sequence in 1..=3 {
            writer
                .append(&JournalWriter::line(&event(sequence)).unwrap())
                .unwrap();
        }
        let whole = std::fs::read(directory.journal()).unwrap();
        assert_eq!(
            read_events(&directory.journal()).unwrap(),
            [event(1), event(2), event(3)]
        );
        for cut in 0..whole.len() {
            std::fs::write(directory.journal(), &whole[..cut]).unwrap();
            let read = read_events(&directory.journal()).unwrap();
            assert!(
                read.iter().zip(1..).all(|(got, n)| *got == event(n)),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn damage_in_the_middle_is_named() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("journal.jsonl");
        let line = JournalWriter::line(&event(1)).unwrap();
        std::fs::write(&path, format!("{line}\nnonsense\n{line}\n")).unwrap();
        let error = read_events(&path).unwrap_err();
        assert!(
            matches!(error, ReadError::Damaged { line: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_journal_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(state.path(), "r1").unwrap();
        JournalWriter::create(&directory).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(directory.path()), 0o700);
        assert_eq!(mode(&directory.journal()), 0o600);
    }
}
