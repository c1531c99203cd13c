//! The installer's dialogue, and a whole upgrade of two cores by hand.

use saslab::lab::trial::Trial;

use crate::dialogue::{Ended, talk};
use crate::{deeds, events, lab, sh};

const OLD: &str = "/var/opt/opsware/install_opsware/resp/resp.20071130140511";
const SAS: &str = "/etc/init.d/opsware-sas";
const MENU: &str = "Selection: ";

/// Parameters of the simple interview, in their order; true for those that are asked twice.
const ASKED: [(&str, bool); 22] = [
    ("cast.admin_pwd", true),
    ("decrypt_passwd", true),
    ("truth.dcId", false),
    ("truth.dcNm", false),
    ("truth.dcSubDom", false),
    ("truth.gcPwd", true),
    ("truth.lcrepPwd", true),
    ("truth.aaPwd", true),
    ("truth.orahome", false),
    ("truth.pubViewsPwd", true),
    ("truth.servicename", false),
    ("truth.spinPwd", true),
    ("truth.aaaPwd", true),
    ("truth.truthPwd", true),
    ("truth.twistPwd", true),
    ("truth.vaultPwd", true),
    ("twist.buildmgr.passwd", true),
    ("twist.integration.passwd", true),
    ("truth.sid", false),
    ("truth.detuserpwd", true),
    ("windows_util_loc", false),
    ("cgw_address", false),
];

fn installer(file: &str) -> String {
    format!("cd / && /mnt/primary/disk001/opsware_installer/upgrade_opsware.sh -r {file}")
}

fn mounted(scenario: &str) -> Trial {
    let lab = lab(scenario);
    for host in ["s1", "d1"] {
        assert_eq!(
            sh(&lab, host, "mount -t iso9660 -o ro /dev/cdrom /mnt/primary").0,
            0
        );
    }
    lab
}

/// Goes through the interview; the file that was saved.
fn interview(lab: &Trial, host: &str, old: &str, kind: &str, separator: Option<&str>) -> String {
    let (_, text) = sh(lab, host, &format!("cat {old}"));
    let value = |name: &str| match separator {
        None => text
            .lines()
            .skip_while(|line| *line != format!("%{name}"))
            .nth(1)
            .unwrap()
            .to_owned(),
        Some(separator) => text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}{separator}")))
            .unwrap()
            .to_owned(),
    };
    let choice = "or 'q' to quit: ";
    let mut answers = vec![(choice, kind.to_owned()), (choice, "1".to_owned())];
    for (name, is_secret) in ASKED {
        answers.push((": ", value(name)));
        if is_secret {
            answers.push(("Re-enter the password: ", value(name)));
        }
    }
    answers.extend([
        ("(y/n): ", "y".to_owned()),
        ("]: ", String::new()),
        ("(y/n): ", "n".to_owned()),
    ]);
    let answers: Vec<_> = answers
        .iter()
        .map(|(prompt, answer)| (*prompt, answer.as_str()))
        .collect();
    let ended = talk(lab, host, &installer(old), &answers);
    assert_eq!(
        (ended.status, ended.unasked.len()),
        (Some(0), 0),
        "{}",
        ended.screen
    );
    let saved = events(lab, "installer.response_saved").pop().unwrap();
    assert_eq!(
        saved.details["differs_from_truth"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    saved.details["file"].as_str().unwrap().to_owned()
}

/// A response file that needs no interview.
fn prepared(lab: &Trial, host: &str) -> String {
    let (status, _) = sh(
        lab,
        host,
        &format!("sed s/opsware_32.f/opsware_32.g/ {OLD} > /root/resp.new"),
    );
    assert_eq!(status, 0);
    "/root/resp.new".to_owned()
}

fn number_of(screen: &str, label: &str) -> String {
    let line = screen
        .lines()
        .find(|line| line.contains(&format!(") {label}")))
        .unwrap_or_else(|| panic!("{screen}"));
    line.split(' ').next().unwrap().to_owned()
}

fn upgrade(lab: &Trial, host: &str, command: &str, label: &str, confirms: bool) -> Ended {
    let seen = talk(lab, host, command, &[(MENU, "q")]);
    assert_eq!(seen.status, Some(2), "{}", seen.screen);
    let number = number_of(&seen.screen, label);
    let mut answers = vec![(MENU, number.as_str()), (MENU, "c")];
    if confirms {
        answers.push(("correct? (y/n): ", "y"));
    }
    talk(lab, host, command, &answers)
}

#[test]
fn calls_that_could_do_harm_are_refused() {
    let lab = mounted("");
    let script = "/mnt/primary/disk001/opsware_installer/upgrade_opsware.sh";
    let table = [
        (format!("cd /root && {script} -r {OLD}"), "directory /"),
        (format!("cd / && {script} -r resp"), "absolute"),
        (format!("cd / && {script}"), "usage"),
        (format!("cd / && {script} -r /nowhere"), "cannot read"),
        (format!("cd / && {script} -r {OLD}"), "no terminal"),
    ];
    for (command, cause) in table {
        let (status, text) = sh(&lab, "s1", &command);
        assert!(
            status == 2 && text.contains(cause),
            "{command}: {status} {text}"
        );
    }
}

#[test]
fn conflicts_abort_before_anything_else() {
    let lab = mounted("cores: {source: {oracle: {conflicts: 2}}}\n");
    let ended = talk(&lab, "s1", &installer(OLD), &[]);
    assert_eq!(ended.status, Some(2));
    assert!(ended.screen.contains(
        "Verifying no conflicts exist in DB \"s_truth\": FAILURE\n(multiple rows selected)"
    ));
    assert!(
        ended.screen.ends_with("Upgrade aborted.\n"),
        "{}",
        ended.screen
    );
}

#[test]
fn a_wrong_kind_of_installation_is_refused() {
    let lab = mounted("");
    let ended = talk(&lab, "s1", &installer(OLD), &[("quit: ", "4")]);
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.screen.contains("does not fit this core"),
        "{}",
        ended.screen
    );
}

