//! Response files, read and written back without losing a byte.
//!
//! Three dialects: `%key` with the value on the next line, `key: value`, and `key=value`. Unknown
//! keys, order, comments and line ends stay as they are; only lines of keys that are told to
//! change do.

use std::fmt;

/// How a file writes its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `%key` on one line, the value on the next.
    Percent,
    /// `key: value`.
    Colon,
    /// `key=value`.
    Equals,
}

/// Why a text is no response file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Too few of the known parameters in any dialect.
    Unknown { hits: usize },
    /// Known parameters in more than one dialect.
    Mixed,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { hits } => write!(
                formatter,
                "this is no response file: only {hits} known parameters were found, in none of the three dialects 5"
            ),
            Self::Mixed => formatter.write_str("this response file mixes two dialects"),
        }
    }
}

/// Names that prove a dialect; a file of the product has most of them.
const KNOWN: &[&str] = &[
    "cast.admin_pwd",
    "decrypt_passwd",
    "truth.authDom",
    "truth.dcId",
    "truth.dclId",
    "truth.dcNm",
    "truth.dcDispNm",
    "truth.dcSubDom",
    "truth.dest",
    "truth.gcPwd",
    "truth.lcrepPwd",
    "truth.aaPwd",
    "truth.orahome",
    "truth.pubViewsPwd",
    "truth.servicename",
    "truth.sourcePath",
    "truth.spinPwd",
    "truth.tnsdir",
    "truth.aaaPwd",
    "truth.truthPwd",
    "truth.twistPwd",
    "truth.vaultPwd",
    "twist.buildmgr.passwd",
    "twist.integration.passwd",
    "media_server.linux_media",
    "media_server.sunos_media",
    "word.remove_files",
    "media_server.windows_media",
    "media_server.windows_share_name",
    "media_server.windows_share_password",
    "boot_server.buildmgr_host",
    "boot_server.speed_duplex",
    "truth.uninstall.needdata",
    "truth.uninstall.aresure",
    "bootagent.host",
    "truth.sid",
    "save_crypto",
    "agent_gw_list_args",
    "default_locale",
    "ogfs.store.host",
    "ogfs.store.path",
    "ogfs.audit.host",
    "ogfs.audit.path",
    "truth.detuserpwd",
    "windows_util_loc",
    "cgw_admin_port",
    "cgw_address",
    "cgw_proxy_port",
    "agw_proxy_port",
    "cgw_tunnel_listener_port",
    "hub.ip",
];

/// Tells whether a parameter's value is a secret; any name that speaks of a password counts.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("pwd") || name.contains("passw") || name.contains("secret")
}

/// Puts right the one name that the guide itself misspells.
fn canonical(name: &str) -> &str {
    if name == "truth.dclId" {
        "truth.dcId"
    } else {
        name
    }
}

/// A response file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResponseFile {
    dialect: Dialect,
    /// Lines with their ends.
    lines: Vec<String>,
    /// Parameters in order: name, and the line of the value.
    parameters: Vec<(String, usize)>,
}

impl ResponseFile {
    /// Reads a text.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let dialect = detect(&lines)?;
        let mut parameters = Vec::new();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            if let Some(name) = name_of(dialect, line) {
                if dialect == Dialect::Percent {
                    at += 1;
                }
                parameters.push((canonical(name).to_owned(), at));
            }
            at += 1;
        }
        Ok(Self {
            dialect,
            lines,
            parameters,
        })
    }

    /// Value of a parameter; of duplicates the last one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, at) = self
            .parameters
            .iter()
            .rev()
            .find(|(known, _)| known == name)?;
        // A file cut off after `%key` has no line for its value.
        self.lines.get(*at).map(|line| self.value_in(line))
    }

    fn value_in<'a>(&self, line: &'a str) -> &'a str {
        let line = line.trim_end_matches(['\n', '\r']);
        match self.dialect {
            Dialect::Percent => line,
            Dialect::Colon => line
                .split_once(':')
                .map_or("", |(_, value)| value.strip_prefix(' ').unwrap_or(value)),
            Dialect::Equals => line.split_once('=').map_or("", |(_, value)| value),
        }
    }

    /// Names in order, each once.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.parameters {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Names that are given more than once.
    pub(crate) fn duplicates(&self) -> Vec<&str> {
        self.names()
            .into_iter()
            .filter(|name| {
                self.parameters
                    .iter()
                    .filter(|(known, _)| known == name)
                    .count()
                    > 1
            })
            .collect()
    }

    /// Values that no output may show.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.names()
            .into_iter()
            .filter(|name| is_secret(name))
            .filter_map(|name| self.get(name))
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Names whose values differ between two files, or that only one of them has.
    pub(crate) fn differences<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let mut names = self.names();
        for name in other.names() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
            .into_iter()
            .filter(|name| self.get(name) != other.get(name))
            .collect()
    }
}

