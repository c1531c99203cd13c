//! Changes that runs were to take back and did not: told when a run is given up, and to every run after it.
//!
//! A file for each run that was given up, in `owed/` of the state directory; a line for each change. Must not: take anything
//! back itself.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sasrun_engine::seams::Observer;
use sasrun_model::{Event, EventKind};
use serde::{Deserialize, Serialize};

/// One change that somebody has to take back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owed {
    pub host: String,
    id: String,
    pub sentence: String,
}

impl Owed {
    fn is(&self, host: &str, id: &str) -> bool {
        self.host == host && self.id == id
    }
}

/// What a run changed and did not take back, in order.
pub(crate) fn left_by<'e>(events: impl IntoIterator<Item = &'e Event>) -> Vec<Owed> {
    let mut left: Vec<Owed> = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::Owed { id, host, sentence } => {
                left.retain(|owed| !owed.is(host, id));
                left.push(Owed {
                    host: host.to_string(),
                    id: id.clone(),
                    sentence: sentence.clone(),
                });
            }
            EventKind::Settled { id, host } => left.retain(|owed| !owed.is(host, id)),
            _ => {}
        }
    }
    left
}

fn folder(state: &Path) -> PathBuf {
    state.join("owed")
}

/// Remembers what a run that was given up left.
pub(crate) fn remember(state: &Path, run: &str, left: &[Owed]) -> std::io::Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    let folder = folder(state);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    write(&folder.join(run), left)
}

fn write(file: &Path, left: &[Owed]) -> std::io::Result<()> {
    let new = file.with_extension("new");
    let mut out = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)?;
    for owed in left {
        serde_json::to_writer(&mut out, owed)?;
        out.write_all(b"\n")?;
    }
    out.sync_all()?;
    fs::rename(new, file)
}

/// What runs that were given up left and nobody took back since: the run, and what.
pub(crate) fn remembered(state: &Path) -> Vec<(String, Owed)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(state)).into_iter().flatten().flatten() {
        let run = entry.file_name().to_string_lossy().into_owned();
        if run.ends_with(".new") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let owed = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        found.extend(owed.map(|owed| (run.clone(), owed)));
    }
    found.sort_by(|a: &(String, Owed), b| a.0.cmp(&b.0));
    found
}

/// Forgets what a run takes back that another one left.
pub(crate) struct Settling(pub PathBuf);

impl Observer for Settling {
    fn event(&mut self, event: &Event) {
        let EventKind::Settled { id, host } = &event.kind else {
            return;
        };
        for entry in fs::read_dir(folder(&self.0))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            let text = fs::read_to_string(&path).unwrap_or_default();
            let owed = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            let (settled, left): (Vec<Owed>, Vec<Owed>) =
                owed.partition(|owed: &Owed| owed.is(host, id));
            let done = match (settled.is_empty(), left.is_empty()) {
                (true, _) => Ok(()),
                (false, true) => fs::remove_file(&path),
                (false, false) => write(&path, &left),
            };
            if let Err(error) = done {
                tracing::warn!(%error, path = %path.display(), "what was taken back is still listed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event(kind: EventKind) -> Event {
        Event {
            sequence: 0,
            at_ms: 0,
            elapsed: Duration::ZERO,
            kind,
        }
    }

    fn owe(host: &str, id: &str) -> Event {
        event(EventKind::Owed {
            id: id.into(),
            host: host.into(),
            sentence: format!("line of {host}"),
        })
    }

    fn settle(host: &str, id: &str) -> Event {
        event(EventKind::Settled {
            id: id.into(),
            host: host.into(),
        })
    }

    #[test]
    fn what_is_taken_back_is_owed_no_more() {
        let events = [
            owe("a", "x"),
            owe("b", "x"),
            settle("a", "x"),
            owe("b", "x"),
        ];
        let left = left_by(&events);
        assert_eq!(left.len(), 1);
        assert_eq!((&*left[0].host, &*left[0].sentence), ("b", "line of b"));
    }

    #[test]
    fn it_is_remembered_until_some_run_takes_it_back() {
        let state = tempfile::tempdir().unwrap();
        let left = left_by(&[owe("a", "x"), owe("b", "x")]);
        remember(state.path(), "run-1", &left).unwrap();
        let mut settling = Settling(state.path().to_owned());
        settling.event(&settle("a", "other"));
        assert_eq!(remembered(state.path()).len(), 2);
        settling.event(&settle("a", "x"));
        let known = remembered(state.path());
        assert_eq!(known.len(), 1);
        assert_eq!((&*known[0].0, &*known[0].1.host), ("run-1", "b"));
        settling.event(&settle("b", "x"));
        assert_eq!(remembered(state.path()), []);
    }
}
