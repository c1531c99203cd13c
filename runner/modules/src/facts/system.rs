//! Small facts of the system: boot line, name servers, security modules, keys, environment.

use sasrun_plugin::Object;
use serde_json::{Value, json};

use super::object;
use super::sections::Sections;

pub(super) fn facts(sections: &Sections) -> Object {
    let mut facts = Object::new();
    let cmdline = sections.first("cmdline").unwrap_or_default();
    let (mut plain, mut all) = (Object::new(), Object::new());
    for word in cmdline.split_whitespace() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Value::from(value)),
            None => (word, Value::Bool(true)),
        };
        match all.get_mut(key) {
            Some(Value::Array(list)) => list.push(value.clone()),
            Some(first) => *first = json!([first.clone(), value]),
            None => {
                all.insert(key.to_owned(), value.clone());
            }
        }
        plain.insert(key.to_owned(), value);
    }
    facts.insert("cmdline".into(), plain.into());
    facts.insert("proc_cmdline".into(), all.into());
    facts.insert("dns".into(), dns(sections).into());
    facts.insert("selinux".into(), selinux(sections));
    facts.insert("selinux_python_present".into(), false.into());
    let apparmor = if sections.first("apparmor").is_some() {
        "enabled"
    } else {
        "disabled"
    };
    facts.insert("apparmor".into(), json!({"status": apparmor}));
    facts.insert("fips".into(), (sections.first("fips") == Some("1")).into());
    facts.insert("lsb".into(), lsb(sections).into());
    facts.insert("is_chroot".into(), is_chroot(sections).into());
    facts.extend(keys(sections));
    facts.extend(python(sections));
    if let Some(load) = sections.first("load") {
        let load: Vec<f64> = load
            .split(' ')
            .take(3)
            .filter_map(|word| word.parse().ok())
            .collect();
        let names = ["1m", "5m", "15m"].iter().map(|name| (*name).to_owned());
        let load: Object = names.zip(load.into_iter().map(Value::from)).collect();
        facts.insert("loadavg".into(), load.into());
    }
    facts
}

/// What Python the host has, if any: sasrun needs none, playbooks may.
fn python(sections: &Sections) -> Object {
    let mut facts = Object::new();
    let [path, said, ..] = sections.lines("python")[..] else {
        return facts;
    };
    let version = said.trim_start_matches("Python ").trim();
    let numbers: Vec<u64> = version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    let number = |at: usize| numbers.get(at).copied().unwrap_or(0);
    let (major, minor, micro) = (number(0), number(1), number(2));
    facts.insert("python_version".into(), version.into());
    facts.insert(
        "python".into(),
        json!({
            "executable": path, "type": "cpython", "has_sslcontext": true,
            "version": {"major": major, "minor": minor, "micro": micro, "releaselevel": "final", "serial": 0},
            "version_info": [major, minor, micro, "final", 0],
        }),
    );
    facts
}

fn dns(sections: &Sections) -> Object {
    let mut dns = Object::new();
    let mut servers = Vec::new();
    for line in sections.lines("dns") {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => servers.extend(words.next()),
            Some("domain") => {
                dns.insert("domain".into(), words.next().into());
            }
            Some("search") => {
                dns.insert("search".into(), json!(words.collect::<Vec<&str>>()));
            }
            Some("options") => {
                let options = words.map(|word| match word.split_once(':') {
                    Some((key, value)) => (key.to_owned(), Value::from(value)),
                    None => (word.to_owned(), Value::Bool(true)),
                });
                dns.insert("options".into(), options.collect::<Object>().into());
            }
            _ => {}
        }
    }
    if !servers.is_empty() {
        dns.insert("nameservers".into(), json!(servers));
    }
    dns
}

fn selinux(sections: &Sections) -> Value {
    let lines = sections.lines("selinux");
    match lines
        .first()
        .map(|line| line.trim().to_lowercase())
        .as_deref()
    {
        Some(mode @ ("enforcing" | "permissive")) => json!({
            "status": "enabled", "mode": mode, "config_mode": mode,
            "type": lines.get(1).copied().unwrap_or("unknown"),
        }),
        _ => json!({"status": "disabled"}),
    }
}

