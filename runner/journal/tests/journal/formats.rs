//! Journals of every format that was released, as they lay on disk then: they are read for ever.

use std::path::{Path, PathBuf};

use crate::sample::{OneSecret, events, finished, header};
use sasrun_journal::{JournalWriter, RunDirectory, Tail, read, read_unsealed};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Copies a folder of fixtures, for a test must not write to it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Makes the fixture of the present format, where `SASRUN_NEW_FIXTURES` names a folder.
#[test]
fn the_present_format_is_written_as_its_fixture_says() {
    let scratch = tempfile::tempdir().unwrap();
    let named = std::env::var_os("SASRUN_NEW_FIXTURES").map(PathBuf::from);
    let state = named.unwrap_or_else(|| scratch.path().to_owned());
    let run = RunDirectory::create(&state, "sample").unwrap();
    let secret = std::sync::Arc::new(OneSecret("hunter22"));
    let writer = JournalWriter::create(&run, &header("sample"), secret).unwrap();
    let mut all = events(2);
    all.insert(
        3,
        crate::sample::event(0, finished("alpha", 7, "the word is hunter22")),
    );
    let large = "a large value\n".repeat(6_000);
    all.insert(4, crate::sample::event(0, finished("alpha", 8, &large)));
    for event in &all {
        writer.append(event).unwrap();
    }
    drop(writer);
    let mut made = std::fs::read_to_string(run.journal()).unwrap();
    let kept = std::fs::read_to_string(fixture("format-1/runs/sample/journal")).unwrap();
    made.truncate(kept.len());
    assert_eq!(made, kept);
}

#[test]
fn a_journal_of_format_1_is_read_and_gone_on_with() {
    let state = tempfile::tempdir().unwrap();
    copy(&fixture("format-1"), state.path());
    let run = RunDirectory::find(state.path(), "last").unwrap();
    let shown = read(&run.journal()).unwrap();
    assert_eq!(shown.header, header("sample"));
    assert!(matches!(shown.tail, Tail::Torn { .. }));
    let found = read_unsealed(&run).unwrap();
    let text = |record: usize| match &found.records[record].event.kind {
        sasrun_model::EventKind::HostFinished { outcome, .. } => {
            let text = outcome.result.get("stdout").and_then(|text| text.as_str());
            text.unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(text(3), "the word is hunter22");
    assert_eq!(text(4).lines().count(), 6_000);
    let secret = std::sync::Arc::new(OneSecret("hunter22"));
    let writer = JournalWriter::reopen(&run, &found, crate::sample::resumed(), secret).unwrap();
    drop(writer);
    let after = read_unsealed(&run).unwrap();
    assert_eq!(after.tail, Tail::Whole);
    assert_eq!(after.records.len(), found.records.len() + 1);
}
