//! Taking values out of the files of a server. Pure text work; any bytes may come.

use super::rule::{MountPart, PropertyPart, Take};
use crate::base64;

/// What a reader may know besides the text.
pub(super) struct Context<'a> {
    /// The value that the response file gives.
    pub(super) wanted: &'a str,
    /// Name of the Windows share that the response file gives.
    pub(super) share: &'a str,
    /// For the server of a mount: its directory, as the response file gives it.
    pub(super) directory: &'a str,
}

/// Every value that the text holds, in order, without repetitions.
pub(super) fn take(how: &Take, text: &str, context: &Context<'_>) -> Vec<String> {
    let mut values = match how {
        Take::Whole => vec![strip_line_end(text).to_owned()],
        Take::Word => vec![text.trim().to_owned()],
        Take::Password => password(text, context.wanted),
        Take::Ldif { record, attribute } => ldif(text, record, attribute),
        Take::Exports => exports(text),
        Take::SharePath => share_path(text, context.share),
        Take::ShareNames => shares(text).into_iter().map(|(name, _)| name).collect(),
        Take::AgentGateways => agent_gateways(text),
        Take::Mount { end, part } => mounts(text, end, *part, context.directory),
        Take::Property { key, part } => property(text, key, *part),
        Take::Rule { begins, port } => rule(text, begins, port),
    };
    let mut seen: Vec<String> = Vec::new();
    values.retain(|value| {
        let is_new = !seen.contains(value);
        seen.push(value.clone());
        is_new
    });
    values
}

/// TRAP-44: one line end, and nothing else.
pub(super) fn strip_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn password(text: &str, wanted: &str) -> Vec<String> {
    let whole = strip_line_end(text);
    if whole == wanted {
        return vec![whole.to_owned()];
    }
    // Some files give the password behind a name.
    let named = text.lines().find_map(|line| {
        let (name, value) = line.split_once(['=', ':'])?;
        let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
        (is_name && value.trim() == wanted).then(|| value.trim().to_owned())
    });
    vec![named.unwrap_or_else(|| whole.to_owned())]
}

/// The attribute of the record whose name begins so; folded lines joined, Base64 opened.
fn ldif(text: &str, record: &str, attribute: &str) -> Vec<String> {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "");
    let mut values = Vec::new();
    for block in unfolded.split("\n\n") {
        let lines = || block.lines().filter_map(|line| line.split_once(':'));
        let is_meant = lines().any(|(name, value)| {
            name.eq_ignore_ascii_case("dn") && value.trim().to_ascii_lowercase().starts_with(record)
        });
        if !is_meant {
            continue;
        }
        for (_, value) in lines().filter(|(name, _)| name.eq_ignore_ascii_case(attribute)) {
            let opened = value.strip_prefix(':').map(|coded| {
                let bytes = base64::decode(coded.trim()).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            });
            values.push(opened.unwrap_or_else(|| value.trim().to_owned()));
        }
    }
    values
}

/// `/etc/exports` and `/etc/dfs/dfstab`.
fn exports(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    joined
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| match line.strip_prefix("share ") {
            Some(rest) => rest
                .split_whitespace()
                .rfind(|word| word.starts_with('/'))
                .map(str::to_owned),
            None => match line.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().map(str::to_owned),
                None => line.split_whitespace().next().map(str::to_owned),
            },
        })
        .filter(|path| path.starts_with('/'))
        .collect()
}

/// Shares of an `smb.conf` with their paths, but for the sections that are none.
fn shares(text: &str) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            found.push((name.trim().to_owned(), None));
        } else if let (Some((key, value)), Some((_, path))) =
            (line.split_once('='), found.last_mut())
            && key.trim().eq_ignore_ascii_case("path")
        {
            *path = Some(value.trim().to_owned());
        }
    }
    let is_share =
        |name: &str| !["global", "homes", "printers"].contains(&name.to_ascii_lowercase().as_str());
    found.retain(|(name, _)| is_share(name));
    found
}

fn share_path(text: &str, share: &str) -> Vec<String> {
    let all = shares(text);
    let named = all
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(share));
    let with_path: Vec<&String> = all.iter().filter_map(|(_, path)| path.as_ref()).collect();
    match (named, with_path.as_slice()) {
        (Some((_, Some(path))), _) => vec![path.clone()],
        (_, [only]) => vec![(*only).clone()],
        _ => Vec::new(),
    }
}

