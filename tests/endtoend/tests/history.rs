//! The record of runs: what is kept, shown, proved whole, and what happens when it cannot be kept.

use std::fs;
use std::path::PathBuf;

use sasrun_endtoend::{Ended, Site};

/// Three tasks, of which the second has a secret and the third fails.
const PLAY: &str = "
- hosts: all
  connection: local
  gather_facts: false
  vars_prompt: []
  tasks:
    - name: greet
      command: echo hello {{ inventory_hostname }}
    - name: hide
      command: echo nobody sees this
      no_log: true
    - name: fail
      command: 'false'
";

fn site() -> Site {
    let site = Site::new();
    site.file("play.yml", PLAY);
    site
}

fn run(site: &Site) -> Ended {
    site.playbook(&["-i", "one,two", "play.yml"])
}

/// Paths of the journals that were kept.
fn journals(site: &Site) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(site.path("state/runs"))
        .map(|runs| {
            runs.map(|run| run.unwrap().path().join("journal"))
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    found
}

#[test]
fn a_run_is_listed_shown_and_proved_whole() {
    let site = site();
    let ended = run(&site);
    ended.exits(2);
    site.sasrun(&["runs"])
        .exits(0)
        .says("failed")
        .says("apply")
        .says("play.yml");
    let shown = site.sasrun(&["show", "last"]);
    shown
        .exits(0)
        .says("playbook -i one,two play.yml")
        .says("state      failed, exit code 2");
    // The report is the one that was drawn when it ran.
    let report = |text: &str| {
        let from = text.find("PLAY [").unwrap();
        text[from..].trim_end().to_owned()
    };
    assert_eq!(report(&shown.stdout), report(&ended.stdout));
    site.sasrun(&["show", "-v"])
        .exits(0)
        .says("hello one")
        .never_says("nobody sees this");
    site.sasrun(&["verify"])
        .exits(0)
        .says("every hash fits, every event stands in order")
        .says("inputs     1, each");
    let journal = fs::read(&journals(&site)[0]).unwrap();
    let journal = String::from_utf8(journal).unwrap();
    assert!(!journal.contains("nobody sees this") && journal.contains("hello one"));
}

#[test]
fn a_run_is_named_by_its_beginning_and_others_are_refused() {
    let site = site();
    site.sasrun(&["show", "last"])
        .exits(3)
        .says("no runs are kept");
    run(&site);
    let id = journals(&site)[0].parent().unwrap().to_owned();
    let id = id.file_name().unwrap().to_str().unwrap();
    site.sasrun(&["show", &id[..17]]).exits(0).says(id);
    site.sasrun(&["show", "1999"])
        .exits(3)
        .says("no run is called \"1999\"")
        .says(id);
}

#[test]
fn damage_is_named_by_its_place_and_a_torn_end_is_normal() {
    let site = site();
    run(&site);
    let path = &journals(&site)[0];
    let whole = fs::read(path).unwrap();
    fs::write(path, &whole[..whole.len() - 3]).unwrap();
    site.sasrun(&["verify"]).exits(0).says("is cut short");
    site.sasrun(&["runs"]).exits(0).says("interrupted");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    fs::write(path, flipped).unwrap();
    site.sasrun(&["verify"])
        .exits(2)
        .says("is damaged at byte ");
    site.sasrun(&["runs"]).exits(0).says("damaged");
    let newer = String::from_utf8(whole)
        .unwrap()
        .replacen("journal 1", "journal 9", 1);
    fs::write(path, newer).unwrap();
    site.sasrun(&["verify"])
        .exits(3)
        .says("a journal of format 9");
}

#[test]
fn without_a_journal_nothing_is_kept() {
    let site = site();
    site.playbook(&["-i", "one,", "play.yml", "--no-journal"])
        .exits(2);
    assert_eq!(journals(&site), Vec::<PathBuf>::new());
    site.sasrun(&["runs"]).exits(0).says("no runs are kept");
}

#[test]
fn a_journal_that_cannot_be_written_ends_the_run_before_the_next_step() {
    let steps = 6;
    let mut play =
        "- hosts: all\n  connection: local\n  gather_facts: false\n  tasks:\n".to_owned();
    for step in 0..steps {
        play.push_str(&format!("    - shell: echo {step} >>ledger\n"));
    }
    let site = Site::new();
    site.file("play.yml", &play);
    let mut ends = Vec::new();
    for limit in 1..=40 {
        let _ = fs::remove_file(site.path("ledger"));
        let _ = fs::remove_dir_all(site.path("state"));
        let program = site.command();
        // A limit on the length of files stands for a full disk; each unit is 512 bytes.
        let mut command = site.command_of("/bin/sh".as_ref());
        command.arg("-c").arg(format!(
            "trap '' XFSZ; ulimit -f {limit}; exec '{}' playbook -i one, play.yml",
            program.get_program().to_str().unwrap()
        ));
        let ended = site.end(command, b"");
        let done = site.read("ledger").lines().count();
        if ended.code == Some(0) {
            assert_eq!(done, steps);
            break;
        }
        ended.exits(6).says("state/runs").says("journal");
        // What was done is on record as begun: the record never lags behind the host.
        if let Some(journal) = journals(&site).first() {
            let begun = fs::read_to_string(journal).unwrap_or_default();
            let begun = begun.matches("\"event\":\"host_started\"").count();
            assert!(begun >= done, "{begun} begun, {done} done at {limit}");
        }
        ends.push(done);
    }
    assert!(ends.len() > 5 && ends.is_sorted(), "{ends:?}");
    assert!(
        ends.first() == Some(&0) && ends.last() > Some(&2),
        "{ends:?}"
    );
}