#[test]
fn endings_are_staged() {
    let table = [
        ("failure", 1, "FAILURE"),
        ("failure_status_zero", 0, "FAILURE"),
        ("success_status_one", 1, "SUCCESS"),
        ("killed", 137, "Unpack \"packages\": SUCCESS"),
        ("disk_full", 1, "No space left on device"),
    ];
    for (outcome, status, text) in table {
        let lab = mounted(&format!(
            "hosts: {{s1: {{installer: {{outcome: {{media: {outcome}}}, menu: {{order: [media]}}}}}}}}\n"
        ));
        let file = prepared(&lab, "s1");
        let command = format!("{}; exit $?", installer(&file));
        let ended = talk(&lab, "s1", &command, &[(MENU, "1"), (MENU, "c")]);
        assert_eq!(ended.status, Some(status), "{outcome}: {}", ended.screen);
        assert!(ended.screen.contains(text), "{outcome}: {}", ended.screen);
        let upgraded = sh(&lab, "s1", "rpm -q OPSWmedia").1.contains("32.g");
        assert_eq!(upgraded, outcome == "success_status_one", "{outcome}");
    }
}

#[test]
fn a_second_installer_on_a_host_is_refused() {
    let lab = mounted("");
    let file = prepared(&lab, "s1");
    let (status, text) = sh(
        &lab,
        "s1",
        &format!(
            "flock /.lab/scratch/installer.lock sh -c '{}'",
            installer(&file)
        ),
    );
    assert!(
        status == 2 && text.contains("another installer is running"),
        "{text}"
    );
}

#[test]
fn the_menu_looks_as_staged_and_an_unknown_question_is_asked() {
    let lab = mounted(
        "every_host:\n  installer:\n    unknown_question: {before: boot, text: \"Go ahead? [y/N]\"}\n    menu:\n      \
         order: [boot, word]\n      first_number: 3\n      verb: install\n      colour: true\n      \
         closing_line: false\n      omit: [smb, media]\n      all_marked: true\n",
    );
    let file = prepared(&lab, "s1");
    let answers = [
        (MENU, "n"),
        (MENU, "3"),
        (MENU, "c"),
        ("Go ahead? [y/N] ", "n"),
    ];
    let ended = talk(&lab, "s1", &installer(&file), &answers);
    assert_eq!(
        (ended.status, ended.unasked.len()),
        (Some(2), 0),
        "{}",
        ended.screen
    );
    assert!(ended.screen.contains(
        "3 (\u{1b}[1;32m*\u{1b}[0m) \u{1b}[1;32mOS Provisioning Boot Server\u{1b}[0m\n4 ("
    ));
    assert!(!ended.screen.contains("When ready") && !ended.screen.contains("Media Server"));
    let asked = events(&lab, "installer.unknown_question");
    assert_eq!(asked[0].details["answered"], "n");
}

