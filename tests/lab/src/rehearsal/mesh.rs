//! A site's mesh inventory for the lab: the same mesh at loopback addresses, with the lab's keys.
//!
//! Names, components, facilities, media and paths stay. Addresses become those of the lab; ways to log in, and whatever
//! looks like a secret, are replaced. Waits become as short as the lab's time is fast.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use serde_yaml::{Mapping, Value};

/// Why an inventory cannot be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    #[error("the inventory is not understood: {0}")]
    Yaml(#[from] serde_yaml::Error),
    #[error("not a mesh inventory (it must say `plugin: opsware_mesh`)")]
    NotAMesh,
    #[error("the mesh has more hosts than the lab has addresses")]
    TooMany,
}

/// How a lab is reached.
#[derive(Debug, Clone)]
pub struct Ways<'a> {
    pub state: &'a Path,
    pub port: u16,
    pub time_scale: f64,
}

/// Variables by which a site reaches its hosts: they lead nowhere in a lab.
const CONNECTION: &[&str] = &[
    "ansible_host",
    "ansible_connection",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_ssh_args",
    "ansible_ssh_executable",
    "ansible_ssh_certificate_file",
    "ansible_private_key_file",
    "ansible_become_method",
    "ansible_become_user",
    "ansible_become_exe",
    "ansible_become_flags",
];

/// Words in the names of variables whose values are nobody's business.
const SECRET: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "private_key",
    "passphrase",
];

/// Stands where a secret stood.
const REPLACED: &str = "rehearsal";

/// Tells whether every host of a mesh inventory is at a loopback address already.
pub fn is_for_a_lab(text: &str) -> bool {
    let Ok(tree) = serde_yaml::from_str::<Value>(text) else {
        return true;
    };
    addresses(&tree).iter().all(|address| {
        address
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
    })
}

/// The inventory for the lab.
pub fn for_the_lab(text: &str, ways: &Ways<'_>) -> Result<String, RehearsalError> {
    let mut tree: Value = serde_yaml::from_str(text)?;
    if tree.get("plugin").and_then(Value::as_str) != Some("opsware_mesh") {
        return Err(RehearsalError::NotAMesh);
    }
    let map = loopback(&tree)?;
    replace(&mut tree, &map, "");
    forget_files(&mut tree);
    log_in(&mut tree, ways);
    hasten(&mut tree, ways.time_scale);
    let head = "# Made for a rehearsal in the lab. The site's own inventory is untouched.\n";
    Ok(format!("{head}{}", serde_yaml::to_string(&tree)?))
}

/// Takes out which files the site's hosts hold: the lab makes its own, as the software does.
fn forget_files(tree: &mut Value) {
    let cores = tree.get_mut("cores").and_then(Value::as_mapping_mut);
    for (_, core) in cores.into_iter().flatten() {
        if let Some(core) = core.as_mapping_mut() {
            core.remove("response_file");
        }
    }
}

