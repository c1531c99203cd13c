//! What runs on a host, from three sides: the script's word, the processes, the ports.
//!
//! The script may lie; processes and ports decide, and a contradiction is told.

use std::net::IpAddr;

use sasrun_plugin::Object;
use serde_json::{Value, json};

use super::signature;
use crate::processes;

/// The multi-purpose script of the product.
pub(super) const SCRIPT: &str = "/etc/init.d/opsware-sas";

/// Shell text that looks from all sides at once.
pub(super) fn script() -> String {
    format!(
        "echo =LIST\n{SCRIPT} list 2>&1\necho =STATUS\n{SCRIPT} status 2>&1\necho =PROCESSES\n{}\n\
         echo =LISTENERS\n\
         if [ -r /proc/net/tcp ]; then cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; \
         else netstat -an 2>/dev/null; fi\nexit 0\n",
        processes::LIST
    )
}

/// How a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Running,
    Stopped,
    /// Some of its signs are there, some are not.
    Half,
}

/// One service as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) standing: Standing,
    /// What the script says; none if it says nothing of it.
    pub(super) status: Option<bool>,
    /// Process lines.
    pub(super) processes: Vec<String>,
    /// Ports that should listen and do not.
    pub(super) closed_ports: Vec<u16>,
    pub(super) open_ports: Vec<u16>,
}

impl Service {
    /// Where the script's word and the signs disagree.
    pub(super) fn contradiction(&self) -> Option<String> {
        match (self.status, self.standing) {
            (Some(false), Standing::Running) => Some(format!(
                "opsware-sas says that {} does not run, but {}",
                self.name,
                self.evidence()
            )),
            (Some(true), Standing::Stopped) => Some(format!(
                "opsware-sas says that {} runs, but there is no process of it",
                self.name
            )),
            (Some(false), Standing::Half) if !self.processes.is_empty() => Some(format!(
                "opsware-sas says that {} does not run, but {}",
                self.name,
                self.evidence()
            )),
            _ => None,
        }
    }

    /// What is there of it, for people.
    pub(super) fn evidence(&self) -> String {
        let mut parts = Vec::new();
        if let Some(process) = self.processes.first() {
            parts.push(format!("there is the process `{}`", squeeze(process)));
        } else {
            parts.push("there is no process of it".to_owned());
        }
        let list = |ports: &[u16]| {
            ports
                .iter()
                .map(u16::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        if !self.open_ports.is_empty() {
            parts.push(format!("port {} listens", list(&self.open_ports)));
        }
        if !self.closed_ports.is_empty() {
            parts.push(format!("port {} does not listen", list(&self.closed_ports)));
        }
        parts.join(", ")
    }

    /// Numbers of its processes, which change when it is started anew.
    fn pids(&self) -> Vec<&str> {
        let is_number = |word: &&str| word.chars().all(|c| c.is_ascii_digit());
        let of_kernel = |word: &str| word.strip_prefix("/proc/").is_some();
        self.processes
            .iter()
            .filter_map(|line| {
                let mut words = line.split_whitespace().take(2);
                words.find(|word| is_number(word) || of_kernel(word))
            })
            .collect()
    }

    /// As playbooks see it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "state": match self.standing {
                Standing::Running => "running",
                Standing::Stopped => "stopped",
                Standing::Half => "half",
            },
            "status": self.status,
            "processes": self.processes.len(),
            "pids": self.pids(),
            "closed_ports": self.closed_ports,
        })
    }
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Ports of services that a site has put elsewhere, by service.
fn ports_of(name: &str, usual: Vec<u16>, ports: &Object) -> Vec<u16> {
    let own = ports
        .iter()
        .find(|(known, _)| *known == name || name.starts_with(&format!("{known}-")));
    match own.map(|(_, value)| value) {
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_u64)
            .filter_map(|port| u16::try_from(port).ok())
            .collect(),
        Some(value) => value
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .into_iter()
            .collect(),
        None => usual,
    }
}

/// Reads the answer to [`script`]: services in start order.
///
/// `address` is where the host is reached; a listener counts if it is bound there or to any.
pub(super) fn read(output: &str, address: &str, ports: &Object) -> Vec<Service> {
    let sections = Sections::of(output);
    let listeners = listeners(&sections.listeners, address);
    sections
        .list
        .iter()
        .filter(|line| is_name(line))
        .map(|name| observe(name, &sections, &listeners, ports))
        .collect()
}

