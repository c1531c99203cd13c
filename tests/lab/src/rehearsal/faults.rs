//! Faults by name, for a rehearsal: `NAME@HOST`, `NAME:WHAT@HOST`, or the name of a core where the fault is one.

use serde_yaml::Value;

/// What a fault befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Host,
    Core,
}

/// A fault that can be asked for by name.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    pub name: &'static str,
    /// What may stand behind a colon, with what is meant without it.
    pub what: Option<&'static str>,
    pub scope: Scope,
    pub sentence: &'static str,
    /// The scenario's text for the host or core, `{what}` filled in.
    text: &'static str,
}

const fn on_host(
    name: &'static str,
    what: Option<&'static str>,
    sentence: &'static str,
    text: &'static str,
) -> Named {
    Named {
        name,
        what,
        scope: Scope::Host,
        sentence,
        text,
    }
}

const fn in_core(
    name: &'static str,
    what: Option<&'static str>,
    sentence: &'static str,
    text: &'static str,
) -> Named {
    Named {
        name,
        what,
        scope: Scope::Core,
        sentence,
        text,
    }
}

/// Every fault, as `saslab faults` lists them.
pub const ALL: &[Named] = &[
    on_host(
        "unreachable",
        None,
        "the host answers no connection",
        "{ssh: {refuse: true}}",
    ),
    on_host(
        "slow",
        None,
        "half a second for every answer of the host",
        "{ssh: {latency_ms: 500}}",
    ),
    on_host(
        "other-host-key",
        None,
        "the host shows another key than the known one",
        "{ssh: {other_host_key: true}}",
    ),
    on_host(
        "no-disc",
        None,
        "the drive is empty",
        "{volumes: {disc: none}}",
    ),
    on_host(
        "wrong-disc",
        Some("upload"),
        "another disc is in the drive (upload, old_primary, foreign)",
        "{volumes: {disc: {what}}}",
    ),
    on_host(
        "dead-server",
        None,
        "the server of NFS exports does not answer",
        "{volumes: {server: dead}}",
    ),
    on_host(
        "squashed-root",
        None,
        "root cannot read what it mounts by NFS",
        "{volumes: {server: squash}}",
    ),
    on_host(
        "full-disk",
        None,
        "there is no room for the installer",
        "{volumes: {free_kb: 20480}}",
    ),
    on_host(
        "audit-busy",
        None,
        "somebody sits in the audit file system",
        "{volumes: {audit: {busy: true}}}",
    ),
    on_host(
        "installer-fails",
        Some("truth"),
        "the upgrade of a component fails",
        "{installer: {outcome: {{what}: failure}}}",
    ),
    on_host(
        "installer-dies",
        Some("truth"),
        "the installer is killed during a component",
        "{installer: {outcome: {{what}: killed}}}",
    ),
    on_host(
        "installer-hangs",
        Some("truth"),
        "the upgrade of a component never ends",
        "{installer: {outcome: {{what}: hang}}}",
    ),
    on_host(
        "disk-fills",
        Some("truth"),
        "the disk fills up during a component",
        "{installer: {outcome: {{what}: disk_full}}}",
    ),
    on_host(
        "medium-goes",
        Some("truth"),
        "the medium goes away during a component",
        "{installer: {outcome: {{what}: medium_gone}}}",
    ),
    on_host(
        "unknown-question",
        Some("truth"),
        "the installer asks what nobody knows",
        "{installer: {unknown_question: {before: {what}}}}",
    ),
    on_host(
        "shuffled-menu",
        None,
        "the installer's menu is in another order",
        "{installer: {menu: {order: [boot, occ, way], first_number: 4, colour: true}}}",
    ),
    on_host(
        "missing-component",
        Some("way"),
        "the menu does not show a component",
        "{installer: {menu: {omit: [{what}]}}}",
    ),
    on_host(
        "service-stays",
        Some("waybot"),
        "a service does not stop",
        "{services: {{what}: {refuses_stop: true}}}",
    ),
    on_host(
        "service-down",
        Some("opswgw-cgw0"),
        "a service is down before the run",
        "{services: {{what}: {down: true}}}",
    ),
    on_host(
        "service-lies",
        Some("waybot"),
        "the status of a service is not true",
        "{services: {{what}: {status_says: stopped}}}",
    ),
    on_host(
        "content-times-out",
        Some("1"),
        "so many uploads of the content time out",
        "{content: {timeouts: {what}}}",
    ),
    on_host(
        "no-locale",
        None,
        "en_US.UTF-8 is not installed",
        "{locales: [C, POSIX]}",
    ),
    on_host(
        "no-wordcache",
        None,
        "the name wordcache resolves to nothing",
        "{names: {wordcache: \"\"}}",
    ),
    on_host(
        "like-solaris",
        None,
        "the host is like Solaris",
        "{like: solaris}",
    ),
    on_host(
        "old-shells",
        None,
        "csh at the login, the Bourne shell as sh",
        "{login: {csh: true, bourne: true, path: \"/usr/bin:/bin\"}}",
    ),
    in_core(
        "conflicts",
        Some("2"),
        "so many multimaster conflicts are open",
        "{oracle: {conflicts: {what}}}",
    ),
    in_core(
        "listener-down",
        None,
        "the database's listener is down",
        "{oracle: {listener: down}}",
    ),
    in_core(
        "locked-account",
        Some("twist"),
        "an account of the database is locked",
        "{oracle: {accounts: {{what}: {locked: true}}}}",
    ),
    in_core(
        "wrong-password",
        Some("truth.vaultPwd"),
        "a password of the response file is wrong",
        "{response: {{what}: wrong-in-rehearsal}}",
    ),
    in_core(
        "traffic-red",
        None,
        "the Mesh State page of the core turns red",
        "{mesh_state: {pages: [{colour: yellow, count: 40}, {colour: red, count: 2}], hold_last: true}}",
    ),
];