/// Mounts by NFS of `fstab` or `mnttab`, by the end of the mount point; where none ends so, those
/// of the wanted directory.
fn mounts(text: &str, end: &str, part: MountPart, directory: &str) -> Vec<String> {
    let entries: Vec<(&str, &str, &str)> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(nfs_entry)
        .collect();
    let of = |(host, path, _): &(&str, &str, &str)| match part {
        MountPart::Host => (*host).to_owned(),
        MountPart::Path => (*path).to_owned(),
    };
    let by_end: Vec<String> = entries
        .iter()
        .filter(|(_, _, point)| point.ends_with(end))
        .map(of)
        .collect();
    if !by_end.is_empty() {
        return by_end;
    }
    entries
        .iter()
        .filter(|(_, path, _)| *path == directory)
        .map(of)
        .collect()
}

/// Server, directory and mount point; the type may be run together with the point (TRAP-25).
fn nfs_entry(line: &str) -> Option<(&str, &str, &str)> {
    let mut words = line.split_whitespace();
    let (source, point) = (words.next()?, words.next()?);
    let (host, path) = match source.strip_prefix('[') {
        Some(rest) => rest.split_once("]:")?,
        None => source.split_once(':')?,
    };
    if !path.starts_with('/') {
        return None;
    }
    let kind = words.next().unwrap_or_default();
    // `vfstab` puts a mount point third; these tables put the type there.
    if kind.starts_with("nfs") {
        return Some((host, path, point));
    }
    point.strip_suffix("nfs").map(|point| (host, path, point))
}

/// Values of a gateway's key: comma lists taken apart, comments behind a value taken off.
fn settings<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    for line in text.lines().map(str::trim_start) {
        let Some(rest) = line
            .strip_prefix("opswgw.")
            .and_then(|rest| rest.strip_prefix(key))
        else {
            continue;
        };
        let Some(value) = rest.trim_start().strip_prefix(['=', ':']) else {
            continue;
        };
        let value = value.split(" #").next().unwrap_or_default();
        values.extend(
            value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty()),
        );
    }
    values
}

fn port(entry: &str) -> Option<&str> {
    entry
        .split(':')
        .map(str::trim)
        .find(|field| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit()))
}

fn property(text: &str, key: &str, part: PropertyPart) -> Vec<String> {
    let entries = settings(text, key);
    let entries = entries.into_iter();
    match part {
        PropertyPart::Value => entries.map(str::to_owned).collect(),
        PropertyPart::Port => entries.filter_map(port).map(str::to_owned).collect(),
        PropertyPart::Listener => entries
            .filter(|entry| entry.contains(":/"))
            .filter_map(port)
            .map(str::to_owned)
            .collect(),
    }
}

fn agent_gateways(text: &str) -> Vec<String> {
    let ports = property(text, "ProxyPort", PropertyPart::Port);
    let port = ports.first().map_or("3001", String::as_str);
    settings(text, "GWAddress")
        .into_iter()
        .map(|address| format!("{address}:{port}"))
        .collect()
}

