//! Tunnels that a gateway opens (`TunnelSrc`): reading them, and adding one in the file's layout.

use serde_json::{Value, json};

use crate::properties::{Properties, list};

/// One tunnel: `host:port:cost:bandwidth[:certificate]`, in some files without the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tunnel {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) cost: u32,
    bandwidth: u32,
    pub(crate) certificate: Option<String>,
}

/// A tunnel that shall be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backup {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) cost: u32,
    pub(crate) bandwidth: u32,
    pub(crate) certificate: Option<String>,
}

/// What cannot be done to the tunnels of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TunnelError {
    #[error("line {line}: the tunnel {text:?} cannot be understood; nothing was changed")]
    Unreadable { line: usize, text: String },
    #[error(
        "the tunnel to {host} costs {cost}, not less than the backup tunnels' {backup}; \
         traffic would take the backup at all times"
    )]
    Dear {
        host: String,
        cost: u32,
        backup: u32,
    },
}

/// Costs from here on are those of backup tunnels.
const BACKUP_COST: u32 = 100;

impl Tunnel {
    fn read(text: &str) -> Option<Self> {
        let mut fields = text.splitn(2, ':');
        let host = fields.next().filter(|host| !host.is_empty())?;
        let mut rest = fields.next()?;
        let mut numbers = Vec::new();
        loop {
            let (field, behind) = rest.split_once(':').unwrap_or((rest, ""));
            let Ok(number) = field.trim().parse::<u32>() else {
                break;
            };
            numbers.push(number);
            rest = behind;
            if rest.is_empty() || numbers.len() == 3 {
                break;
            }
        }
        let (port, cost, bandwidth) = match numbers.as_slice() {
            [port, cost, bandwidth] => (Some(u16::try_from(*port).ok()?), *cost, *bandwidth),
            [cost, bandwidth] => (None, *cost, *bandwidth),
            _ => return None,
        };
        Some(Self {
            host: host.to_owned(),
            port,
            cost,
            bandwidth,
            certificate: (!rest.is_empty()).then(|| rest.to_owned()),
        })
    }

    fn to_text(&self) -> String {
        let mut text = self.host.clone();
        if let Some(port) = self.port {
            text.push_str(&format!(":{port}"));
        }
        text.push_str(&format!(":{}:{}", self.cost, self.bandwidth));
        if let Some(certificate) = &self.certificate {
            text.push_str(&format!(":{certificate}"));
        }
        text
    }

    pub(crate) fn to_value(&self) -> Value {
        json!({
            "host": self.host, "port": self.port, "cost": self.cost,
            "bandwidth": self.bandwidth, "certificate": self.certificate,
        })
    }

    fn is_backup(&self) -> bool {
        self.cost >= BACKUP_COST
    }
}

/// All tunnels of a file, in order.
pub(crate) fn tunnels(properties: &Properties) -> Result<Vec<Tunnel>, TunnelError> {
    let mut tunnels = Vec::new();
    for (number, entry) in properties.entries("TunnelSrc") {
        for text in list(entry.value) {
            tunnels.push(Tunnel::read(text).ok_or_else(|| TunnelError::Unreadable {
                line: number + 1,
                text: text.to_owned(),
            })?);
        }
    }
    Ok(tunnels)
}

/// Those wanted that are not there: a backup tunnel to that host, whatever its exact cost.
pub(crate) fn missing(present: &[Tunnel], wanted: &[Backup]) -> Result<Vec<Backup>, TunnelError> {
    let mut missing: Vec<Backup> = Vec::new();
    for backup in wanted {
        let there = present.iter().any(|tunnel| {
            tunnel.host == backup.host && tunnel.is_backup() == (backup.cost >= BACKUP_COST)
        });
        if !there && missing.iter().all(|other| other.host != backup.host) {
            missing.push(backup.clone());
        }
    }
    for backup in &missing {
        // Other backup tunnels are of that very cost; the cheapest of the rest is the normal way.
        let normal = present.iter().filter(|tunnel| tunnel.cost != backup.cost);
        if let Some(dear) = normal.min_by_key(|tunnel| tunnel.cost)
            && dear.cost >= backup.cost
        {
            return Err(TunnelError::Dear {
                host: dear.host.clone(),
                cost: dear.cost,
                backup: backup.cost,
            });
        }
    }
    Ok(missing)
}

