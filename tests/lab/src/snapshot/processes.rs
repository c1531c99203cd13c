//! What runs on a host, read from the machine's `/proc`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// A process of the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Process {
    pub title: String,
    pub uid: u32,
    /// As the host numbers it: a restart shows.
    pub pid: i32,
}

/// A port on which a program of the host listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    pub protocol: String,
    pub address: Ipv4Addr,
    pub port: u16,
}

/// A mount of the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mount {
    pub place: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub source: String,
    pub options: String,
}

/// The mounts of the host whose first process has this number.
pub fn mounts(init: i32) -> io::Result<Vec<Mount>> {
    let table = std::fs::read_to_string(format!("/proc/{init}/mountinfo"))?;
    let mut mounts: Vec<_> = table.lines().filter_map(mount).collect();
    mounts.sort();
    Ok(mounts)
}

fn mount(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let left: Vec<_> = left.split(' ').collect();
    let mut right = right.split(' ');
    let place = (*left.get(4)?).to_owned();
    if place.starts_with("/.lab") {
        return None;
    }
    Some(Mount {
        place,
        kind: right.next()?.to_owned(),
        source: format!("{} {}", right.next()?, left.get(3)?),
        options: (*left.get(5)?).to_owned(),
    })
}

/// What one line of `/proc` says of a process.
struct Seen {
    parent: i32,
    title: String,
    uid: u32,
    inner_pid: i32,
}

/// The processes of the host whose first process has this number, and the ports that are open on it.
pub fn running(init: i32) -> io::Result<(Vec<Process>, Vec<Port>)> {
    let all = every_process()?;
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (pid, seen) in &all {
        children.entry(seen.parent).or_default().push(*pid);
    }
    let mut processes = Vec::new();
    let mut waiting: Vec<i32> = children.get(&init).cloned().unwrap_or_default();
    while let Some(pid) = waiting.pop() {
        let Some(seen) = all.get(&pid) else { continue };
        // Below the SSH server are logins: they come and go with whoever looks.
        if seen.title.starts_with("sshd: /usr/sbin/sshd") || seen.title.is_empty() {
            continue;
        }
        processes.push(Process {
            title: seen.title.clone(),
            uid: seen.uid,
            pid: seen.inner_pid,
        });
        waiting.extend(children.get(&pid).into_iter().flatten());
    }
    processes.sort();
    Ok((processes, ports(init)?))
}

fn every_process() -> io::Result<BTreeMap<i32, Seen>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        // A process may end while one looks at it.
        let (Ok(status), Ok(title)) = (
            std::fs::read_to_string(format!("/proc/{pid}/status")),
            std::fs::read(format!("/proc/{pid}/cmdline")),
        ) else {
            continue;
        };
        if let Some(seen) = seen(&status, &title) {
            all.insert(pid, seen);
        }
    }
    Ok(all)
}

fn seen(status: &str, title: &[u8]) -> Option<Seen> {
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    if field("State")?.trim().starts_with('Z') {
        return None;
    }
    let words = title
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy)
        .collect::<Vec<_>>();
    Some(Seen {
        parent: field("PPid")?.trim().parse().ok()?,
        title: words.join(" ").trim_end().to_owned(),
        uid: field("Uid")?.split_whitespace().next()?.parse().ok()?,
        inner_pid: field("NSpid")?.split_whitespace().last()?.parse().ok()?,
    })
}

fn ports(init: i32) -> io::Result<Vec<Port>> {
    let mut found = BTreeSet::new();
    for protocol in ["tcp", "udp"] {
        let table = std::fs::read_to_string(format!("/proc/{init}/net/{protocol}"))?;
        found.extend(
            table
                .lines()
                .skip(1)
                .filter_map(|line| port(protocol, line)),
        );
    }
    Ok(found.into_iter().collect())
}

/// Reads a line of the kernel's table of sockets; only listening ones count.
fn port(protocol: &str, line: &str) -> Option<Port> {
    let mut fields = line.split_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    let listens = if protocol == "tcp" { "0A" } else { "07" };
    if state != listens {
        return None;
    }
    let address = u32::from_str_radix(address, 16).ok()?;
    Some(Port {
        protocol: protocol.to_owned(),
        address: Ipv4Addr::from(address.to_ne_bytes()),
        port: u16::from_str_radix(port, 16).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listening_sockets_are_ports() {
        let listening =
            "   0: 01013D7F:1BBD 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 89539";
        let found = port("tcp", listening).unwrap();
        assert_eq!(
            (found.address, found.port),
            (Ipv4Addr::new(127, 61, 1, 1), 7101)
        );
        assert_eq!(port("tcp", &listening.replace(" 0A ", " 01 ")), None);
        assert_eq!(port("tcp", "garbage"), None);
    }

    #[test]
    fn a_mount_is_read_and_the_labs_own_are_passed_over() {
        let line =
            "36 35 98:0 /mnt1 /mnt/primary rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        let found = mount(line).unwrap();
        assert_eq!(
            (found.place.as_str(), found.kind.as_str()),
            ("/mnt/primary", "ext3")
        );
        assert_eq!(found.source, "/dev/root /mnt1");
        assert_eq!(mount(&line.replace("/mnt/primary", "/.lab/usr")), None);
    }

    #[test]
    fn the_dead_are_not_running() {
        let status = "Name:\tx\nState:\tS (sleeping)\nPPid:\t7\nUid:\t0\t0\t0\t0\nNSpid:\t90\t4\n";
        let found = seen(status, b"spin\0--conf\0").unwrap();
        assert_eq!(
            (found.parent, found.inner_pid, found.title.as_str()),
            (7, 4, "spin --conf")
        );
        assert!(seen(&status.replace("S (", "Z ("), b"").is_none());
    }
}
