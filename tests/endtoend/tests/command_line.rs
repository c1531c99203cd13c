//! Flags, exit codes and where output goes.

use std::io::Read;
use std::process::Stdio;

use sasrun_endtoend::Site;

const HOSTS: &str = "all: {vars: {ansible_connection: local}, hosts: {h1: {}, h2: {}}}\n";

fn site(play: &str) -> Site {
    let site = Site::new();
    site.file("hosts.yml", HOSTS).file("play.yml", play);
    site
}

const FINE: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: echo fine\n      changed_when: false\n    - command: echo left out\n      when: false\n";

#[test]
fn each_exit_code_has_its_meaning() {
    let usage: [&[&str]; 5] = [
        &["playbook"],
        &["playbook", "play.yml", "--no-such-flag"],
        &["no-such-command"],
        &["playbook", "nowhere.yml", "-i", "hosts.yml"],
        &["playbook", "play.yml", "-i", "nowhere.yml"],
    ];
    let fine = site(FINE);
    for arguments in usage {
        let ended = fine.sasrun(arguments);
        assert_eq!(ended.code, Some(3), "{arguments:?}\n{}", ended.said());
        assert!(!ended.stderr.is_empty(), "{arguments:?} says nothing");
    }
    fine.sasrun(&["--help"]).exits(0);
    fine.sasrun(&["--version"]).exits(0).says("sasrun 0.");
    fine.playbook(&["play.yml", "-i", "hosts.yml"]).exits(0);
    let failing = site("- hosts: h1\n  gather_facts: false\n  tasks:\n    - command: 'false'\n");
    failing
        .playbook(&["play.yml", "-i", "hosts.yml"])
        .exits(2)
        .says("exit 2");
    let lost = "h9 ansible_host=127.0.0.1 ansible_port=1 ansible_user=nobody\n";
    failing.file("lost.ini", lost);
    failing.file(
        "lost.yml",
        "- hosts: h9\n  gather_facts: false\n  tasks:\n    - ping:\n",
    );
    failing
        .playbook(&["lost.yml", "-i", "lost.ini"])
        .exits(4)
        .says("UNREACHABLE");
    let both = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: 'false'\n";
    failing.file("both.yml", both);
    failing
        .playbook(&["both.yml", "-i", "lost.ini", "-i", "hosts.yml"])
        .exits(2);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut play = String::from("- hosts: all\n  gather_facts: false\n  tasks:\n");
    for number in 0..200 {
        play.push_str(&format!(
            "    - debug: {{msg: \"line {number} of many that nobody reads\"}}\n"
        ));
    }
    let site = site(&play);
    for arguments in [
        &["playbook", "play.yml", "-i", "hosts.yml"][..],
        &["playbook", "play.yml", "-i", "hosts.yml", "--list-tasks"],
        &["doc"],
        &["doc", "copy"],
        &["inventory", "-i", "hosts.yml", "--list"],
        &["--help"],
    ] {
        let mut command = site.command();
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Read a little, then close, as `head` does.
        let mut stdout = child.stdout.take().unwrap();
        let mut few = [0_u8; 16];
        let _ = stdout.read(&mut few).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{arguments:?}\n{stderr}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{stderr}");
    }
}

#[test]
fn what_is_piped_is_plain_and_colours_can_be_asked_for() {
    let site = site(FINE);
    let plain = site.playbook(&["play.yml", "-i", "hosts.yml"]);
    plain.exits(0);
    assert!(
        !plain.stdout.contains('\u{1b}') && !plain.stdout.contains('\r'),
        "{}",
        plain.said()
    );
    let coloured = site.playbook(&["play.yml", "-i", "hosts.yml", "--color", "always"]);
    assert!(coloured.stdout.contains('\u{1b}'), "{}", coloured.said());
}

#[test]
fn verbosity_shows_more_step_by_step() {
    let site = site(FINE);
    let quiet = site.playbook(&["play.yml", "-i", "hosts.yml"]);
    quiet
        .exits(0)
        .never_says("\"stdout\"")
        .says("skipping: [h1]");
    let hidden = site.playbook(&["play.yml", "-i", "hosts.yml", "--hide-skipped"]);
    hidden.exits(0).never_says("skipping");
    site.playbook(&["play.yml", "-i", "hosts.yml", "-v"])
        .says("\"stdout\"")
        .never_says("task path");
    site.playbook(&["play.yml", "-i", "hosts.yml", "-vv"])
        .says("task path")
        .never_says("module_args");
    site.playbook(&["play.yml", "-i", "hosts.yml", "-vvv"])
        .says("module_args");
    site.playbook(&["play.yml", "-i", "hosts.yml", "-vvvv"])
        .exits(0);
}

#[test]
fn events_are_lines_of_json_in_order_from_start_to_finish() {
    let site = site(FINE);
    let ended = site.playbook(&["play.yml", "-i", "hosts.yml"]);
    let numbers: Vec<u64> = ended
        .events
        .iter()
        .map(|event| event["sequence"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
    let text = |index: usize| ended.events[index].to_string();
    assert!(text(0).contains("run_started"), "{}", text(0));
    let last = text(ended.events.len() - 1);
    assert!(last.contains("run_finished"), "{last}");
    let arguments = [
        "playbook",
        "play.yml",
        "-i",
        "hosts.yml",
        "--events",
        "/nowhere/at/all",
    ];
    let refused = site.sasrun(&arguments);
    refused.never_says("PLAY");
    assert_ne!(refused.code, Some(0));
}

#[test]
fn inventories_are_shown_and_scripts_are_run() {
    let site = site(FINE);
    let script = "#!/bin/sh\necho '{\"g\": {\"hosts\": [\"s1\"], \"vars\": {\"x\": 1}}, \"_meta\": {\"hostvars\": {\"s1\": {\"y\": 2}}}}'\n";
    site.executable("script.sh", script);
    site.executable("broken.sh", "#!/bin/sh\necho no database >&2\nexit 4\n");
    site.sasrun(&["inventory", "-i", "script.sh", "--graph"])
        .exits(0)
        .says("--s1");
    site.sasrun(&["inventory", "-i", "script.sh", "--host", "s1"])
        .exits(0)
        .says("\"y\": 2");
    site.sasrun(&["inventory", "-i", "broken.sh", "--list"])
        .exits(3)
        .says("no database");
    site.sasrun(&["inventory", "-i", "hosts.yml", "--host", "nobody"])
        .exits(3);
}