/// Targets with this port of the rule that begins so; blanks inside do not count (TRAP-23).
fn rule(text: &str, begins: &str, port: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for entry in settings(text, "LoadBalanceRule") {
        let entry: String = entry.chars().filter(|c| !c.is_whitespace()).collect();
        let Some(rest) = entry
            .strip_prefix(begins)
            .and_then(|rest| rest.strip_prefix(':'))
        else {
            continue;
        };
        let fields: Vec<&str> = rest.split(':').collect();
        for pair in fields.chunks(2) {
            if let [host, target_port] = pair
                && *target_port == port
            {
                targets.push((*host).to_owned());
            }
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(how: &str, text: &str, wanted: &str) -> Vec<String> {
        let how: Take = serde_json::from_str(how).unwrap();
        take(
            &how,
            text,
            &Context {
                wanted,
                share: "osmedia",
                directory: wanted,
            },
        )
    }

    #[test]
    fn values_are_found_in_every_form() {
        let ldif = r#"{"ldif":{"record":"uid=integration,ou=people","attribute":"userpassword"}}"#;
        let store = r#"{"mount":{"end":"/store","part":"host"}}"#;
        let path = r#"{"mount":{"end":"/audit","part":"path"}}"#;
        let listener = r#"{"property":{"key":"TunnelDst","part":"listener"}}"#;
        let hub = r#"{"rule":{"begins":"tcp:hub:ssh:STICKY","port":"2222"}}"#;
        let cases: &[(&str, &str, &str, &[&str])] = &[
            (r#""whole""#, "geheim \n", "", &["geheim "]),
            (r#""whole""#, "geheim\r\n", "", &["geheim"]),
            (r#""word""#, " autoneg\n\n", "", &["autoneg"]),
            (
                r#""password""#,
                "twist.passwd=geheim\n",
                "geheim",
                &["geheim"],
            ),
            (r#""password""#, "other\n", "geheim", &["other"]),
            (
                ldif,
                "dn: uid=admin,ou=people,@realm@\nuserpassword: no\n\ndn: uid=Integration,ou=people,@realm@\nuserPassword: ge\n heim\n",
                "",
                &["geheim"],
            ),
            (
                ldif,
                "dn: uid=integration,ou=people\nuserpassword:: Z2VoZWlt\n",
                "",
                &["geheim"],
            ),
            (ldif, "dn: uid=admin,ou=people\nuserpassword: no\n", "", &[]),
            (
                r#""exports""#,
                "# all\n/media/linux *(ro)\n\"/media/sun os\" *(ro) \\\n x(rw)\n",
                "",
                &["/media/linux", "/media/sun os"],
            ),
            (
                r#""exports""#,
                "share -F nfs -o ro -d \"OS media\" /media/linux\n",
                "",
                &["/media/linux"],
            ),
            (
                r#""share_path""#,
                "[global]\npath=/no\n[OSMEDIA]\n  path = /media/windows\n; path = /x\n",
                "",
                &["/media/windows"],
            ),
            (r#""share_path""#, "[other]\npath=/only\n", "", &["/only"]),
            (
                r#""share_path""#,
                "[one]\npath=/1\n[two]\npath=/2\n",
                "",
                &[],
            ),
            (
                r#""share_names""#,
                "[global]\n[OSMEDIA]\n[printers]\n",
                "",
                &["OSMEDIA"],
            ),
            (
                store,
                "# Begin\nfiler:/export/store /var/opt/OPSWmnt/store nfs rw 0 0\n",
                "",
                &["filer"],
            ),
            (
                store,
                "filer:/export/store\t/var/opt/opsware/ogfs/mnt/store\tnfs\trw\t1\n",
                "",
                &["filer"],
            ),
            (
                store,
                "filer:/export/store\t/var/opt/opsware/ogfs/mnt/storenfs\trw\t1\n",
                "",
                &["filer"],
            ),
            (
                store,
                "/export/store\t/var/opt/opsware/ogfs/mnt/store\tlofs\trw\t1\n",
                "",
                &[],
            ),
            (
                path,
                "filer:/export/audit /srv/elsewhere nfs rw 0 0\n",
                "/export/audit",
                &["/export/audit"],
            ),
            (
                path,
                "filer:/export/other /srv/elsewhere nfs rw 0 0\n",
                "/export/audit",
                &[],
            ),
            (
                listener,
                "opswgw.TunnelDst=2001:/c/opswgw.pem\nopswgw.TunnelDst=127.0.0.1:2002\n",
                "",
                &["2001"],
            ),
            (
                listener,
                "opswgw.TunnelDst=127.0.0.1:2002, 10.0.0.1:2001:/c/opswgw.pem\n",
                "",
                &["2001"],
            ),
            (listener, "opswgw.TunnelDst=127.0.0.1:2002\n", "", &[]),
            (
                listener,
                "opswgw.TunnelDst=2001:/c/a.pem,2005:/c/a.pem\n",
                "",
                &["2001", "2005"],
            ),
            (
                r#"{"property":{"key":"AdminPort","part":"port"}}"#,
                "#opswgw.AdminPort=1\nopswgw.AdminPort = 10.0.0.1:8085:/c/a.pem # here\n",
                "",
                &["8085"],
            ),
            (
                r#""agent_gateways""#,
                "opswgw.GWAddress=10.0.0.9\nopswgw.ProxyPort=3001\n",
                "",
                &["10.0.0.9:3001"],
            ),
            (
                hub,
                "opswgw.LoadBalanceRule=tcp:way:1018:STICKY:10.0.0.1:1018,tcp:hub:ssh: STICKY:10.0.0.2:2222:10.0.0.3:2222\n",
                "",
                &["10.0.0.2", "10.0.0.3"],
            ),
        ];
        for (how, text, wanted, values) in cases {
            assert_eq!(taken(how, text, wanted), *values, "{how}: {text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(?s)(opswgw\\.[A-Z]|[a-z:/=\\[\\]\" ,\t\n#]|share |nfs|\u{e9}){0,60}") {
            for how in [
                r#""whole""#, r#""password""#, r#""exports""#, r#""share_path""#, r#""share_names""#, r#""agent_gateways""#,
                r#"{"ldif":{"record":"a","attribute":"b"}}"#, r#"{"mount":{"end":"/a","part":"host"}}"#,
                r#"{"property":{"key":"A","part":"listener"}}"#, r#"{"rule":{"begins":"a","port":"b"}}"#,
            ] {
                taken(how, &text, "x");
            }
        }
    }
}
