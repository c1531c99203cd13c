//! SQL*Plus, accounts and their counters.

use saslab::lab::trial::Trial;

use crate::{events, lab, sh};

const NOT_A_SECRET: &str = "surely-wrong";

fn password(lab: &Trial, parameter: &str) -> String {
    let (_, text) = sh(
        lab,
        "s1",
        "cat /var/opt/opsware/install_opsware/resp/resp.20071130140511",
    );
    let mut lines = text.lines();
    lines.find(|line| *line == format!("%{parameter}")).unwrap();
    lines.next().unwrap().to_owned()
}

/// One logon as the runner makes it: everything on standard input.
fn log_on(lab: &Trial, user: &str, password: &str) -> (u32, String) {
    let script = format!(
        "set define off\nset heading off\nwhenever sqlerror exit sql.sqlcode\n\
         connect {user}/\"{password}\"@s_truth\nselect 'LOGIN-'||'OK' from dual;\nexit\n"
    );
    let command = "su - oracle -c '$ORACLE_HOME/bin/sqlplus -S -L /nolog'";
    let output = saslab::ssh::client::exec(&lab.state, "s1", command, script.as_bytes()).unwrap();
    (output.status.unwrap(), output.text())
}

#[test]
fn passwords_are_judged_and_every_attempt_is_in_the_log_without_them() {
    let lab = lab("");
    let right = password(&lab, "truth.spinPwd");
    assert_eq!(log_on(&lab, "spin", &right), (0, "LOGIN-OK\n".to_owned()));
    let (status, text) = log_on(&lab, "spin", NOT_A_SECRET);
    assert_eq!(status, 249);
    assert!(
        text.contains("ORA-01017: invalid username/password; logon denied"),
        "{text}"
    );
    let (status, text) = log_on(&lab, "gcadmin", &password(&lab, "truth.gcPwd"));
    assert_eq!(status, 21);
    assert!(
        text.contains("ORA-01045: user GCADMIN lacks CREATE SESSION privilege; logon denied"),
        "{text}"
    );
    let attempts = events(&lab, "sqlplus.logon");
    let codes: Vec<_> = attempts
        .iter()
        .map(|event| event.details["code"].as_u64())
        .collect();
    assert_eq!(codes, [None, Some(1017), Some(1045)]);
    let log = std::fs::read_to_string(lab.state.events()).unwrap();
    assert!(!log.contains(&right) && !log.contains(NOT_A_SECRET));
}

#[test]
fn ten_failures_lock_for_every_host() {
    let lab = lab(
        "cores: {source: {oracle: {accounts: {vault: {failures: 9}, twist: {expired: true}}}}}\n",
    );
    assert_eq!(log_on(&lab, "vault", NOT_A_SECRET).0, 249);
    let (status, text) = log_on(&lab, "vault", &password(&lab, "truth.vaultPwd"));
    assert_eq!(status, 96);
    assert!(text.contains("ORA-28000"), "{text}");
    let (_, text) = log_on(&lab, "twist", &password(&lab, "truth.twistPwd"));
    assert!(
        text.contains("ORA-28001") && text.contains("New password:"),
        "{text}"
    );
    assert!(events(&lab, "sqlplus.password_changed").is_empty());
}

#[test]
fn the_road_to_the_database_has_errors_of_its_own() {
    for (staged, code, status) in [
        ("down", "ORA-12541", 253),
        ("cut", "ORA-12537", 249),
        ("timeout", "ORA-12170", 138),
    ] {
        let lab = lab(&format!(
            "cores: {{source: {{oracle: {{listener: {staged}}}}}}}\n"
        ));
        let (given, text) = log_on(&lab, "spin", NOT_A_SECRET);
        assert!(text.contains(code), "{staged}: {text}");
        assert_eq!(given, status, "{staged}");
    }
}

#[test]
fn the_systems_own_logon_reads_conflicts_and_counts_as_no_attempt() {
    let lab = lab("cores: {source: {oracle: {conflicts: 2}}}\n");
    let query = "printf 'set heading off\\nconnect / as sysdba\\nselect count(*) from lcrep.transaction_conflicts;\\n'";
    let (_, text) = sh(
        &lab,
        "s1",
        &format!("{query} | su - oracle -c '$ORACLE_HOME/bin/sqlplus -S -L /nolog'"),
    );
    assert_eq!(text, "2\n");
    assert!(events(&lab, "sqlplus.logon").is_empty());
}
