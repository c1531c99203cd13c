//! A few turns of each kind, against the program that was built beside these tests.

use std::path::PathBuf;

use sasrun_soak::{Bench, Report, TRIALS};

/// Part of the full size, for what lasts long.
const SIZE: f64 = 0.01;

fn bench() -> Bench {
    let built = std::env::current_exe().unwrap_or_default();
    let beside = built.ancestors().nth(2).map(|folder| folder.join("sasrun"));
    let program = std::env::var_os("SASRUN_BIN").map(PathBuf::from);
    let program = program.or(beside).unwrap_or_default();
    assert!(
        program.exists(),
        "{} is not there: cargo build -p sasrun, or set SASRUN_BIN",
        program.display()
    );
    let evidence = std::env::temp_dir().join("sasrun-soak-evidence");
    Bench {
        program,
        size: SIZE,
        source: None,
        evidence,
    }
}

fn few(id: &str, count: u32) {
    let parts = TRIALS.iter().flat_map(|trial| trial.parts);
    let mut parts = parts.filter(|part| part.id == id).peekable();
    assert!(parts.peek().is_some(), "there is no {id}");
    for part in parts {
        if let Err(failed) = Report::none(7, SIZE).run(part, &bench(), count) {
            let (turn, failure) = (failed.turn, failed.failure);
            panic!("{id}, {turn:?}: {failure}");
        }
    }
}

/// The server of this machine plays hosts; it wants root here.
fn has_sshd() -> bool {
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    is_root && std::path::Path::new("/usr/sbin/sshd").exists()
}

#[test]
fn runs_that_are_killed_go_on_where_they_were() {
    if has_sshd() {
        few("T1-ledger", 3);
    }
}

#[test]
fn runs_that_are_signalled_begin_nothing_new_and_go_on_later() {
    if has_sshd() {
        few("T13", 2);
    }
}

#[test]
fn steps_outlive_connections_that_are_cut() {
    if has_sshd() {
        few("T5-points", 1);
    }
}

#[test]
fn hosts_that_do_not_answer_hold_nobody_up() {
    if has_sshd() {
        few("T7-connect", 1);
    }
}

#[test]
fn hosts_that_fall_silent_in_a_task_are_noticed() {
    if has_sshd() {
        few("T7-task", 1);
    }
}

#[test]
fn journals_that_are_cut_are_recovered() {
    few("T3-cut", 1);
}

#[test]
fn journals_that_are_damaged_are_refused() {
    few("T3-flip", 1);
}

#[test]
fn runs_that_cannot_write_their_journal_stop_and_go_on_later() {
    few("T4", 4);
}

#[test]
fn of_two_runs_on_one_lock_one_wins() {
    few("T14-one", 3);
}

#[test]
fn of_two_runs_from_two_control_hosts_one_wins() {
    few("T14-two", 2);
}