fn is_name(line: &str) -> bool {
    !line.is_empty()
        && line
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn observe(name: &str, sections: &Sections<'_>, listeners: &[u16], ports: &Object) -> Service {
    let status = status(name, &sections.status);
    let Some(signs) = signature::signs(name) else {
        let standing = if status == Some(true) {
            Standing::Running
        } else {
            Standing::Stopped
        };
        let (processes, closed_ports, open_ports) = (Vec::new(), Vec::new(), Vec::new());
        return Service {
            name: name.to_owned(),
            standing,
            status,
            processes,
            closed_ports,
            open_ports,
        };
    };
    let processes: Vec<String> = sections
        .processes
        .iter()
        .filter(|line| {
            signs
                .processes
                .iter()
                .any(|sign| line.contains(sign.as_str()))
        })
        .filter(|line| !line.contains("<defunct>"))
        .map(|line| (*line).to_owned())
        .collect();
    let (open_ports, closed_ports): (Vec<u16>, Vec<u16>) = ports_of(name, signs.ports, ports)
        .into_iter()
        .partition(|port| listeners.contains(port));
    let standing = match (
        processes.is_empty(),
        open_ports.is_empty(),
        closed_ports.is_empty(),
    ) {
        (false, _, true) => Standing::Running,
        // Another program may hold a port of a stopped service; that alone is no sign of it.
        (true, _, _) => Standing::Stopped,
        (false, _, false) => Standing::Half,
    };
    Service {
        name: name.to_owned(),
        standing,
        status,
        processes,
        closed_ports,
        open_ports,
    }
}

/// Reads `Verify "spin" running: SUCCESS`; by the result's word, not by prose.
fn status(name: &str, lines: &[&str]) -> Option<bool> {
    let quoted = format!("\"{name}\"");
    let line = lines.iter().find(|line| line.contains(&quoted))?;
    if line.contains("FAILURE") {
        return Some(false);
    }
    line.contains("SUCCESS").then_some(true)
}

/// The parts of the answer.
#[derive(Default)]
struct Sections<'a> {
    list: Vec<&'a str>,
    status: Vec<&'a str>,
    processes: Vec<&'a str>,
    listeners: Vec<&'a str>,
}

impl<'a> Sections<'a> {
    fn of(output: &'a str) -> Self {
        let mut sections = Self::default();
        let mut current: Option<&mut Vec<&'a str>> = None;
        for line in output.lines() {
            match line {
                "=LIST" => current = Some(&mut sections.list),
                "=STATUS" => current = Some(&mut sections.status),
                "=PROCESSES" => current = Some(&mut sections.processes),
                "=LISTENERS" => current = Some(&mut sections.listeners),
                line => {
                    if let Some(current) = current.as_mut() {
                        current.push(line.trim());
                    }
                }
            }
        }
        sections
    }
}

/// Ports listened on at the host's own address or at any.
fn listeners(lines: &[&str], address: &str) -> Vec<u16> {
    let own: Option<IpAddr> = address.parse().ok();
    lines
        .iter()
        .filter_map(|line| kernel_listener(line).or_else(|| netstat_listener(line)))
        .filter(|(bound, _)| {
            bound.is_none_or(|bound| bound.is_unspecified() || own.is_none_or(|own| own == bound))
        })
        .map(|(_, port)| port)
        .collect()
}

/// Reads a line of `/proc/net/tcp` or `tcp6`: `0: 0101007F:03EC 00000000:0000 0A …`.
fn kernel_listener(line: &str) -> Option<(Option<IpAddr>, u16)> {
    let mut words = line.split_whitespace();
    words.next()?.strip_suffix(':')?;
    let (bound, port) = words.next()?.split_once(':')?;
    let state = words.nth(1)?;
    if state != "0A" {
        return None;
    }
    Some((kernel_address(bound), u16::from_str_radix(port, 16).ok()?))
}

/// Addresses stand there as words of the machine's order, in hexadecimal.
fn kernel_address(text: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for at in (0..text.len()).step_by(8) {
        let word = u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_le_bytes());
    }
    match bytes.len() {
        4 => Some(IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => Some(IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical()),
        _ => None,
    }
}