#[test]
fn content_times_out_as_often_as_staged() {
    let lab = mounted("hosts: {s1: {content: {timeouts: 1}}}\n");
    let file = prepared(&lab, "s1");
    assert_eq!(
        sh(&lab, "s1", "mount -o ro,loop /depot/upload.iso /mnt/upload").0,
        0
    );
    let command = format!("cd / && /mnt/upload/opsware_installer/upgrade_opsware.sh -r {file}");
    let answers = [(MENU, "1"), (MENU, "c")];
    let ended = talk(&lab, "s1", &command, &answers);
    assert!(
        ended.status == Some(1) && ended.screen.contains("communication timeout"),
        "{}",
        ended.screen
    );
    assert_eq!(talk(&lab, "s1", &command, &answers).status, Some(0));
    assert_eq!(
        sh(&lab, "s1", "rpm -q OPSWcontent").1,
        "OPSWcontent-32.g-0\n"
    );
}

#[test]
fn two_cores_are_upgraded_by_hand_without_a_conflict() {
    let lab = mounted("");
    let source = interview(&lab, "s1", OLD, "2", None);
    let other = interview(
        &lab,
        "d1",
        "/var/opt/opsware/install_opsware/resp/resp.1196431511",
        "4",
        Some(": "),
    );
    for host in ["s1", "d1"] {
        assert_eq!(
            sh(
                &lab,
                host,
                &format!("{SAS} stop && {SAS} start opswgw-cgw0")
            )
            .0,
            0
        );
        assert_eq!(
            sh(&lab, host, "umount /var/opt/opsware/ogfs/mnt/audit").0,
            0
        );
    }
    let step = |host: &str, label: &str| {
        let file = if host == "s1" { &source } else { &other };
        let confirms = host == "s1" && label.starts_with("Model Repository (truth)");
        let ended = upgrade(&lab, host, &installer(file), label, confirms);
        assert_eq!(ended.status, Some(0), "{host} {label}: {}", ended.screen);
    };
    let labels = [
        "Model Repository (truth)",
        "Data Access Engine",
        "Model Repository Multimaster Component (vault)",
        "Command Engine",
        "Software Repository (word)",
        "Opsware Global Filesystem",
        "Opsware Command Center",
        "OS Provisioning Media Server",
        "OS Provisioning Build Scripts",
        "Opsware Gateway",
        "OS Provisioning Boot Server",
    ];
    step("d1", labels[0]);
    assert_eq!(
        sh(
            &lab,
            "d1",
            &format!("{SAS} start rvrdscript vaultdaemon && {SAS} stop spin")
        )
        .0,
        0
    );
    labels.iter().for_each(|label| step("s1", label));
    let drained = "n=0; while [ $n -lt 300 ] && /opt/opsware/oi_util/curl/bin/curl -s -k \
        -E /var/opt/opsware/crypto/spin/spin.srv https://spin:1004/mesh_state | grep yellow >/dev/null; \
        do sleep 0.05; n=`expr $n + 1`; done; [ $n -lt 300 ]";
    assert_eq!(sh(&lab, "s1", drained).0, 0);
    labels.iter().skip(1).for_each(|label| step("d1", label));
    for host in ["s1", "d1"] {
        assert_eq!(sh(&lab, host, &format!("{SAS} status")).0, 0, "{host}");
        let (_, packages) = sh(&lab, host, "rpm -qa | grep -v 32.g | grep -v agent");
        assert!(
            packages
                .lines()
                .all(|line| line.contains("content") || line.contains("stage2")),
            "{packages}"
        );
        assert!(
            sh(&lab, host, "mount")
                .1
                .contains("ogfs/mnt/audit type nfs"),
            "{host}"
        );
    }
    assert!(events(&lab, "traffic.conflict").is_empty());
    let published: u64 = events(&lab, "traffic.published")
        .iter()
        .map(|event| event.details["count"].as_u64().unwrap())
        .sum();
    assert_eq!(published, 5000);
}

#[test]
fn a_destination_that_starts_too_early_makes_conflicts() {
    let lab = mounted("mesh: {traffic: {pending: 4000, per_minute: 1}}\n");
    sh(&lab, "d1", &format!("{SAS} stop waybot"));
    assert!(events(&lab, "traffic.conflict").is_empty());
    sh(&lab, "d1", &format!("{SAS} start waybot"));
    let conflicts = events(&lab, "traffic.conflict");
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].details["core"], "other");
    assert!(deeds(&lab).contains(&"service.start".to_owned()));
}