/// Why a fault cannot be staged.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    #[error("`{0}` is no fault: write NAME@HOST, as `saslab faults` lists them")]
    Shape(String),
    #[error("there is no fault `{0}`; `saslab faults` lists them")]
    Unknown(String),
    #[error("the fault `{name}` takes nothing behind a colon")]
    Needless { name: &'static str },
    #[error(transparent)]
    Yaml(#[from] serde_yaml::Error),
}

/// The scenario of one fault: a tree to be laid over others.
pub fn read(asked: &str) -> Result<Value, FaultError> {
    let shape = || FaultError::Shape(asked.to_owned());
    let (fault, place) = asked.split_once('@').ok_or_else(shape)?;
    if place.is_empty() {
        return Err(shape());
    }
    let (name, what) = match fault.split_once(':') {
        Some((name, what)) => (name, Some(what)),
        None => (fault, None),
    };
    let found = ALL
        .iter()
        .find(|known| known.name == name)
        .ok_or_else(|| FaultError::Unknown(name.to_owned()))?;
    if what.is_some() && found.what.is_none() {
        return Err(FaultError::Needless { name: found.name });
    }
    let what = what.or(found.what).unwrap_or_default();
    let body: Value = serde_yaml::from_str(&found.text.replace("{what}", what))?;
    let key = match found.scope {
        Scope::Host => "hosts",
        Scope::Core => "cores",
    };
    let tree = |key: &str, value: Value| {
        let mut map = serde_yaml::Mapping::new();
        map.insert(key.into(), value);
        Value::from(map)
    };
    Ok(tree(key, tree(place, body)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn every_fault_is_a_scenario() {
        for named in ALL {
            let tree = read(&format!("{}@a1", named.name))
                .unwrap_or_else(|error| panic!("{}: {error}", named.name));
            let text = serde_yaml::to_string(&tree).unwrap();
            let scenario = Scenario::parse(&text, Path::new("s.yml"))
                .unwrap_or_else(|error| panic!("{}: {error}", named.name));
            assert_ne!(scenario, Scenario::default(), "{}", named.name);
        }
    }

    #[test]
    fn what_is_meant_may_be_named() {
        let tree = read("installer-fails:spin@b1").unwrap();
        assert_eq!(
            tree["hosts"]["b1"]["installer"]["outcome"]["spin"].as_str(),
            Some("failure")
        );
        for wrong in [
            "unreachable",
            "unreachable@",
            "nothing@a1",
            "unreachable:x@a1",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