fn lsb(sections: &Sections) -> Object {
    let names = [
        ("DISTRIB_ID", "id"),
        ("DISTRIB_RELEASE", "release"),
        ("DISTRIB_DESCRIPTION", "description"),
        ("DISTRIB_CODENAME", "codename"),
    ];
    let mut lsb: Object = names
        .iter()
        .filter_map(|(key, name)| {
            let value = sections.value("lsb", key)?;
            Some(((*name).to_owned(), Value::from(value)))
        })
        .collect();
    let major = lsb
        .get("release")
        .and_then(Value::as_str)
        .and_then(|text| text.split('.').next());
    if let Some(major) = major.map(str::to_owned) {
        lsb.insert("major_release".into(), major.into());
    }
    lsb
}

/// Inside a changed root, ours and that of process 1 are not the same directory.
fn is_chroot(sections: &Sections) -> bool {
    let inodes: Vec<Option<&str>> = sections
        .lines("chroot")
        .iter()
        .map(|line| line.split_whitespace().next())
        .collect();
    matches!(inodes[..], [ours, theirs] if ours != theirs)
}

fn keys(sections: &Sections) -> Object {
    let mut keys = Object::new();
    for line in sections.lines("ssh_keys") {
        let mut words = line.split_whitespace();
        let (Some(kind), Some(key)) = (words.next(), words.next()) else {
            continue;
        };
        let short = match kind {
            "ssh-rsa" => "rsa",
            "ssh-dss" => "dsa",
            "ssh-ed25519" => "ed25519",
            _ => "ecdsa",
        };
        keys.insert(format!("ssh_host_key_{short}_public"), key.into());
        keys.insert(format!("ssh_host_key_{short}_public_keytype"), kind.into());
    }
    keys
}

pub(super) fn environment(sections: &Sections) -> Object {
    let mut variables = Object::new();
    let mut last: Option<String> = None;
    for line in sections.lines("env") {
        let pair = line.split_once('=').filter(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        match (pair, last.as_ref().and_then(|name| variables.get_mut(name))) {
            (Some((name, value)), _) => {
                variables.insert(name.to_owned(), value.into());
                last = Some(name.to_owned());
            }
            (None, Some(Value::String(value))) => {
                value.push('\n');
                value.push_str(line);
            }
            _ => {}
        }
    }
    object(json!({"env": variables}))
}

pub(super) fn virtualization(sections: &Sections) -> Object {
    let lines = sections.lines("virtual");
    let product = sections.value("virtual", "product").unwrap_or_default();
    let vendor = sections.value("virtual", "vendor").unwrap_or_default();
    let is = |line: &str| lines.contains(&line);
    let guest = if is("docker") {
        "docker"
    } else if is("podman") {
        "podman"
    } else if is("lxc") || is("lxc-libvirt") {
        "lxc"
    } else if is("systemd-nspawn") {
        "systemd-nspawn"
    } else if is("openvz") {
        "openvz"
    } else if is("kvm") || is("qemu") || product.contains("KVM") || vendor == "QEMU" {
        "kvm"
    } else if is("vmware") || product.contains("VMware") {
        "VMware"
    } else if is("oracle") || product == "VirtualBox" {
        "virtualbox"
    } else if is("microsoft")
        || vendor.contains("Microsoft Corporation") && product == "Virtual Machine"
    {
        "VirtualPC"
    } else if is("xen") {
        "xen"
    } else {
        ""
    };
    let (kind, role) = match guest {
        "" if is("hypervisor") => ("NA", "guest"),
        "" => ("NA", "NA"),
        guest => (guest, "guest"),
    };
    let tech: Vec<&str> = if guest.is_empty() {
        Vec::new()
    } else {
        vec![guest]
    };
    object(json!({
        "virtualization_type": kind, "virtualization_role": role,
        "virtualization_tech_guest": tech, "virtualization_tech_host": [],
    }))
}
