//! The output of a long command: its head and tail in memory, the whole of it in a file.
//!
//! Must not: hold more than its limit, whatever a host sends.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sasrun_connection::{Captured, OutputSink, Stream};

/// Collects both streams of a command.
pub(super) struct Collected {
    streams: [Kept; 2],
    last_line: LastLine,
}

/// The line that a command wrote last, for those who watch.
#[derive(Debug, Clone, Default)]
pub(super) struct LastLine(Arc<Mutex<String>>);

impl LastLine {
    /// The line, once for each change.
    pub(super) fn take(&self) -> Option<String> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = std::mem::take(&mut *line);
        (!line.is_empty()).then_some(line)
    }

    fn see(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(
            bytes
                .get(bytes.len().saturating_sub(400)..)
                .unwrap_or(bytes),
        );
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        if let Some(last) = last {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = last.to_owned();
        }
    }
}

/// One stream.
struct Kept {
    captured: Captured,
    limit: u64,
    spool: Option<PathBuf>,
    file: Option<File>,
    trouble: Option<String>,
}

impl Collected {
    /// Keeps at most `limit` bytes of each stream in memory; beyond it, the whole goes to the files
    /// `spool.stdout` and `spool.stderr`, where there is a place for them.
    pub(super) fn new(limit: usize, spool: Option<PathBuf>) -> Self {
        let kept = |name: &str| Kept {
            captured: Captured::with_limit(limit),
            limit: limit as u64,
            spool: spool.as_ref().map(|path| {
                let mut path = path.clone().into_os_string();
                path.push(name);
                path.into()
            }),
            file: None,
            trouble: None,
        };
        Self {
            streams: [kept(".stdout"), kept(".stderr")],
            last_line: LastLine::default(),
        }
    }

    pub(super) fn last_line(&self) -> LastLine {
        self.last_line.clone()
    }

    /// What was collected, and a sentence for each stream of which only the ends are at hand.
    pub(super) fn finish(self) -> (Captured, Captured, Vec<String>) {
        let mut sentences = Vec::new();
        let [stdout, stderr] = self.streams.map(|kept| kept.finish(&mut sentences));
        (stdout, stderr, sentences)
    }
}

impl OutputSink for Collected {
    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        self.last_line.see(bytes);
        let [stdout, stderr] = &mut self.streams;
        match stream {
            Stream::Stdout => stdout.push(bytes),
            Stream::Stderr => stderr.push(bytes),
        }
    }
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        if self.spool.is_some()
            && self.trouble.is_none()
            && self.captured.total_bytes() + bytes.len() as u64 > self.limit
            && let Err(error) = self.write(bytes)
        {
            self.trouble = Some(error.to_string());
        }
        self.captured.push(bytes);
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.file.is_none()
            && let Some(path) = &self.spool
        {
            if let Some(folder) = path.parent() {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)?;
            }
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(path)?;
            // Nothing was left out so far: the head is all there was.
            file.write_all(self.captured.head())?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Ok(()),
        }
    }

    fn finish(self, sentences: &mut Vec<String>) -> Captured {
        let total = self.captured.total_bytes();
        if let (true, Some(path)) = (self.captured.is_truncated(), &self.spool) {
            sentences.push(match self.trouble {
                None => format!("its {total} bytes of output are in {}", path.display()),
                Some(why) => format!(
                    "its {total} bytes of output could not be kept in {}: {why}",
                    path.display()
                ),
            });
        }
        self.captured
    }
}

#[cfg(test)]
mod tests {
    use super::Collected;
    use sasrun_connection::{OutputSink, Stream};

    #[test]
    fn long_output_is_whole_in_its_file_and_short_output_makes_none() {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool/step");
        let mut collected = Collected::new(100, Some(spool.clone()));
        let mut all = Vec::new();
        for number in 0..50u8 {
            let piece = [number; 7];
            collected.take(Stream::Stdout, &piece);
            all.extend_from_slice(&piece);
        }
        collected.take(Stream::Stderr, b"short\n");
        assert_eq!(collected.last_line().take().as_deref(), Some("short"));
        let (stdout, stderr, sentences) = collected.finish();
        assert_eq!(std::fs::read(spool.with_extension("stdout")).unwrap(), all);
        assert!(stdout.is_truncated() && !stderr.is_truncated());
        assert!(!spool.with_extension("stderr").exists());
        assert_eq!(sentences.len(), 1);
        assert!(sentences[0].contains("350 bytes"), "{sentences:?}");
    }
}
