//! What is written is read back: events, secrets, large values, and what is resumed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use crate::sample::{OneSecret, directory, event, events, finished, header, no_secrets, resumed};
use futures::executor::block_on;
use sasrun_journal::{JournalWriter, ReadError, Tail, read, read_unsealed};
use sasrun_model::{Event, EventKind, Kept};

#[test]
fn what_was_written_is_read_back() {
    let (_state, run) = directory();
    let writer = JournalWriter::create(&run, &header("sample"), no_secrets()).unwrap();
    let written = events(3);
    for event in &written {
        writer.append(event).unwrap();
        block_on(writer.durable()).unwrap();
    }
    let found = read(&run.journal()).unwrap();
    assert_eq!(found.header, header("sample"));
    assert_eq!(found.tail, Tail::Whole);
    assert_eq!(found.disorder, None);
    let read: Vec<Event> = found
        .records
        .into_iter()
        .map(|record| record.event)
        .collect();
    assert_eq!(read, written);
}

#[test]
fn a_journal_is_for_its_owner_alone() {
    let (state, run) = directory();
    let secret = Arc::new(OneSecret("s3cr3t"));
    let writer = JournalWriter::create(&run, &header("sample"), secret).unwrap();
    let large = "s3cr3t ".repeat(20_000);
    writer
        .append(&event(1, finished("alpha", 0, &large)))
        .unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for folder in [run.path(), &run.spool(), &state.path().join("keys")] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    for file in [run.journal(), run.secrets(), run.key()] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let spooled = std::fs::read_dir(run.spool())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(mode(&spooled.path()), 0o600);
}

