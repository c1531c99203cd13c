//! Check mode and idempotence of every module, proved on real systems: a disposable Debian root
//! under dash, and a root that holds nothing but busybox.
//!
//! All cases of a root run in one playbook, three times: in check mode, which must leave the root
//! as it is and foretell each case; then to do it; then again, which must change nothing.
//! It needs root and namespaces; without them it says so and proves nothing.

mod case;
mod root;

use std::collections::{BTreeMap, BTreeSet};

use sasrun_endtoend::{Ended, Site};
use serde_json::Value;

use case::{Case, playbook};
use root::{Kind, Root};

/// Modules that never touch a host, so there is nothing to prove on one.
const CONTROLLER_ONLY: [&str; 15] = [
    "ansible.builtin.add_host",
    "ansible.builtin.assert",
    "ansible.builtin.debug",
    "ansible.builtin.fail",
    "ansible.builtin.fetch",
    "ansible.builtin.group_by",
    "ansible.builtin.include_vars",
    "ansible.builtin.meta",
    "ansible.builtin.pause",
    "ansible.builtin.set_fact",
    "ansible.builtin.set_stats",
    "ansible.builtin.validate_argument_spec",
    "gate",
    "ansible.builtin.async_status",
    "ansible.builtin.wait_for_connection",
];

/// Modules whose programs or kernel a disposable root does not have: they are proved as
/// conversations only, by the cases of their crate.
const CONVERSATIONS: [&str; 14] = [
    "ansible.builtin.apt_key",
    "ansible.builtin.dnf",
    "ansible.builtin.iptables",
    "ansible.builtin.pip",
    "ansible.builtin.reboot",
    "ansible.builtin.rpm_key",
    "ansible.builtin.systemd_service",
    "ansible.builtin.uri",
    "ansible.builtin.yum",
    "ansible.posix.firewalld",
    "community.general.modprobe",
    "community.general.npm",
    "community.general.ufw",
    "sasrun.builtin.jobs",
];

const CASES: [&str; 3] = [
    include_str!("../../proofs/files.yml"),
    include_str!("../../proofs/packages.yml"),
    include_str!("../../proofs/system.yml"),
];

fn cases() -> Vec<Case> {
    CASES
        .iter()
        .flat_map(|text| serde_yaml::from_str::<Vec<Case>>(text).unwrap())
        .collect()
}

#[test]
fn every_module_is_proved_or_named() {
    let site = Site::new();
    let ended = site.sasrun(&["doc"]);
    let known: BTreeSet<String> = ended
        .exits(0)
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.contains('.') || *word == "gate")
        .map(str::to_owned)
        .collect();
    assert!(known.len() > 40, "the modules were not listed: {known:?}");
    let proved: BTreeSet<String> = cases().into_iter().map(|case| case.module).collect();
    let named: BTreeSet<String> = CONTROLLER_ONLY
        .iter()
        .chain(&CONVERSATIONS)
        .map(|name| (*name).to_owned())
        .collect();
    let unproved: Vec<&String> = known
        .difference(&proved)
        .filter(|name| !named.contains(*name))
        .collect();
    assert!(
        unproved.is_empty(),
        "neither proved nor named: {unproved:?}"
    );
    let unknown: Vec<&String> = proved.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "proved, but there is no such module: {unknown:?}"
    );
    let both: Vec<&String> = proved.intersection(&named).collect();
    assert!(both.is_empty(), "proved and named as not proved: {both:?}");
}

#[test]
fn modules_keep_their_word_on_debian_under_dash() {
    prove(Kind::Debian);
}

#[test]
fn modules_keep_their_word_on_busybox() {
    prove(Kind::Busybox);
}

#[expect(clippy::print_stderr, reason = "what was not proved must be seen")]
fn prove(kind: Kind) {
    let Some(root) = Root::new(kind) else {
        eprintln!("left out, for there is no root or no namespaces here: {kind:?}");
        return;
    };
    let mut cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.is_for(kind))
        .collect();
    cases.retain(|case| {
        let lacks = case.needs.iter().find(|program| !root.has(program));
        if let Some(program) = lacks {
            eprintln!("left out, {program} is not here: {}", case.title);
        }
        lacks.is_none()
    });
    root.prepare(&cases);
    let play = playbook(&cases);
    let before = root.snapshot();
    let checked = told(&root.playbook(&play, &["--check", "--diff"]));
    let mut wrong = Vec::new();
    for path in root.differences(&before) {
        wrong.push(format!("check mode changed {path}"));
    }
    let done = told(&root.playbook(&play, &[]));
    for case in &cases {
        wrong.extend(case.judge_first(&checked, &done));
    }
    wrong.extend(root.failed_after(&cases));
    let after = root.snapshot();
    let steady: Vec<Case> = cases.iter().filter(|case| !case.again).cloned().collect();
    let again = told(&root.playbook(&playbook(&steady), &[]));
    for case in &steady {
        wrong.extend(case.judge_again(&again));
    }
    for path in root.differences(&after) {
        wrong.push(format!("the second run changed {path}"));
    }
    let modules: BTreeSet<&str> = cases.iter().map(|case| case.module.as_str()).collect();
    assert!(
        wrong.is_empty(),
        "{kind:?}: {} of {} cases of {} modules\n{}",
        wrong.len(),
        cases.len(),
        modules.len(),
        wrong.join("\n")
    );
    eprintln!(
        "{kind:?}: {} cases of {} modules hold",
        cases.len(),
        modules.len()
    );
}

/// What each task came to, by its name.
type Told = BTreeMap<String, Value>;

fn told(ended: &Ended) -> Told {
    let mut names = BTreeMap::new();
    let mut told = Told::new();
    for event in &ended.events {
        match event["event"].as_str() {
            Some("task_started") => {
                names.insert(event["task"].to_string(), event["name"].clone());
            }
            Some("host_finished") => {
                let name = &names[&event["id"]["task"].to_string()];
                told.insert(name.as_str().unwrap().to_owned(), event["outcome"].clone());
            }
            _ => {}
        }
    }
    assert!(!told.is_empty(), "{}", ended.said());
    told
}