/// Adds tunnels in the layout of those that are there; each must have its certificate.
pub(crate) fn add(properties: &mut Properties, present: &[Tunnel], new: &[Backup]) {
    let without_port = present.last().is_some_and(|tunnel| tunnel.port.is_none());
    for backup in new {
        let text = Tunnel {
            host: backup.host.clone(),
            port: (!without_port).then_some(backup.port),
            cost: backup.cost,
            bandwidth: backup.bandwidth,
            certificate: backup.certificate.clone(),
        }
        .to_text();
        let last = properties.entries("TunnelSrc").last();
        let last = last.map(|(number, entry)| {
            let in_list = list(entry.value).count() > 1;
            let extended = format!("{}{},{text}{}", entry.head, entry.value, entry.tail);
            (number, in_list, extended, format!("{}{text}", entry.head))
        });
        match last {
            Some((number, true, extended, _)) => {
                if let Some(line) = properties.lines.get_mut(number) {
                    line.text = extended;
                }
            }
            Some((number, false, _, line)) => properties.insert(number + 1, line),
            None => properties.insert(usize::MAX, format!("opswgw.TunnelSrc={text}")),
        }
    }
}

/// Takes every backup tunnel out of use, whole lines where nothing else is on them; gives their hosts.
pub(crate) fn remove_backups(properties: &mut Properties) -> Vec<String> {
    let mut removed = Vec::new();
    let is_backup = |text: &str| Tunnel::read(text).is_some_and(|tunnel| tunnel.is_backup());
    let mut edits: Vec<(usize, Option<String>)> = Vec::new();
    for (number, entry) in properties.entries("TunnelSrc") {
        let (backups, kept): (Vec<&str>, Vec<&str>) =
            list(entry.value).partition(|text| is_backup(text));
        if backups.is_empty() {
            continue;
        }
        removed.extend(
            backups
                .iter()
                .filter_map(|text| Some(Tunnel::read(text)?.host)),
        );
        let rest = format!("{}{}{}", entry.head, kept.join(","), entry.tail);
        edits.push((number, (!kept.is_empty()).then_some(rest)));
    }
    for (number, rest) in edits.into_iter().rev() {
        match rest {
            Some(text) => {
                if let Some(line) = properties.lines.get_mut(number) {
                    line.text = text;
                }
            }
            None => {
                properties.lines.remove(number);
            }
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn backup(host: &str) -> Backup {
        Backup {
            host: host.into(),
            port: 2001,
            cost: 200,
            bandwidth: 0,
            certificate: Some("/c/opswgw.pem".into()),
        }
    }

    fn added(text: &str, hosts: &[&str]) -> String {
        let mut properties = Properties::read(text);
        let present = tunnels(&properties).unwrap();
        let wanted: Vec<Backup> = hosts.iter().map(|host| backup(host)).collect();
        let new = missing(&present, &wanted).unwrap();
        add(&mut properties, &present, &new);
        properties.to_text()
    }

    #[test]
    fn s98_the_layout_that_is_there_is_followed() {
        let cases = [
            (
                "existing lines without a port",
                "opswgw.TunnelSrc=10.1.0.4:1:0:/c/a.pem\nopswgw.Gateway=agw0-A\n",
                "opswgw.TunnelSrc=10.1.0.4:1:0:/c/a.pem\nopswgw.TunnelSrc=10.2.0.3:200:0:/c/opswgw.pem\nopswgw.Gateway=agw0-A\n",
            ),
            (
                "five fields",
                "opswgw.TunnelSrc=10.1.0.4:2001:1:0:/c/a.pem\n",
                "opswgw.TunnelSrc=10.1.0.4:2001:1:0:/c/a.pem\nopswgw.TunnelSrc=10.2.0.3:2001:200:0:/c/opswgw.pem\n",
            ),
            (
                "a port and no certificate",
                "opswgw.TunnelSrc = 127.0.0.1:2002:1:0\n",
                "opswgw.TunnelSrc = 127.0.0.1:2002:1:0\nopswgw.TunnelSrc = 10.2.0.3:2001:200:0:/c/opswgw.pem\n",
            ),
            (
                "a comma list",
                "opswgw.TunnelSrc=127.0.0.1:2002:1:0,10.3.0.1:2001:200:0:/c/a.pem # all\n",
                "opswgw.TunnelSrc=127.0.0.1:2002:1:0,10.3.0.1:2001:200:0:/c/a.pem,10.2.0.3:2001:200:0:/c/opswgw.pem # all\n",
            ),
            (
                "no line at all",
                "opswgw.Gateway=agw0-A",
                "opswgw.Gateway=agw0-A\nopswgw.TunnelSrc=10.2.0.3:2001:200:0:/c/opswgw.pem\n",
            ),
            (
                "line ends of another system",
                "opswgw.TunnelSrc=127.0.0.1:2002:1:0\r\n",
                "opswgw.TunnelSrc=127.0.0.1:2002:1:0\r\nopswgw.TunnelSrc=10.2.0.3:2001:200:0:/c/opswgw.pem\r\n",
            ),
        ];
        for (name, before, after) in cases {
            assert_eq!(added(before, &["10.2.0.3"]), after, "{name}");
            assert_eq!(added(after, &["10.2.0.3"]), after, "{name}: twice");
        }
    }

    #[test]
    fn what_was_added_is_taken_away_again() {
        for text in [
            "opswgw.TunnelSrc=127.0.0.1:2002:1:0\nopswgw.Gateway=agw0-A\n",
            "opswgw.TunnelSrc=127.0.0.1:2002:1:0,10.9.0.1:2001:2:0:/c/a.pem # all\nopswgw.Gateway=agw0-A\r\n",
            "opswgw.TunnelSrc=10.1.0.4:1:0:/c/a.pem\n",
        ] {
            let with = added(text, &["10.2.0.3", "10.3.0.3"]);
            let mut properties = Properties::read(&with);
            assert_eq!(remove_backups(&mut properties), ["10.2.0.3", "10.3.0.3"]);
            assert_eq!(properties.to_text(), text);
            assert!(remove_backups(&mut properties).is_empty());
        }
    }

    #[test]
    fn a_normal_tunnel_to_the_host_is_no_backup_and_a_dear_one_is_refused() {
        let own = "opswgw.TunnelSrc=10.2.0.3:2001:1:0:/c/a.pem\n";
        assert!(added(own, &["10.2.0.3"]).contains(":200:0:"));
        let present = tunnels(&Properties::read("opswgw.TunnelSrc=10.1.0.1:2001:300:0\n")).unwrap();
        let error = missing(&present, &[backup("10.2.0.3")]).unwrap_err();
        assert!(
            matches!(error, TunnelError::Dear { cost: 300, .. }),
            "{error}"
        );
    }

    #[test]
    fn what_cannot_be_understood_is_not_touched() {
        for text in [
            "10.1.0.1",
            "10.1.0.1:1",
            ":2001:1:0",
            "10.1.0.1:x:1:0",
            "10.1.0.1:99999:1:0",
            "a:1:2\\",
        ] {
            let line = format!("opswgw.TunnelSrc={text}\n");
            let read = tunnels(&Properties::read(&line));
            assert!(
                matches!(read, Err(TunnelError::Unreadable { line: 1, .. })),
                "{text}: {read:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn adding_twice_is_adding_once_and_keeps_every_other_line(
            own in prop::option::of(prop::sample::select(vec![
                "opswgw.TunnelSrc=127.0.0.1:2002:1:0",
                "opswgw.TunnelSrc=127.0.0.1:1:0",
                "opswgw.TunnelSrc: 127.0.0.1:2002:1:0, 10.9.0.9:2001:200:0:/c/a.pem",
            ])),
            others in prop::collection::vec("(# |opswgw\\.X=)?[a-z0-9:,/ ]{0,12}", 0..5),
            at in 0_usize..5,
            hosts in prop::collection::vec("10\\.[1-3]\\.0\\.[1-3]", 1..4),
            unfinished in any::<bool>(),
        ) {
            let mut lines = others.clone();
            if let Some(own) = own {
                lines.insert(at.min(lines.len()), own.to_owned());
            }
            let mut text = lines.join("\n");
            if !unfinished {
                text.push('\n');
            }
            let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
            let once = added(&text, &hosts);
            prop_assert_eq!(&added(&once, &hosts), &once);
            let kept: Vec<&str> = once.lines().filter(|line| !line.contains("TunnelSrc")).collect();
            let had: Vec<&str> = text.lines().filter(|line| !line.contains("TunnelSrc")).collect();
            prop_assert_eq!(kept, had);
            let present = tunnels(&Properties::read(&once)).unwrap();
            for host in hosts {
                let there = present.iter().filter(|tunnel| tunnel.host == host && tunnel.cost == 200);
                prop_assert_eq!(there.count(), 1);
            }
        }
    }
}