/// Every byte below a folder, to look for what must not be there.
fn everything_below(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(everything_below(&path));
        } else {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn secrets_are_not_on_disk_and_come_back_for_a_resume_alone() {
    let (state, run) = directory();
    let secret = Arc::new(OneSecret("hunter22"));
    let writer = JournalWriter::create(&run, &header("sample"), secret).unwrap();
    let told = event(1, finished("alpha", 0, "pass=hunter22 twice hunter22"));
    // What a host prints must not be taken for a mark of ours.
    let forged = event(2, finished("alpha", 1, "\u{1}sealed:1; \u{1};"));
    writer.append(&told).unwrap();
    writer.append(&forged).unwrap();
    let result = serde_json::json!({ "token": "unregistered", "port": 8022 });
    let mut hidden = finished("alpha", 2, "hidden");
    if let EventKind::HostFinished { kept, outcome, .. } = &mut hidden {
        let mut whole = (**outcome).clone();
        whole.result = result.into();
        *kept = Some(Arc::new(Kept {
            outcome: Some(Arc::new(whole)),
            effects: Vec::new(),
        }));
    }
    writer.append(&event(3, hidden.clone())).unwrap();
    block_on(writer.durable()).unwrap();

    let bytes = everything_below(state.path());
    assert!(!holds(&bytes, "hunter22") && !holds(&bytes, "unregistered"));
    let unsealed = read_unsealed(&run).unwrap();
    assert_eq!(unsealed.records[0].event.kind, told.kind);
    assert_eq!(unsealed.records[1].event.kind, forged.kind);
    assert_eq!(unsealed.records[2].event.kind, hidden);
    assert_eq!(unsealed.secrets, ["hunter22"]);

    let shown = read(&run.journal()).unwrap();
    let EventKind::HostFinished { outcome, .. } = &shown.records[0].event.kind else {
        panic!("not the event");
    };
    let stdout = outcome.result.get("stdout").and_then(|text| text.as_str());
    assert_eq!(stdout, Some("pass=******** twice ********"));
    assert_eq!(shown.records[1].event.kind, forged.kind);
    hidden.forget_kept();
    assert_eq!(shown.records[2].event.kind, hidden);
    assert_eq!(shown.secrets, Vec::<String>::new());

    std::fs::remove_file(run.key()).unwrap();
    assert!(matches!(read_unsealed(&run), Err(ReadError::Sealed { .. })));
    assert!(read(&run.journal()).is_ok());
}

#[test]
fn a_secret_that_is_a_number_or_a_key_is_sealed_too() {
    let (state, run) = directory();
    let writer =
        JournalWriter::create(&run, &header("sample"), Arc::new(OneSecret("815372"))).unwrap();
    let result = serde_json::json!({ "pin": 815_372, "815372": { "deep": [1.5, 815_372] } });
    let mut kind = finished("alpha", 0, "");
    if let EventKind::HostFinished { outcome, .. } = &mut kind {
        Arc::make_mut(outcome).result = result.into();
    }
    writer.append(&event(1, kind.clone())).unwrap();
    assert!(!holds(&everything_below(state.path()), "815372"));
    assert_eq!(read_unsealed(&run).unwrap().records[0].event.kind, kind);
    assert!(read(&run.journal()).is_ok());
}

#[test]
fn what_is_large_lies_apart_and_is_read_back() {
    let (_state, run) = directory();
    let writer = JournalWriter::create(&run, &header("sample"), no_secrets()).unwrap();
    let text = "0123456789\n\u{1}".repeat(40_000);
    let large = event(1, finished("alpha", 0, &text));
    writer.append(&large).unwrap();
    let same = event(2, finished("beta", 0, &text));
    writer.append(&same).unwrap();
    block_on(writer.durable()).unwrap();
    assert!(std::fs::metadata(run.journal()).unwrap().len() < 4096);
    assert_eq!(std::fs::read_dir(run.spool()).unwrap().count(), 1);
    let found = read(&run.journal()).unwrap();
    assert_eq!(found.records[0].event.kind, large.kind);
    assert_eq!(found.records[1].event.kind, same.kind);

    let spooled = std::fs::read_dir(run.spool())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    std::fs::write(spooled.path(), "something else").unwrap();
    let offset = found.records[0].offset;
    match read(&run.journal()) {
        Err(ReadError::Damaged {
            offset: at, why, ..
        }) => {
            assert_eq!(at, offset);
            assert!(why.contains("is not what was kept there"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_is_gone_on_with_at_every_cut() {
    let (_state, run) = directory();
    let secret = || Arc::new(OneSecret("alpha did 1"));
    let writer = JournalWriter::create(&run, &header("sample"), secret()).unwrap();
    for event in &events(2) {
        writer.append(event).unwrap();
    }
    drop(writer);
    let whole = std::fs::read(run.journal()).unwrap();
    let secrets = std::fs::read(run.secrets()).unwrap();
    let first = usize::try_from(read(&run.journal()).unwrap().records[0].offset).unwrap();
    for cut in (first..whole.len()).step_by(97) {
        std::fs::write(run.journal(), &whole[..cut]).unwrap();
        std::fs::write(run.secrets(), &secrets).unwrap();
        let before = read_unsealed(&run).unwrap();
        let writer = JournalWriter::reopen(&run, &before, resumed(), secret()).unwrap();
        writer
            .append(&event(99, finished("beta", 9, "alpha did 1")))
            .unwrap();
        block_on(writer.durable()).unwrap();
        drop(writer);
        let after = read_unsealed(&run).unwrap();
        let kept = before.records.len();
        assert_eq!(after.tail, Tail::Whole);
        assert_eq!(after.records[..kept], before.records[..]);
        assert_eq!(after.records[kept].event.kind, resumed());
        assert_eq!(
            after.records[kept + 1].event.kind,
            finished("beta", 9, "alpha did 1")
        );
        assert_eq!(after.last_sequence(), u64::try_from(kept).unwrap() + 2);
    }
}

#[test]
fn a_run_that_goes_on_elsewhere_is_left_alone() {
    let (_state, run) = directory();
    let writer = JournalWriter::create(&run, &header("sample"), no_secrets()).unwrap();
    writer.append(&events(1)[0]).unwrap();
    assert!(run.is_running());
    let found = read_unsealed(&run).unwrap();
    let second = JournalWriter::reopen(&run, &found, resumed(), no_secrets());
    let error = second.err().unwrap().to_string();
    assert!(error.contains("still going on"), "{error}");
    drop(writer);
    assert!(!run.is_running());
    assert!(JournalWriter::reopen(&run, &found, resumed(), no_secrets()).is_ok());
}
