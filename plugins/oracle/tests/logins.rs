//! Logons against a SQL*Plus of the tests' own, through a real shell: what it is given, how often
//! it is asked, and what is made of its words.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sasrun_plugin::rehearsal::{End, Rehearsal, call, here, rehearse};
use sasrun_plugin::{Effect, Library, Module, Outcome, Request};
use serde_json::json;

/// Keeps what it was given and answers by the files beside it: `reply` for everyone, else
/// `accounts/NAME` (the password on the first line, then what a right password gets).
const SQLPLUS: &str = r#"#!/bin/sh
cd "$ORACLE_HOME" || exit 1
echo "$*" >>argv
env >>environment
input=`cat`
printf '%s\n' "$input" >>input
echo x >>attempts
line=`printf '%s\n' "$input" | grep '^connect '`
account=`expr "$line" : 'connect \([a-z_]*\)/'`
password=`expr "$line" : '[^"]*"\(.*\)"@'`
if [ -f reply ]; then cat reply; exit 0; fi
if [ "$password" = "`sed 1q accounts/$account`" ]; then
    sed 1d "accounts/$account"
    exit 21
fi
echo 'ERROR:'
echo 'ORA-01017: invalid username/password; logon denied'
echo 'SP2-0640: Not connected'
exit 249
"#;

const LOGGED_IN: &str = "SASRUN-LOGIN-OK";
const NO_SESSION: &str = "ERROR:\nORA-01045: user X lacks CREATE SESSION privilege; logon denied\nSP2-0640: Not connected";
const EXPIRED: &str = "ERROR:\nORA-28001: the password has expired\n\nChanging password for x\nNew password: \nRetype new password: \nERROR:\nORA-00988: missing or invalid password(s)\nPassword unchanged";

