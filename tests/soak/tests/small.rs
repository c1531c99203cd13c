//! A few trials of each kind, against the program that was built beside these tests.

use std::path::PathBuf;

use sasrun_soak::{Bench, Report, TRIALS};

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
    Bench { program }
}

fn few(id: &str, count: u32) {
    for trial in TRIALS.iter().filter(|trial| trial.id == id) {
        if let Err((seed, failure)) = Report::none(7).run(trial, &bench(), count) {
            panic!("{id} with seed {seed}: {failure}");
        }
    }
}

#[test]
fn runs_that_are_killed_go_on_where_they_were() {
    few("T1", 3);
}

#[test]
fn runs_that_are_signalled_begin_nothing_new_and_go_on_later() {
    few("T13", 2);
}

#[test]
fn steps_outlive_connections_that_are_cut() {
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if is_root && std::path::Path::new("/usr/sbin/sshd").exists() {
        few("T5", 1);
    }
}

#[test]
fn journals_that_are_damaged_are_recovered_or_refused() {
    few("T3-flip", 1);
}

#[test]
fn of_two_runs_on_one_lock_one_wins() {
    few("T14", 4);
}
