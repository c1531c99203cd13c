//! Both modules against real files and a client of the tests' own, through a real shell.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use sasrun_plugin::rehearsal::{End, Rehearsal, call, here, rehearse};
use sasrun_plugin::{Effect, Failure, Outcome, Request};
use serde_json::{Value, json};

fn run(module: &str, arguments: Value, check_mode: bool) -> Rehearsal {
    let library = gateway::library();
    let modules = library.modules();
    let found = modules.iter().find(|known| known.spec().name == module);
    let mut call = call(arguments);
    call.check_mode = check_mode;
    rehearse(&**found.unwrap(), call, here)
}

fn done(module: &str, arguments: Value) -> Outcome {
    match run(module, arguments, false).end {
        End::Done(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn failed(module: &str, arguments: Value) -> Failure {
    match run(module, arguments, false).end {
        End::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

/// A host's gateways below a directory of the test's own.
struct Place(tempfile::TempDir);

impl Place {
    fn new(gateways: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for (name, text) in gateways {
            place.put(&format!("{name}/opswgw.properties"), text);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

const AGENTS: &str = "opswgw.Gateway=agw0-A\nopswgw.TunnelSrc=127.0.0.1:2002:1:0\n";
const CORE: &str =
    "opswgw.Gateway=cgw0-A\nopswgw.TunnelDst=2001:/c/opswgw.pem\nopswgw.TunnelDst=127.0.0.1:2002\n";

#[test]
fn backup_tunnels_are_added_once_with_a_backup_of_the_file() {
    let place = Place::new(&[("opswgw-agw0-A", AGENTS), ("opswgw-cgw0-A", CORE)]);
    let certificate = place.put("crypto/opswgw.pem", "certificate");
    let arguments = json!({
        "directory": place.0.path(), "gateway": "agw0",
        "certificates": [place.path("not/there.pem"), certificate],
        "tunnels": [{"host": "10.2.0.3"}, {"host": "10.3.0.1", "port": 2011, "cost": 200, "bandwidth": 0}],
    });
    let foreseen = run("gateway_config", arguments.clone(), true);
    let End::WouldChange(declaration) = foreseen.end else {
        panic!("{foreseen:?}")
    };
    assert_eq!(declaration.diff[0].before, AGENTS);
    assert_eq!(place.text("opswgw-agw0-A/opswgw.properties"), AGENTS);

    let outcome = done("gateway_config", arguments.clone());
    assert!(outcome.changed);
    let certificate = certificate.display();
    let expected = format!(
        "{AGENTS}opswgw.TunnelSrc=10.2.0.3:2001:200:0:{certificate}\nopswgw.TunnelSrc=10.3.0.1:2011:200:0:{certificate}\n"
    );
    assert_eq!(place.text("opswgw-agw0-A/opswgw.properties"), expected);
    assert_eq!(declaration.diff[0].after, expected, "what was foreseen");
    assert_eq!(outcome.result["added"], json!(["10.2.0.3", "10.3.0.1"]));
    let backup = outcome.result["backup"].as_str().unwrap();
    assert_eq!(fs::read_to_string(backup).unwrap(), AGENTS);
    assert_eq!(place.text("opswgw-cgw0-A/opswgw.properties"), CORE);

    assert!(
        !done("gateway_config", arguments).changed,
        "the second time"
    );
}

#[test]
fn s99_without_a_certificate_nothing_is_written() {
    let place = Place::new(&[("opswgw-agw0-A", AGENTS)]);
    let arguments = |certificates: Value| {
        json!({
            "directory": place.0.path(), "gateway": "agw0-A", "certificates": certificates,
            "tunnels": [{"host": "10.2.0.3"}],
        })
    };
    let failure = failed(
        "gateway_config",
        arguments(json!([place.path("nowhere.pem")])),
    );
    assert!(failure.msg.contains("nowhere.pem"), "{}", failure.msg);
    assert!(failure.msg.contains("nothing was changed"));
    assert_eq!(place.text("opswgw-agw0-A/opswgw.properties"), AGENTS);
    for first in ["crypto/a.pem", "etc/b.pem"] {
        let place = Place::new(&[("opswgw-agw0-A", AGENTS)]);
        let there = place.put(first, "certificate");
        done(
            "gateway_config",
            json!({
                "directory": place.0.path(), "gateway": "agw0-A",
                "certificates": [place.path("crypto/a.pem"), place.path("etc/b.pem")],
                "tunnels": [{"host": "10.2.0.3"}],
            }),
        );
        let text = place.text("opswgw-agw0-A/opswgw.properties");
        assert!(
            text.ends_with(&format!(":200:0:{}\n", there.display())),
            "{text}"
        );
    }
}

fn owes(outcome: &Outcome) -> bool {
    let mut effects = outcome.effects.iter();
    effects.any(|effect| matches!(effect, Effect::Owe { .. }))
}

#[test]
fn the_local_listener_goes_and_comes_back() {
    let place = Place::new(&[("opswgw-cgw0-A", CORE)]);
    let arguments = |state: &str| json!({"directory": place.0.path(), "gateway": "cgw0", "local_listener": state});
    let outcome = done("gateway_config", arguments("commented"));
    assert!(outcome.changed);
    assert_eq!(outcome.result["local_listener"], "commented");
    assert_eq!(outcome.result["listener_port"], 2001);
    assert_eq!(outcome.result["edits"][0]["line"], 3);
    // A call that was cut off after its edit is done again: it owes what it finds.
    let again = done("gateway_config", arguments("commented"));
    assert!(!again.changed && owes(&again), "{:?}", again.effects);
    assert!(!owes(&done("gateway_config", arguments("unchanged"))));
    assert!(done("gateway_config", arguments("active")).changed);
    assert_eq!(place.text("opswgw-cgw0-A/opswgw.properties"), CORE);
    assert!(!done("gateway_config", arguments("active")).changed);
    let read = done("gateway_config", arguments("unchanged"));
    assert_eq!(read.result["listeners"].as_array().unwrap().len(), 2);
}

#[test]
fn a_comment_made_by_hand_is_a_finding() {
    let place = Place::new(&[(
        "opswgw-cgw0-A",
        &CORE.replace("opswgw.TunnelDst=127", "# opswgw.TunnelDst=127"),
    )]);
    let arguments = |state: &str| json!({"directory": place.0.path(), "gateway": "cgw0", "local_listener": state});
    let outcome = done("gateway_config", arguments("commented"));
    assert!(!outcome.changed);
    assert_eq!(outcome.result["findings"].as_array().unwrap().len(), 1);
    let failure = failed("gateway_config", arguments("active"));
    assert!(failure.msg.contains("foreign"), "{}", failure.msg);
}

#[test]
fn one_gateway_must_fit() {
    let place = Place::new(&[("opswgw-cgw0-A", CORE), ("opswgw-cgw0-B", CORE)]);
    let failure = failed(
        "gateway_config",
        json!({"directory": place.0.path(), "gateway": "cgw0"}),
    );
    assert!(
        failure.msg.contains("several gateways fit"),
        "{}",
        failure.msg
    );
    let failure = failed(
        "gateway_config",
        json!({"directory": place.0.path(), "gateway": "agw0"}),
    );
    assert!(failure.msg.contains("no gateway"), "{}", failure.msg);
}

/// A client that shows one page after another and remembers how it was called.
const CLIENT: &str = r#"#!/bin/sh
cd `dirname "$0"`
printf '%s\n' "$*" >>argv
n=`wc -l <argv | tr -d ' '`
[ -f page.$n ] || n=last
sed 1d page.$n
printf '\n%s' "`sed 1q page.$n`"
"#;

fn status_page(nodes: &[&str]) -> String {
    let rows: String = nodes
        .iter()
        .map(|node| format!("<tr><td>{node}</td><td>x</td></tr>"))
        .collect();
    format!(
        "200\n<h3>Connected Gateways</h3><table><tr><th>Node</th><th>Realm</th></tr>{rows}</table>\n"
    )
}

fn client(pages: &[(&str, String)]) -> (Place, Value) {
    let place = Place::new(&[]);
    let client = place.put("curl", CLIENT);
    fs::set_permissions(&client, fs::Permissions::from_mode(0o755)).unwrap();
    for (name, page) in pages {
        place.put(&format!("page.{name}"), page);
    }
    let certificate = place.put("spin.srv", "certificate");
    let arguments = json!({"client": client, "certificate": certificate, "url": "https://10.2.0.3:8085/status", "limit": 30, "interval": 5});
    (place, arguments)
}

#[test]
fn waits_for_a_direct_connection_through_pages_of_all_kinds() {
    let link_table =
        "200\n<h3>Link table</h3><table><tr><th>Node</th></tr><tr><td>agw0-A</td></tr></table>\n";
    let (place, mut arguments) = client(&[
        ("1", "403\nForbidden\n".into()),
        ("2", link_table.into()),
        ("3", "200\n<form>Login</form>\n".into()),
        ("4", status_page(&["cgw0-C"])),
        ("last", status_page(&["cgw0-C", "agw0-A"])),
    ]);
    arguments["nodes"] = json!(["agw0-A"]);
    let rehearsal = run("gateway_connected", arguments, false);
    let End::Done(outcome) = &rehearsal.end else {
        panic!("{rehearsal:?}")
    };
    assert_eq!(outcome.result["looks"], 5);
    assert_eq!(outcome.result["connected"], json!(["cgw0-C", "agw0-A"]));
    assert!(!outcome.changed);
    let argv = place.text("argv");
    assert!(
        argv.contains("-E ") && argv.contains("https://10.2.0.3:8085/status"),
        "{argv}"
    );
    let sleeps = rehearsal
        .requests
        .iter()
        .filter(|request| matches!(request, Request::Sleep { .. }));
    assert_eq!(sleeps.count(), 4);
}

#[test]
fn s97_who_is_not_directly_connected_is_not_accepted() {
    let (_place, mut arguments) = client(&[("last", status_page(&["cgw0-C"]))]);
    arguments["nodes"] = json!(["agw0-A", "cgw0-C"]);
    let failure = failed("gateway_connected", arguments.clone());
    assert!(
        failure.msg.contains("agw0-A not connected after 30 s"),
        "{}",
        failure.msg
    );
    assert_eq!(failure.result["missing"], json!(["agw0-A"]));
    assert_eq!(failure.result["looks"], 7);
    let check = run("gateway_connected", arguments.clone(), true).end;
    assert!(
        matches!(&check, End::CannotKnow(reason) if reason.contains("agw0-A")),
        "{check:?}"
    );
    arguments["nodes"] = json!(["CGW0-C"]);
    let check = run("gateway_connected", arguments.clone(), true).end;
    assert!(matches!(check, End::Done(_)), "{check:?}");
    arguments["nodes"] = json!([]);
    arguments["absent"] = json!(["cgw0-C"]);
    let failure = failed("gateway_connected", arguments);
    assert!(
        failure.msg.contains("cgw0-C still connected"),
        "{}",
        failure.msg
    );
}