/// Finds the dialect by the known names: at least five of one, none of the others.
fn detect(lines: &[String]) -> Result<Dialect, Unreadable> {
    let hits = |dialect: Dialect| -> usize {
        lines
            .iter()
            .filter_map(|line| name_of(dialect, line))
            .filter(|name| KNOWN.contains(name))
            .count()
    };
    let mut found: Vec<(Dialect, usize)> = [Dialect::Percent, Dialect::Colon, Dialect::Equals]
        .into_iter()
        .map(|dialect| (dialect, hits(dialect)))
        .filter(|(_, hits)| *hits > 0)
        .collect();
    found.sort_by_key(|(_, hits)| std::cmp::Reverse(*hits));
    match found.as_slice() {
        [(dialect, hits)] if *hits >= 5 => Ok(*dialect),
        [] | [_] => Err(Unreadable::Unknown {
            hits: found.first().map_or(0, |(_, hits)| *hits),
        }),
        _ => Err(Unreadable::Mixed),
    }
}

/// Name that a line gives in a dialect.
fn name_of(dialect: Dialect, line: &str) -> Option<&str> {
    let line = line.trim_end_matches(['\n', '\r']);
    if line.starts_with('#') {
        return None;
    }
    let name = match dialect {
        Dialect::Percent => line.strip_prefix('%')?.trim_end(),
        Dialect::Colon => line.split_once(':')?.0.trim(),
        Dialect::Equals => line.split_once('=')?.0.trim(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(dialect: Dialect, end: &str) -> String {
        let mut text = format!("# saved by the installer{end}");
        for (name, value) in [
            ("truth.sid", "truth"),
            ("truth.gcPwd", "a:b=c%d e"),
            ("truth.dest", ""),
            ("site.own", "x = y"),
            ("truth.dclId", "1"),
            ("hub.ip", "10.0.0.1"),
            ("cgw_admin_port", "8085"),
        ] {
            text += &match dialect {
                Dialect::Percent => format!("%{name}{end}{value}{end}"),
                Dialect::Colon => format!("{name}: {value}{end}"),
                Dialect::Equals => format!("{name}={value}{end}"),
            };
        }
        text
    }

    #[test]
    fn three_dialects_say_the_same() {
        for dialect in [Dialect::Percent, Dialect::Colon, Dialect::Equals] {
            for end in ["\n", "\r\n"] {
                let file = ResponseFile::read(&sample(dialect, end)).unwrap();
                assert_eq!(file.dialect, dialect);
                assert_eq!(file.get("truth.gcPwd"), Some("a:b=c%d e"), "{dialect:?}");
                assert_eq!(file.get("truth.dest"), Some(""));
                assert_eq!(file.get("truth.dcId"), Some("1"));
                assert_eq!(file.get("site.own"), Some("x = y"));
                assert_eq!(file.get("truth.dcNm"), None);
                assert_eq!(file.secrets(), ["a:b=c%d e"]);
                assert_eq!(file.names().len(), 7);
            }
        }
    }

    #[test]
    fn of_duplicates_the_last_one_holds_and_is_reported() {
        let text = sample(Dialect::Equals, "\n") + "truth.sid=other\n";
        let file = ResponseFile::read(&text).unwrap();
        assert_eq!(file.get("truth.sid"), Some("other"));
        assert_eq!(file.duplicates(), ["truth.sid"]);
    }

    #[test]
    fn what_is_no_response_file_is_refused() {
        assert_eq!(
            ResponseFile::read("a=1\n"),
            Err(Unreadable::Unknown { hits: 0 })
        );
        assert_eq!(
            ResponseFile::read("truth.sid=1\n"),
            Err(Unreadable::Unknown { hits: 1 })
        );
        let mixed = sample(Dialect::Equals, "\n") + "cgw_address: 1\n";
        assert_eq!(ResponseFile::read(&mixed), Err(Unreadable::Mixed));
        let cut = sample(Dialect::Percent, "\n") + "%truth.sid";
        assert_eq!(ResponseFile::read(&cut).unwrap().get("truth.sid"), None);
    }

    #[test]
    fn differences_are_names_alone() {
        let one = ResponseFile::read(&sample(Dialect::Equals, "\n")).unwrap();
        let text = sample(Dialect::Colon, "\n").replace("a:b=c%d e", "other") + "extra: 1\n";
        let other = ResponseFile::read(&text).unwrap();
        assert_eq!(one.differences(&other), ["truth.gcPwd", "extra"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(text in "(?s).{0,200}") {
            let whole = sample(Dialect::Percent, "\n") + &text;
            if let Ok(file) = ResponseFile::read(&whole) {
                prop_assert_eq!(file.lines.concat(), whole);
                for name in file.names() {
                    file.get(name);
                }
            }
        }
    }
}
