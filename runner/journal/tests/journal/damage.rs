//! Journals that were cut or changed: the valid beginning is recovered, or the place is named.

use crate::sample::{directory, event, events, finished, header, no_secrets};
use proptest::prelude::*;
use sasrun_journal::{JournalWriter, ReadError, Recovered, RunDirectory, Tail, read};
use sasrun_model::Event;

/// How far from its end a journal is cut at every byte: more than the last record.
const CUT_AT_EVERY_BYTE: usize = 500;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }
}

fn written(tasks: usize) -> (tempfile::TempDir, RunDirectory, Vec<Event>) {
    let (state, run) = directory();
    let writer = JournalWriter::create(&run, &header("sample"), no_secrets()).unwrap();
    let events = events(tasks);
    for event in &events {
        writer.append(event).unwrap();
    }
    (state, run, events)
}

/// Reads bytes as a journal. What comes back must be the beginning of what was written.
fn read_bytes(run: &RunDirectory, bytes: &[u8], events: &[Event]) -> Result<Recovered, ReadError> {
    std::fs::write(run.journal(), bytes).unwrap();
    let found = read(&run.journal())?;
    assert_eq!(found.header, header("sample"));
    let read = found.records.iter().map(|record| &record.event);
    assert!(read.eq(events.iter().take(found.records.len())));
    Ok(found)
}

#[test]
fn a_journal_cut_at_any_byte_gives_all_whole_records() {
    // Small, for each cut is a whole reading.
    let (_state, run, events) = written(2);
    let whole = std::fs::read(run.journal()).unwrap();
    let records = read(&run.journal()).unwrap().records;
    let first = usize::try_from(records[0].offset).unwrap();
    let every = whole.len().saturating_sub(CUT_AT_EVERY_BYTE);
    for cut in (0..every).step_by(23).chain(every..whole.len()) {
        match read_bytes(&run, &whole[..cut], &events) {
            Ok(found) => {
                let ends = |record: &&sasrun_journal::Record| {
                    usize::try_from(record.offset).unwrap() <= cut
                };
                let begun = records.iter().filter(ends).count();
                let is_between = records
                    .iter()
                    .any(|record| usize::try_from(record.offset).unwrap() == cut);
                // The one that begins last is whole only where the next begins.
                assert_eq!(found.records.len(), begun.saturating_sub(1), "cut at {cut}");
                assert_eq!(found.tail == Tail::Whole, is_between, "cut at {cut}");
            }
            Err(ReadError::NotBegun { .. }) => assert!(cut < first, "cut at {cut}"),
            Err(other) => panic!("cut at {cut}: {other}"),
        }
    }
}

#[test]
fn a_flipped_bit_is_refused_with_its_place() {
    let (_state, run, events) = written(2);
    let whole = std::fs::read(run.journal()).unwrap();
    let offsets: Vec<u64> = read(&run.journal())
        .unwrap()
        .records
        .iter()
        .map(|record| record.offset)
        .collect();
    let mut numbers = Numbers(7);
    for _ in 0..500 {
        let at = numbers.below(whole.len());
        let bit = numbers.below(8);
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << bit;
        let place = u64::try_from(at).unwrap();
        let record = offsets.iter().rev().find(|offset| **offset <= place);
        match read_bytes(&run, &flipped, &events) {
            Err(ReadError::Damaged { offset, .. }) => match record {
                Some(record) => assert_eq!(offset, *record, "byte {at} bit {bit}"),
                None => assert!(offset <= place, "byte {at} bit {bit}"),
            },
            Err(ReadError::NewerFormat { .. }) => assert!(at < 20, "byte {at} bit {bit}"),
            Err(other) => panic!("byte {at} bit {bit}: {other}"),
            Ok(_) => panic!("byte {at} bit {bit} was not seen"),
        }
    }
}

#[test]
fn a_record_left_out_moved_or_doubled_is_refused() {
    let (_state, run, events) = written(2);
    let whole = std::fs::read(run.journal()).unwrap();
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let refused = |lines: Vec<&[u8]>| {
        let found = read_bytes(&run, &lines.concat(), &events);
        assert!(matches!(found, Err(ReadError::Damaged { .. })), "{found:?}");
    };
    for at in 1..lines.len() - 1 {
        let mut without = lines.clone();
        without.remove(at);
        refused(without);
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        refused(swapped);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        refused(doubled);
    }
}

#[test]
fn an_end_of_zeros_is_torn() {
    let (_state, run, events) = written(2);
    let mut bytes = std::fs::read(run.journal()).unwrap();
    let length = u64::try_from(bytes.len()).unwrap();
    bytes.resize(bytes.len() + 4096, 0);
    let found = read_bytes(&run, &bytes, &events).unwrap();
    assert_eq!(found.tail, Tail::Torn { offset: length });
    assert_eq!(found.records.len(), events.len());
}

#[test]
fn a_journal_of_a_newer_format_is_refused_by_name() {
    let (_state, run, _) = written(1);
    let whole = std::fs::read(run.journal()).unwrap();
    let newer = [b"sasrun-journal 2\n", &whole[17..]].concat();
    std::fs::write(run.journal(), newer).unwrap();
    match read(&run.journal()) {
        Err(
            error @ ReadError::NewerFormat {
                found: 2, known: 1, ..
            },
        ) => {
            assert!(error.to_string().contains("format 2"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        keep in 0_usize..2000,
    ) {
        let (_state, run, _) = written(1);
        let mut whole = std::fs::read(run.journal()).unwrap();
        whole.truncate(keep);
        whole.extend(bytes);
        std::fs::write(run.journal(), whole).unwrap();
        // Either is fine; only an end in panic is not.
        let _ = read(&run.journal());
    }

    #[test]
    fn any_text_of_a_host_comes_back(text in "\\PC*|[\u{1};a-z:0-9\n]*") {
        let (_state, run) = directory();
        let writer = JournalWriter::create(&run, &header("sample"), no_secrets()).unwrap();
        writer.append(&event(1, finished("alpha", 0, &text))).unwrap();
        let found = read(&run.journal()).unwrap();
        prop_assert_eq!(&found.records[0].event.kind, &finished("alpha", 0, &text));
    }
}
