//! One run at a time on a mesh: who loses is told who won; what was left behind is not broken.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use sasrun_endtoend::{Ended, Site};

/// A host that two controllers share; it stands for one that both log in to.
struct Shared {
    name: String,
}

impl Shared {
    fn new(test: &str) -> Self {
        let name = format!("test-{test}-{}", std::process::id());
        Self { name }
    }

    fn folder(&self) -> std::path::PathBuf {
        format!("/var/tmp/sasrun-lock-{}", self.name).into()
    }

    /// A controller with files of its own, whose inventory names the lock.
    fn controller(&self) -> Site {
        let site = Site::new();
        let inventory = format!(
            "all:\n  hosts:\n    keeper:\n      ansible_connection: local\n  vars:\n    \
             sasrun_lock: {}\n    sasrun_lock_hosts: [keeper]\n",
            self.name
        );
        site.file("hosts.yml", &inventory);
        let play = "- hosts: keeper\n  gather_facts: false\n  tasks:\n    \
                    - file: {path: begun, state: touch}\n    \
                    - wait_for: {path: '{{ playbook_dir }}/go', timeout: 30}\n    \
                    - shell: echo done >>ledger\n";
        site.file(
            "play.yml",
            &play.replace("path: begun", "path: '{{ playbook_dir }}/begun'"),
        );
        site
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.folder());
    }
}

fn start(site: &Site) -> Child {
    let mut command = site.command();
    command.args(["playbook", "-i", "hosts.yml", "play.yml"]);
    let said = fs::File::create(site.path("said")).unwrap();
    command
        .stderr(said.try_clone().unwrap())
        .stdout(Stdio::from(said));
    command.spawn().unwrap()
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{what}: not so in 30 s"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn try_to_run(site: &Site) -> Ended {
    site.sasrun(&["playbook", "-i", "hosts.yml", "play.yml"])
}

#[test]
fn the_second_run_is_refused_and_told_by_whom_then_may_begin() {
    let shared = Shared::new("second");
    let first = shared.controller();
    let mut child = start(&first);
    wait("the first begins", || first.path("begun").exists());
    // From the same controller: its own lock says so, before any host is asked.
    let refused = try_to_run(&first);
    refused
        .exits(5)
        .says(&format!("the lock \"{}\" is held by run ", shared.name))
        .says("of tester on ")
        .says("playbook play.yml")
        .says("it is at work");
    // From one with which it shares no files: the host says so.
    let second = shared.controller();
    try_to_run(&second)
        .exits(5)
        .says("is held on keeper by run ")
        .says("of tester on ");
    assert!(!second.path("begun").exists());
    // Predicting needs no lock.
    second.file("go", "");
    let check = second.sasrun(&["playbook", "-i", "hosts.yml", "play.yml", "--check"]);
    assert_ne!(check.code, Some(5), "{}", check.said());
    first.sasrun(&["unlock"]).exits(0).says("at work");
    first.file("go", "");
    assert_eq!(
        child.wait().unwrap().code(),
        Some(0),
        "{}",
        first.read("said")
    );
    assert!(!shared.folder().exists());
    second.file("go", "");
    try_to_run(&second).exits(0);
    assert!(!shared.folder().exists());
    second.sasrun(&["verify"]).exits(0);
}

#[test]
fn of_two_that_begin_at_once_one_wins() {
    let shared = Shared::new("race");
    let sites = [shared.controller(), shared.controller()];
    for round in 0..3 {
        for site in &sites {
            let _ = fs::remove_file(site.path("go"));
            let _ = fs::remove_file(site.path("ledger"));
        }
        let mut children: Vec<Child> = sites.iter().map(start).collect();
        let mut loser = None;
        wait("one of them loses", || {
            loser = children
                .iter_mut()
                .position(|child| child.try_wait().unwrap().is_some());
            loser.is_some()
        });
        let loser = loser.unwrap();
        let winner = 1 - loser;
        sites[winner].file("go", "");
        let codes: Vec<_> = children
            .iter_mut()
            .map(|child| child.wait().unwrap().code())
            .collect();
        let said = sites[loser].read("said");
        assert_eq!(codes[loser], Some(5), "round {round}: {said}");
        assert_eq!(
            codes[winner],
            Some(0),
            "round {round}: {}",
            sites[winner].read("said")
        );
        assert!(said.contains("is held on keeper by run "), "{said}");
        assert_eq!(sites[winner].read("ledger").lines().count(), 1);
        assert_eq!(sites[loser].read("ledger"), "");
    }
}

#[test]
fn what_was_left_behind_is_told_given_back_by_name_or_taken_over_by_its_run() {
    let shared = Shared::new("stale");
    let site = shared.controller();
    let cut_off = || {
        let _ = fs::remove_file(site.path("begun"));
        let mut child = start(&site);
        wait("it begins", || site.path("begun").exists());
        child.kill().unwrap();
        child.wait().unwrap();
        let runs = fs::read_dir(site.path("state/runs")).unwrap();
        let mut ids: Vec<String> = runs
            .map(|run| run.unwrap().file_name().into_string().unwrap())
            .collect();
        ids.sort();
        ids.pop().unwrap()
    };
    let run = cut_off();
    let refused = try_to_run(&site).exits(5).said();
    assert_eq!(
        refused.matches("its process is gone").count(),
        1,
        "{refused}"
    );
    try_to_run(&site)
        .exits(5)
        .says("its process is gone")
        .says(&format!("sasrun resume {run}"))
        .says(&format!("sasrun unlock {run}"));
    site.sasrun(&["unlock", "20200101-000000-abcdef", "-i", "hosts.yml"])
        .exits(3);
    site.sasrun(&["unlock", &run, "-i", "hosts.yml"])
        .exits(0)
        .says("keeper: given back")
        .says("controller: the lock");
    assert!(!shared.folder().exists());

    let run = cut_off();
    assert!(shared.folder().join("owner").exists());
    site.file("go", "");
    site.sasrun(&["resume", &run]).exits(0);
    assert_eq!(site.read("ledger").lines().count(), 1);
    assert!(!shared.folder().exists());
    site.sasrun(&["unlock"])
        .exits(0)
        .says("no locks are held here");
}