/// A host with an Oracle home and a response file. SQL*Plus runs by way of su where the tests run as
/// root.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new(response: &str, accounts: &[(&str, &str, &str)]) -> Self {
        let place = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(place.path("home/bin")).unwrap();
        fs::create_dir_all(place.path("home/accounts")).unwrap();
        let sqlplus = place.path("home/bin/sqlplus");
        fs::write(&sqlplus, SQLPLUS).unwrap();
        fs::set_permissions(&sqlplus, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(place.path("resp"), response).unwrap();
        for (account, password, answer) in accounts {
            let text = format!("{password}\n{answer}\n");
            fs::write(place.path(&format!("home/accounts/{account}")), text).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn attempts(&self) -> usize {
        let text = fs::read_to_string(self.path("home/attempts")).unwrap_or_default();
        text.lines().count()
    }

    fn reply(&self, text: &str) {
        fs::write(self.path("home/reply"), text).unwrap();
    }

    fn arguments(&self, account: &str, expects: &str, key: &str) -> serde_json::Value {
        json!({
            "account": account, "expects": expects, "key": key, "alias": "truth", "run_as": "root",
            "response_file": self.path("resp"), "oracle_home": self.path("home"),
            "ledger": self.path("ledger"),
        })
    }

    fn rehearse(&self, run: &Library, account: &str, expects: &str, key: &str) -> Rehearsal {
        rehearse(
            login(run),
            call(self.arguments(account, expects, key)),
            here,
        )
    }

    fn outcome(&self, run: &Library, account: &str, expects: &str, key: &str) -> Outcome {
        match self.rehearse(run, account, expects, key).end {
            End::Done(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

/// A run's own instance of the plugin.
fn run() -> Library {
    oracle::library()
}

fn login(run: &Library) -> &dyn Module {
    let modules = run.modules();
    &**modules
        .iter()
        .find(|module| module.spec().name == "oracle_login")
        .unwrap()
}

fn verdict(outcome: &Outcome) -> (&str, &str) {
    let text = |name: &str| outcome.result[name].as_str().unwrap();
    (text("verdict"), text("finding"))
}

#[test]
fn verdicts() {
    // Scenario, value in the file, value of the database, answer, account kind, verdict, finding.
    let cases = [
        ("good", "pw", "pw", LOGGED_IN, "session", "match", ""),
        ("S-29", "wrong", "pw", LOGGED_IN, "session", "mismatch", ""),
        ("S-30", "pw", "pw", NO_SESSION, "no_session", "match", ""),
        (
            "S-31",
            "pw",
            "pw",
            LOGGED_IN,
            "no_session",
            "match",
            "unexpected_create_session",
        ),
        (
            "S-32",
            "pw",
            "pw",
            NO_SESSION,
            "session",
            "match",
            "create_session_missing",
        ),
        (
            "S-36",
            "pw",
            "pw",
            "ORA-28000: the account is locked",
            "session",
            "indeterminate",
            "account_locked",
        ),
        (
            "S-37",
            "pw",
            "pw",
            EXPIRED,
            "session",
            "match",
            "password_expired",
        ),
        (
            "S-38",
            "a@b/c&d$e'f:g%h i\u{fc}",
            "a@b/c&d$e'f:g%h i\u{fc}",
            LOGGED_IN,
            "session",
            "match",
            "",
        ),
    ];
    for (name, in_file, in_database, answer, expects, wanted, finding) in cases {
        for form in [
            "truth.spinPwd: @\n",
            "%truth.spinPwd\n@\n",
            "truth.spinPwd=@\n",
        ] {
            let place = Place::new(
                &form.replacen('@', in_file, 1),
                &[("spin", in_database, answer)],
            );
            let rehearsal = place.rehearse(&run(), "spin", expects, "truth.spinPwd");
            let End::Done(outcome) = &rehearsal.end else {
                panic!("{name}: {rehearsal:?}")
            };
            assert_eq!(verdict(outcome), (wanted, finding), "{name} {form:?}");
            assert_eq!(place.attempts(), 1, "{name}");
            assert!(!outcome.changed);
            let findings = outcome
                .effects
                .iter()
                .filter(|e| matches!(e, Effect::Finding { id, .. } if id == "RESP-truth.spinPwd"));
            assert_eq!(findings.count(), usize::from(!finding.is_empty()), "{name}");
            let shown = serde_json::to_string(outcome).unwrap();
            assert!(!shown.contains(in_file), "{name}: the value is shown");
        }
    }
}

#[test]
fn the_value_is_a_secret_before_it_is_used_and_never_visible() {
    let place = Place::new(
        "truth.spinPwd=Zebra-Pa55\n",
        &[("spin", "Zebra-Pa55", LOGGED_IN)],
    );
    let rehearsal = place.rehearse(&run(), "spin", "session", "truth.spinPwd");
    let secret = rehearsal.requests.iter().position(
        |request| matches!(request, Request::Secrets { values } if values == &["Zebra-Pa55"]),
    );
    let attempt = rehearsal
        .requests
        .iter()
        .position(|request| matches!(request, Request::Attempt { .. }));
    assert!(secret.unwrap() < attempt.unwrap());
    for file in ["argv", "environment"] {
        let text = fs::read_to_string(place.path("home").join(file)).unwrap();
        assert!(!text.contains("Zebra"), "{file}: {text}");
    }
    let argv = fs::read_to_string(place.path("home/argv")).unwrap();
    assert_eq!(argv.trim(), "-S -L /nolog");
    assert!(
        !place.path("ledger").exists(),
        "a good value leaves nothing behind"
    );
}

#[test]
fn s33_an_unreachable_database_is_tried_once_for_all_accounts() {
    let keys = [
        "aa", "aaa", "gc", "lcrep", "spin", "twist", "vault", "truth",
    ];
    let response: String = keys
        .iter()
        .map(|key| format!("truth.{key}Pwd=pw-{key}\n"))
        .collect();
    let place = Place::new(&response, &[]);
    place.reply("ERROR:\nORA-12541: TNS:no listener\nSP2-0640: Not connected\n");
    let run = run();
    for key in keys {
        let outcome = place.outcome(&run, key, "session", &format!("truth.{key}Pwd"));
        assert_eq!(verdict(&outcome).0, "indeterminate", "{key}");
        assert_eq!(outcome.result["code"], "ORA-12541");
        assert!(
            !serde_json::to_string(&outcome)
                .unwrap()
                .contains("wrong password")
        );
    }
    assert_eq!(place.attempts(), 1);
    assert!(!place.path("ledger").exists(), "nothing was refused");
}

#[test]
fn s34_a_cut_connection_is_no_wrong_password() {
    let place = Place::new("truth.spinPwd=pw\n", &[]);
    place.reply("ERROR:\nORA-12537: TNS:connection closed\n");
    let outcome = place.outcome(&run(), "spin", "session", "truth.spinPwd");
    assert_eq!(verdict(&outcome), ("indeterminate", ""));
}

#[test]
fn s35_a_wrong_value_is_tried_once_in_all_runs() {
    let place = Place::new("truth.spinPwd=wrong\n", &[("spin", "right", LOGGED_IN)]);
    let first = run();
    for _server in 0..4 {
        let outcome = place.outcome(&first, "spin", "session", "truth.spinPwd");
        assert_eq!(verdict(&outcome).0, "mismatch");
    }
    assert_eq!(place.attempts(), 1);
    let outcome = place.outcome(&run(), "spin", "session", "truth.spinPwd");
    assert_eq!(verdict(&outcome), ("mismatch", "remembered_failure"));
    assert_eq!(place.attempts(), 1, "the second run remembers");

    let ledger = place.path("ledger/spin@truth");
    assert!(!fs::read_to_string(&ledger).unwrap().contains("wrong"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place.path("ledger")), mode(&ledger)), (0o700, 0o600));

    fs::write(place.path("resp"), "truth.spinPwd=right\n").unwrap();
    let outcome = place.outcome(&run(), "spin", "session", "truth.spinPwd");
    assert_eq!(verdict(&outcome), ("match", ""));
    assert_eq!(place.attempts(), 2, "a corrected value is tried");
    assert!(!place.path("ledger").exists());
}

#[test]
fn a_remembered_value_is_tried_again_only_when_asked_for() {
    let place = Place::new("truth.spinPwd=pw\n", &[("spin", "other", LOGGED_IN)]);
    place.outcome(&run(), "spin", "session", "truth.spinPwd");
    fs::write(
        place.path("home/accounts/spin"),
        format!("pw\n{LOGGED_IN}\n"),
    )
    .unwrap();
    let mut arguments = place.arguments("spin", "session", "truth.spinPwd");
    arguments["again"] = true.into();
    let rehearsal = rehearse(login(&run()), call(arguments), here);
    assert!(
        matches!(&rehearsal.end, End::Done(outcome) if verdict(outcome) == ("match", "")),
        "{rehearsal:?}"
    );
}

#[test]
fn s38_a_value_with_a_double_quote_is_refused_with_a_reason() {
    let place = Place::new("truth.spinPwd=a\"b\n", &[("spin", "a\"b", LOGGED_IN)]);
    let outcome = place.outcome(&run(), "spin", "session", "truth.spinPwd");
    assert_eq!(verdict(&outcome), ("not_checked", "password_not_passable"));
    assert!(
        outcome.result["reason"]
            .as_str()
            .unwrap()
            .contains("double quote")
    );
    assert_eq!(place.attempts(), 0);
}

#[test]
fn s39_swapped_values_are_both_wrong() {
    let place = Place::new(
        "truth.aaPwd=three\ntruth.aaaPwd=two\n",
        &[
            ("opsware_admin", "two", LOGGED_IN),
            ("aaa", "three", NO_SESSION),
        ],
    );
    let run = run();
    let two = place.outcome(&run, "opsware_admin", "session", "truth.aaPwd");
    let three = place.outcome(&run, "aaa", "no_session", "truth.aaaPwd");
    assert_eq!(
        (verdict(&two).0, verdict(&three).0),
        ("mismatch", "mismatch")
    );
}

#[test]
fn a_second_value_of_one_account_is_not_tried_in_the_same_run() {
    let place = Place::new("a=one\nb=two\n", &[("spin", "two", LOGGED_IN)]);
    let run = run();
    assert_eq!(
        verdict(&place.outcome(&run, "spin", "session", "a")).0,
        "mismatch"
    );
    let second = place.outcome(&run, "spin", "session", "b");
    assert_eq!(verdict(&second), ("not_checked", "other_value_tried"));
    assert_eq!(place.attempts(), 1);
}

#[test]
fn check_mode_tries_nothing_but_remembers() {
    let place = Place::new("truth.spinPwd=wrong\n", &[("spin", "right", LOGGED_IN)]);
    let check = |run: &Library| {
        let mut call = call(place.arguments("spin", "session", "truth.spinPwd"));
        call.check_mode = true;
        rehearse(login(run), call, here).end
    };
    assert!(matches!(check(&run()), End::CannotKnow(_)));
    assert_eq!(place.attempts(), 0);
    assert!(!place.path("ledger").exists());
    place.outcome(&run(), "spin", "session", "truth.spinPwd");
    assert!(matches!(check(&run()), End::Done(outcome) if verdict(&outcome).0 == "mismatch"));
}

#[test]
fn what_is_missing_is_said_without_an_attempt() {
    let place = Place::new("truth.other=x\n", &[]);
    let outcome = place.outcome(&run(), "spin", "session", "truth.spinPwd");
    assert_eq!(verdict(&outcome), ("not_checked", "missing_in_response"));
    let place = Place::new("truth.spinPwd=pw\n", &[]);
    fs::remove_file(place.path("home/bin/sqlplus")).unwrap();
    let outcome = place.outcome(&run(), "spin", "session", "truth.spinPwd");
    assert_eq!(verdict(&outcome), ("indeterminate", "no_client"));
    let place = Place::new("truth.spinPwd=pw\n", &[("spin", "pw", LOGGED_IN)]);
    fs::write(place.path("ledger"), "a file in the way").unwrap();
    let outcome = place.outcome(&run(), "spin", "session", "truth.spinPwd");
    assert_eq!(verdict(&outcome), ("not_checked", "ledger_not_writable"));
    assert_eq!(place.attempts(), 0, "an attempt must be on record first");
}