/// Addresses of hosts and satellites as they are written.
fn addresses(tree: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut take = |hosts: Option<&Value>| {
        for (_, host) in hosts.and_then(Value::as_mapping).into_iter().flatten() {
            found.extend(
                host.get("address")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
        }
    };
    for (_, core) in tree
        .get("cores")
        .and_then(Value::as_mapping)
        .into_iter()
        .flatten()
    {
        take(core.get("hosts"));
    }
    take(tree.get("satellites"));
    found
}

/// A loopback address for each of the site's: a network per core of the file, a number per host.
fn loopback(tree: &Value) -> Result<BTreeMap<String, String>, RehearsalError> {
    let mut map = BTreeMap::new();
    for (at, address) in addresses(tree).into_iter().enumerate() {
        let (network, number) = (at / 200, at % 200);
        let network = u8::try_from(network).map_err(|_| RehearsalError::TooMany)?;
        let number = u8::try_from(number + 1).map_err(|_| RehearsalError::TooMany)?;
        map.insert(address, Ipv4Addr::new(127, 63, network, number).to_string());
    }
    Ok(map)
}

/// Replaces addresses wherever they stand, and secrets by their names or tags.
fn replace(value: &mut Value, map: &BTreeMap<String, String>, name: &str) {
    let is_gate = name == "gates";
    match value {
        Value::Mapping(entries) => {
            for (key, value) in entries.iter_mut() {
                let key = key.as_str().unwrap_or_default();
                if !is_gate && is_secret(key) && !value.is_mapping() && !value.is_sequence() {
                    *value = REPLACED.into();
                } else {
                    replace(value, map, key);
                }
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(|item| replace(item, map, name)),
        // Encrypted values are of no use to a lab.
        Value::Tagged(_) => *value = REPLACED.into(),
        Value::String(text) => *text = readdressed(text, map),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}

/// A text in which every whole address is replaced.
fn readdressed(text: &str, map: &BTreeMap<String, String>) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_part) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(map.get(word).map_or(word, String::as_str));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Leads every host to the lab, as root, with the lab's key.
fn log_in(tree: &mut Value, ways: &Ways<'_>) {
    strip(tree);
    let file = |name: &str| Value::from(ways.state.join(name).display().to_string());
    let mut vars = match tree.get("vars") {
        Some(Value::Mapping(vars)) => vars.clone(),
        _ => Mapping::new(),
    };
    vars.insert("ansible_user".into(), "root".into());
    vars.insert("ansible_port".into(), u64::from(ways.port).into());
    vars.insert("ansible_ssh_private_key_file".into(), file("keys/operator"));
    vars.insert("ansible_ssh_known_hosts_file".into(), file("known_hosts"));
    if let Value::Mapping(top) = tree {
        top.insert("vars".into(), vars.into());
    }
}

/// Takes away every variable that says how hosts are reached, wherever it stands.
fn strip(value: &mut Value) {
    if let Value::Mapping(entries) = value {
        entries.retain(|key, _| {
            let key = key.as_str().unwrap_or_default();
            let is_login = ["ansible_user", "ansible_port", "ansible_become"].contains(&key);
            let is_ssh = key.starts_with("ansible_ssh_") || key.starts_with("ansible_password");
            !(is_login
                || is_ssh
                || CONNECTION.contains(&key)
                || key.starts_with("ansible_become_pass"))
        });
        entries.iter_mut().for_each(|(_, value)| strip(value));
    }
}

/// Waits of the mesh's own clock, in the lab's time.
fn hasten(tree: &mut Value, scale: f64) {
    let Some(Value::Mapping(policies)) = tree.get_mut("policies") else {
        return;
    };
    let shorter = |value: &Value| -> Option<Value> {
        let seconds = value.as_f64()? / scale.max(1.0);
        Some(((seconds.max(0.5) * 10.0).round() / 10.0).into())
    };
    if let Some(limit) = policies.get("spin_limit").and_then(shorter) {
        policies.insert("spin_limit".into(), limit);
    }
    if let Some(Value::Mapping(state)) = policies.get_mut("mesh_state")
        && let Some(interval) = state.get("interval").and_then(shorter)
    {
        state.insert("interval".into(), interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "plugin: opsware_mesh\nmesh: north\nvars:\n  ansible_user: admin\n  ansible_become: true\n  \
        ansible_become_password: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    3132\n  proxy: http://10.1.0.2:3128/x\n  \
        db_password: s3cret\ncores:\n  a:\n    source: true\n    facility: {id: 1, name: A, agents: 5}\n    response_file: /var/site/resp\n    hosts:\n      \
        a1: {address: 10.1.0.2, components: [truth], ansible_port: 2222}\n      a2: {address: a2.site.example, components: [word]}\n\
        policies: {mesh_state: {interval: 60, polls: 3}}\ngates: {PREP-ALL-7: {answer: \"yes\", by: me}}\n";

    fn made() -> Value {
        let ways = Ways {
            state: Path::new("/lab"),
            port: 7022,
            time_scale: 60.0,
        };
        serde_yaml::from_str(&for_the_lab(SITE, &ways).unwrap()).unwrap()
    }

    #[test]
    fn addresses_lead_to_the_lab_and_the_rest_stays() {
        let tree = made();
        let host = |name: &str| {
            tree["cores"]["a"]["hosts"][name]["address"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            (host("a1").as_str(), host("a2").as_str()),
            ("127.63.0.1", "127.63.0.2")
        );
        assert_eq!(
            tree["vars"]["proxy"].as_str(),
            Some("http://127.63.0.1:3128/x")
        );
        assert_eq!(
            tree["cores"]["a"]["hosts"]["a2"]["components"][0].as_str(),
            Some("word")
        );
        assert_eq!(tree["gates"]["PREP-ALL-7"]["by"].as_str(), Some("me"));
        assert!(tree["cores"]["a"].get("response_file").is_none());
        assert!(is_for_a_lab(&serde_yaml::to_string(&tree).unwrap()));
        assert!(!is_for_a_lab(SITE));
    }

    #[test]
    fn logins_and_secrets_are_the_labs() {
        let tree = made();
        let vars = &tree["vars"];
        assert_eq!(vars["ansible_user"].as_str(), Some("root"));
        assert_eq!(
            vars["ansible_ssh_private_key_file"].as_str(),
            Some("/lab/keys/operator")
        );
        assert_eq!(vars["db_password"].as_str(), Some(REPLACED));
        assert!(
            vars.get("ansible_become").is_none() && vars.get("ansible_become_password").is_none()
        );
        assert!(
            tree["cores"]["a"]["hosts"]["a1"]
                .get("ansible_port")
                .is_none()
        );
        let text = serde_yaml::to_string(&tree).unwrap();
        assert!(
            !text.contains("s3cret") && !text.contains("VAULT"),
            "{text}"
        );
    }

    #[test]
    fn waits_are_as_short_as_the_labs_time_is_fast() {
        assert_eq!(
            made()["policies"]["mesh_state"]["interval"].as_f64(),
            Some(1.0)
        );
    }

    #[test]
    fn anything_but_a_mesh_is_refused() {
        let ways = Ways {
            state: Path::new("/lab"),
            port: 1,
            time_scale: 1.0,
        };
        assert!(matches!(
            for_the_lab("all: {}\n", &ways),
            Err(RehearsalError::NotAMesh)
        ));
    }
}