/// Reads a line of `netstat -an`: `127.0.0.1.1004 … LISTEN`, with a dot or colon before the port.
fn netstat_listener(line: &str) -> Option<(Option<IpAddr>, u16)> {
    if !line.contains("LISTEN") {
        return None;
    }
    let local = line.split_whitespace().find(|word| {
        word.rsplit(['.', ':'])
            .next()
            .is_some_and(|port| port.parse::<u16>().is_ok())
            && word.contains(['.', ':'])
    })?;
    let at = local.rfind(['.', ':'])?;
    let (bound, port) = (local.get(..at)?, local.get(at + 1..)?);
    let bound = if bound == "*" {
        None
    } else {
        bound.trim_matches(['[', ']']).parse().ok()
    };
    Some((bound, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "=LIST\nopswgw-cgw0-A\nopswgw-agw0-A\nspin\nvaultdaemon\nodd one\nmystery\n\
        =STATUS\nVerify \"opswgw-cgw0-A\" running: SUCCESS\nVerify \"opswgw-agw0-A\" running: SUCCESS\n\
        Verify \"spin\" running: FAILURE (process not running)\nVerify \"vaultdaemon\" running: SUCCESS\n\
        Verify \"mystery\" running: SUCCESS\n\
        =PROCESSES\nUID PID PPID C STIME TTY TIME CMD\n\
        root 10 1 0 10:00 ? 00:00:00 [opswgw-watchdog-2.1.1: cgw0-A] --PropertiesFile x\n\
        root 11 10 0 10:00 ? 00:00:00 [opswgw-gateway-2.1.1: cgw0-A] --PropertiesFile x --Child true\n\
        root 12 1 0 10:00 ? 00:00:00 [opswgw-gateway-2.1.1: agw0-A] --Child true\n\
        root 13 1 0 10:00 ? 00:00:00 /opt/opsware/bin/python daemonbot.pyc --conf /etc/opt/opsware/spin/spin.args\n\
        =LISTENERS\n  sl  local_address rem_address   st\n   0: 0101003D:07D1 00000000:0000 0A 0 0\n\
        1: 0100003D:1F95 00000000:0000 0A\n2: 0101003D:03EC 00000000:0000 0A\n3: 00000000:1F95 00000000:0000 0A\n\
        4: 0101003D:0BB9 0101003D:9999 01\n";

    #[test]
    fn processes_and_ports_decide_and_contradictions_are_told() {
        let services = read(HOST, "61.0.1.1", &Object::new());
        let seen: Vec<_> = services
            .iter()
            .map(|service| (service.name.as_str(), service.standing))
            .collect();
        assert_eq!(
            seen,
            [
                ("opswgw-cgw0-A", Standing::Running),
                // Its port is only that of an open connection, not of a listener.
                ("opswgw-agw0-A", Standing::Half),
                ("spin", Standing::Running),
                ("vaultdaemon", Standing::Stopped),
                ("mystery", Standing::Running),
            ]
        );
        let contradictions: Vec<_> = services.iter().filter_map(Service::contradiction).collect();
        assert_eq!(contradictions.len(), 2, "{contradictions:?}");
        assert!(contradictions[0].contains("spin does not run, but there is the process"));
        assert!(contradictions[1].contains("vaultdaemon runs, but there is no process"));
    }

    #[test]
    fn listeners_of_another_address_do_not_count() {
        let services = read(HOST, "61.0.1.2", &Object::new());
        assert_eq!(services[2].standing, Standing::Half);
        assert_eq!(services[2].closed_ports, [1004]);
    }

    #[test]
    fn a_site_s_own_ports_are_looked_for() {
        let ports: Object =
            serde_json::from_str(r#"{"spin": [2004], "opswgw-cgw0": 8085}"#).unwrap();
        let services = read(HOST, "61.0.1.1", &ports);
        assert_eq!(services[2].closed_ports, [2004]);
        assert_eq!(services[0].open_ports, [8085]);
    }

    #[test]
    fn listeners_are_read_in_all_three_forms() {
        let table = [
            (
                "0: 0100007F:0016 00000000:0000 0A 1",
                Some(("127.0.0.1", 22)),
            ),
            (
                "1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A",
                Some(("::", 80)),
            ),
            (
                "tcp 0 0 10.0.0.1:1004 0.0.0.0:* LISTEN",
                Some(("10.0.0.1", 1004)),
            ),
            (
                "10.0.0.1.1521 *.* 0 0 49152 0 LISTEN",
                Some(("10.0.0.1", 1521)),
            ),
            ("tcp 0 0 10.0.0.1:22 10.0.0.2:999 ESTABLISHED", None),
        ];
        for (line, wanted) in table {
            let found = kernel_listener(line).or_else(|| netstat_listener(line));
            let found = found.map(|(bound, port)| (bound.unwrap().to_string(), port));
            assert_eq!(
                found,
                wanted.map(|(bound, port)| (bound.to_owned(), port)),
                "{line}"
            );
        }
        assert_eq!(
            netstat_listener("*.111 *.* 0 0 49152 0 LISTEN"),
            Some((None, 111))
        );
    }
}
