//! `opsware-sas` and the processes behind it.

use crate::{deeds, events, lab, sh};

const SAS: &str = "/etc/init.d/opsware-sas";

#[test]
fn a_healthy_host_runs_everything_and_looking_changes_nothing() {
    let lab = lab("");
    let (status, text) = sh(&lab, "s1", &format!("{SAS} status"));
    assert_eq!(status, 0, "{text}");
    assert_eq!(text.lines().count(), 18);
    assert!(
        text.lines().all(|line| line.ends_with(" running: SUCCESS")),
        "{text}"
    );
    let (_, list) = sh(&lab, "s1", &format!("{SAS} list"));
    assert!(
        list.starts_with("opswgw-cgw0-S\nopswgw-agw0-S\n") && list.ends_with("opsware-agent\n"),
        "{list}"
    );
    let (_, processes) = sh(&lab, "s1", "ps -ef");
    assert!(
        processes.contains("[opswgw-watchdog-2.1.1: cgw0-S] --PropertiesFile"),
        "{processes}"
    );
    assert!(
        processes.contains("[opswgw-gateway-2.1.1: cgw0-S]"),
        "{processes}"
    );
    assert_eq!(deeds(&lab), Vec::<String>::new());
}

#[test]
fn stop_and_start_do_what_they_say_and_refuse_what_they_do_not_know() {
    let lab = lab("");
    let (status, text) = sh(&lab, "s1", &format!("{SAS} stop nonsense waybot"));
    assert_eq!(
        (status, text.as_str()),
        (1, "opsware-sas: unknown component \"nonsense\"\n")
    );
    assert_eq!(deeds(&lab), Vec::<String>::new());
    assert_eq!(sh(&lab, "s1", &format!("{SAS} stop")).0, 0);
    let (status, text) = sh(
        &lab,
        "s1",
        &format!("{SAS} status; ps -ef | grep -c '/opt/opsware'"),
    );
    assert!(status == 0 && !text.contains("SUCCESS"), "{text}");
    let (_, oracle) = sh(&lab, "s1", "/etc/init.d/opsware-oracle status");
    assert_eq!(oracle, "Oracle is running\n");
    let (status, text) = sh(&lab, "s1", &format!("{SAS} start opswgw-cgw0"));
    assert_eq!(
        (status, text.as_str()),
        (0, "Start \"opswgw-cgw0-S\": SUCCESS\n")
    );
    let (status, text) = sh(&lab, "s1", &format!("{SAS} start mm_wordbot"));
    assert_eq!(status, 1);
    assert_eq!(
        text,
        "Start \"mm_wordbot\": FAILURE (prerequisite \"spin\" port 1004 not listening)\n"
    );
    assert_eq!(sh(&lab, "s1", &format!("{SAS} startsync")).0, 0);
    assert_eq!(sh(&lab, "s1", &format!("{SAS} status")).0, 0);
}

#[test]
fn a_dead_gateway_is_started_again_by_its_watchdog() {
    let lab = lab("");
    let pid = "ps -ef | grep '[o]pswgw-gateway-2.1.1: cgw0' | awk '{print $2}'";
    let (_, before) = sh(&lab, "s1", pid);
    sh(&lab, "s1", &format!("kill -9 `{pid}`"));
    let again = format!(
        "n=0; while [ $n -lt 100 ] && [ -z \"`{pid}`\" ]; do sleep 0.05; n=`expr $n + 1`; done; {pid}"
    );
    let (_, after) = sh(&lab, "s1", &again);
    assert!(
        !after.trim().is_empty() && after != before,
        "{before} {after}"
    );
}

