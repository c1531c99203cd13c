//! What the system calls itself, and who we are on it.

use sasrun_plugin::Object;
use serde_json::json;

use super::object;
use super::sections::Sections;

pub(super) fn facts(sections: &Sections) -> Object {
    let line = |at: usize| {
        sections
            .lines("platform")
            .get(at)
            .copied()
            .unwrap_or_default()
    };
    let (system, nodename, kernel, machine) = (line(0), line(1), line(2), line(3));
    let hostname = nodename.split('.').next().unwrap_or(nodename);
    let fqdn = sections.first("fqdn").unwrap_or(nodename);
    let domain = fqdn.split_once('.').map_or("", |(_, domain)| domain);
    let bits = sections.first("userspace").unwrap_or(match machine {
        "x86_64" | "aarch64" | "ppc64le" | "s390x" => "64",
        _ => "32",
    });
    let architecture = match machine {
        "i86pc" => "i386",
        "i486" | "i586" | "i686" => "i386",
        other => other,
    };
    let userspace = match (architecture, bits) {
        ("x86_64", "32") => "i386",
        (other, _) => other,
    };
    let mut facts = object(json!({
        "system": system, "nodename": nodename, "hostname": hostname, "fqdn": fqdn,
        "domain": domain, "kernel": kernel, "kernel_version": line(4), "machine": machine,
        "architecture": architecture, "userspace_bits": bits, "userspace_architecture": userspace,
    }));
    if let Some(id) = sections.first("machine_id") {
        facts.insert("machine_id".into(), id.into());
    }
    facts
}

pub(super) fn user(sections: &Sections) -> Object {
    let shown = sections.first("user").unwrap_or_default();
    let number = |key: &str| -> Option<u32> {
        let rest = shown.split_once(&format!("{key}="))?.1;
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    let name = shown
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or("", |(name, _)| name);
    let (uid, gid) = (number("uid"), number("gid"));
    let fields: Vec<&str> = sections
        .first("passwd")
        .unwrap_or_default()
        .split(':')
        .collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    object(json!({
        "user_id": name, "user_uid": uid, "user_gid": gid, "user_gecos": field(4),
        "user_dir": field(5), "user_shell": field(6), "real_user_id": uid, "effective_user_id": uid,
        "real_group_id": gid, "effective_group_id": gid,
    }))
}