#[test]
fn faults_of_services_are_staged() {
    let lab = lab(
        "hosts:\n  s1:\n    transport: rvrdscrip\n    services:\n      smb: {refuses_stop: true}\n      \
         waybot: {status_says: stopped}\n      dhcpd: {down: true, status_says: running}\n      \
         opswgw-agw0: {no_port: true}\n  d1:\n    transport: neither\n",
    );
    let (status, text) = sh(&lab, "s1", &format!("{SAS} stop smb"));
    assert_eq!(status, 1);
    assert!(
        text.starts_with("Stop \"smb\": FAILURE (process "),
        "{text}"
    );
    assert_eq!(sh(&lab, "s1", "ps -ef | grep '[s]mbd'").0, 0);
    let (_, text) = sh(&lab, "s1", &format!("{SAS} status waybot dhcpd"));
    assert_eq!(
        text,
        "Verify \"dhcpd\" running: SUCCESS\nVerify \"waybot\" running: FAILURE (process not running)\n"
    );
    assert_eq!(sh(&lab, "s1", "ps -ef | grep '[w]aybot'").0, 0);
    assert_eq!(sh(&lab, "s1", "ps -ef | grep '[d]hcpd -cf'").0, 1);
    let (_, ports) = sh(&lab, "s1", "netstat -an");
    assert!(
        ports.contains(":2001 ") && !ports.contains(":3001 "),
        "{ports}"
    );
    assert!(
        sh(&lab, "s1", &format!("{SAS} list"))
            .1
            .contains("rvrdscrip\n")
    );
    assert!(!sh(&lab, "d1", &format!("{SAS} list")).1.contains("rvrd"));
}

#[test]
fn every_change_is_in_the_log_with_who_asked() {
    let lab = lab("");
    sh(&lab, "s1", &format!("{SAS} restart smb"));
    let stop = events(&lab, "service.stop");
    let start = events(&lab, "service.start");
    assert_eq!((stop.len(), start.len()), (1, 1));
    assert_eq!(start[0].details["service"], "smb");
    assert_eq!(start[0].details["by"], "opsware-sas");
    let call = events(&lab, "opsware-sas.restart");
    assert_eq!(call.len(), 2);
    assert_eq!(call[1].details["status"], 0);
}

#[test]
fn a_gateway_refuses_broken_properties() {
    let lab = lab("");
    let file = "/etc/opt/opsware/opswgw-agw0-S/opswgw.properties";
    sh(
        &lab,
        "s1",
        &format!("{SAS} stop opswgw-agw0; echo nonsense >> {file}"),
    );
    let (status, text) = sh(&lab, "s1", &format!("{SAS} start opswgw-agw0"));
    assert_eq!(status, 1);
    assert!(text.contains("syntax error"), "{text}");
}

#[test]
fn a_fault_holds_from_its_point_in_the_log_on() {
    let lab = lab(
        "hosts:\n  s1:\n    services:\n      vaultdaemon: {dies: true, from: {event: service.stop, count: 1}}\n      \
         smb: {refuses_stop: true, from: {event: service.stop, count: 2}}\n",
    );
    assert_eq!(sh(&lab, "s1", &format!("{SAS} status")).0, 0);
    assert_eq!(sh(&lab, "s1", &format!("{SAS} stop dhcpd")).0, 0);
    let gone = format!(
        "n=0; while {SAS} status vaultdaemon && [ $n -lt 100 ]; do sleep 0.05; n=`expr $n + 1`; done"
    );
    sh(&lab, "s1", &gone);
    assert_eq!(sh(&lab, "s1", &format!("{SAS} status vaultdaemon")).0, 1);
    assert_eq!(sh(&lab, "s1", &format!("{SAS} stop waybot smb")).0, 0);
    assert_eq!(
        sh(&lab, "s1", &format!("{SAS} start smb && {SAS} stop smb")).0,
        1
    );
}

#[test]
fn a_boot_goes_on_without_a_service_that_fails() {
    let lab = lab("hosts:\n  s1:\n    services:\n      smb: {start_fails: no room}\n");
    let boots = events(&lab, "host.boot");
    let boot = boots.iter().find(|event| event.host == "s1").unwrap();
    let lame = boot.details["lame"].as_array().unwrap();
    assert_eq!(lame.len(), 1, "{lame:?}");
    assert!(lame[0].as_str().unwrap().starts_with("smb: no room"));
    let services = boot.details["services"].as_array().unwrap();
    assert!(!services.contains(&"smb".into()), "{services:?}");
    assert!(services.contains(&"opsware-agent".into()), "{services:?}");
}
