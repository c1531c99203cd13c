//! Host keys: files of known hosts in OpenSSH's form, and keys pinned by the inventory.
//!
//! Must not: write to any file, or accept a key for any reason but an entry that matches.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use russh::keys::{HashAlg, PublicKey};
use sha1::{Digest, Sha1};

use crate::error::Problem;
use crate::target::SshTarget;

/// All entries that say something about one host.
#[derive(Debug, Clone)]
pub(crate) struct KnownKeys {
    /// The name as files of known hosts have it.
    name: String,
    entries: Vec<Entry>,
    pinned: Vec<String>,
    is_checked: bool,
    /// The file that a new key belongs into.
    file: String,
}

#[derive(Debug, Clone)]
struct Entry {
    mark: Mark,
    key: PublicKey,
    place: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Key,
    Revoked,
    Authority,
}

impl KnownKeys {
    /// Reads what is known of a target's host.
    pub(crate) fn load(target: &SshTarget) -> Result<Self, Problem> {
        let name = match (&target.host_key_alias, target.port) {
            (Some(alias), _) => alias.to_lowercase(),
            (None, 22) => target.host.to_lowercase(),
            (None, port) => format!("[{}]:{port}", target.host.to_lowercase()),
        };
        let mut entries = Vec::new();
        for path in &target.known_hosts {
            let text = match std::fs::read(path) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => {
                    return Err(Problem::KnownHosts {
                        path: path.clone(),
                        reason: error.to_string(),
                    });
                }
            };
            entries.extend(parse(&text, path, &name));
        }
        let file = target
            .known_hosts
            .first()
            .cloned()
            .unwrap_or_else(|| PathBuf::from("~/.ssh/known_hosts"));
        Ok(Self {
            name,
            entries,
            pinned: target.pinned_keys.clone(),
            is_checked: target.host_key_checking,
            file: file.display().to_string(),
        })
    }

    /// The algorithms of the keys that would be accepted, so that the server is asked for one of those.
    pub(crate) fn algorithms(&self) -> Vec<russh::keys::Algorithm> {
        let pinned = self
            .pinned
            .iter()
            .filter_map(|pin| PublicKey::from_openssh(pin).ok())
            .map(|key| key.algorithm());
        let known = self
            .entries
            .iter()
            .filter(|entry| entry.mark == Mark::Key)
            .map(|entry| entry.key.algorithm());
        match self.pinned.is_empty() {
            true => known.collect(),
            false => pinned.collect(),
        }
    }

    /// Judges the key that the server has shown.
    pub(crate) fn judge(&self, key: &PublicKey) -> Result<(), Problem> {
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let same = |entry: &&Entry| entry.key.key_data() == key.key_data();
        let is_key = |entry: &&Entry| entry.mark == Mark::Key;
        if let Some(entry) = self
            .entries
            .iter()
            .filter(|entry| entry.mark == Mark::Revoked)
            .find(same)
        {
            return Err(Problem::HostKeyRevoked {
                name: self.name.clone(),
                fingerprint,
                place: entry.place.clone(),
            });
        }
        if !self.pinned.is_empty() {
            return self.judge_pinned(key, fingerprint);
        }
        if !self.is_checked || self.entries.iter().filter(is_key).any(|e| same(&e)) {
            return Ok(());
        }
        let algorithm = key.algorithm().to_string();
        match self.entries.iter().find(is_key) {
            Some(entry) => Err(Problem::HostKeyChanged {
                name: self.name.clone(),
                algorithm,
                fingerprint,
                place: entry.place.clone(),
            }),
            None => Err(self.unknown(key, algorithm, fingerprint)),
        }
    }

    fn judge_pinned(&self, key: &PublicKey, fingerprint: String) -> Result<(), Problem> {
        let matches = |pin: &String| {
            let pin = pin.trim();
            pin.trim_end_matches('=') == fingerprint
                || PublicKey::from_openssh(pin)
                    .is_ok_and(|known| known.key_data() == key.key_data())
        };
        if self.pinned.iter().any(matches) {
            return Ok(());
        }
        Err(Problem::HostKeyChanged {
            name: self.name.clone(),
            algorithm: key.algorithm().to_string(),
            fingerprint,
            place: "the inventory, which pins it,".to_owned(),
        })
    }

    fn unknown(&self, key: &PublicKey, algorithm: String, fingerprint: String) -> Problem {
        let encoded = key.to_openssh().unwrap_or_default();
        let encoded: Vec<&str> = encoded.split(' ').take(2).collect();
        let mut line = format!("{} {}", self.name, encoded.join(" "));
        if self.entries.iter().any(|e| e.mark == Mark::Authority) {
            line.push_str(
                "\n(a @cert-authority line exists for it, but host certificates are not supported)",
            );
        }
        Problem::HostKeyUnknown {
            name: self.name.clone(),
            algorithm,
            fingerprint,
            file: self.file.clone(),
            line,
        }
    }
}

/// Finds the entries of one host; lines that are no entries are passed over, as OpenSSH does.
fn parse(text: &str, path: &Path, name: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (mark, line) = match line.split_once(char::is_whitespace) {
            Some(("@revoked", rest)) => (Mark::Revoked, rest.trim_start()),
            Some(("@cert-authority", rest)) => (Mark::Authority, rest.trim_start()),
            _ => (Mark::Key, line),
        };
        let Some((patterns, key)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        if !matches_host(patterns, name) {
            continue;
        }
        let words: Vec<&str> = key.split_whitespace().take(2).collect();
        let Ok(key) = PublicKey::from_openssh(&words.join(" ")) else {
            tracing::warn!(
                "{}:{}: this host key cannot be read and is passed over",
                path.display(),
                index + 1
            );
            continue;
        };
        entries.push(Entry {
            mark,
            key,
            place: format!("{}:{}", path.display(), index + 1),
        });
    }
    entries
}

/// Tells whether a field of host patterns is about this name: hashed, or a list with wildcards and negations.
fn matches_host(patterns: &str, name: &str) -> bool {
    if let Some(hashed) = patterns.strip_prefix("|1|") {
        return matches_hash(hashed, name).unwrap_or(false);
    }
    let mut is_match = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if wildcard(&negated.to_lowercase(), name) => return false,
            Some(_) => {}
            None => is_match |= wildcard(&pattern.to_lowercase(), name),
        }
    }
    is_match
}

fn matches_hash(hashed: &str, name: &str) -> Option<bool> {
    let (salt, digest) = hashed.split_once('|')?;
    let decode = |text: &str| {
        STANDARD
            .decode(text)
            .or_else(|_| STANDARD_NO_PAD.decode(text))
            .ok()
    };
    Some(hmac_sha1(&decode(salt)?, name.as_bytes()) == decode(digest)?)
}

/// HMAC (RFC 2104) over SHA-1, which hashed host names are made with.
fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK_BYTES: usize = 64;
    let mut block = if key.len() > BLOCK_BYTES {
        Sha1::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    block.resize(BLOCK_BYTES, 0);
    let pad = |with: u8| block.iter().map(|b| b ^ with).collect::<Vec<u8>>();
    let inner = Sha1::new().chain_update(pad(0x36)).chain_update(message);
    Sha1::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize())
        .finalize()
        .to_vec()
}

/// Matches `*` and `?` as OpenSSH does.
pub(super) fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || Some(&c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|&b| b == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    fn judge(lines: &str, host: &str, port: u16) -> &'static str {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known_hosts");
        std::fs::write(&path, lines).unwrap();
        let target = SshTarget {
            port,
            known_hosts: vec![path],
            ..SshTarget::new(host, "root")
        };
        let known = KnownKeys::load(&target).unwrap();
        match known.judge(&PublicKey::from_openssh(KEY).unwrap()) {
            Ok(()) => "ok",
            Err(problem) => problem.kind(),
        }
    }

    #[test]
    fn entries_decide_about_keys() {
        let salt = STANDARD.encode([7u8; 20]);
        let hash = STANDARD.encode(hmac_sha1(&[7u8; 20], b"[core.example]:2222"));
        let hashed = format!("|1|{salt}|{hash} {KEY}");
        let cases = [
            (format!("core.example {KEY}"), "core.example", 22, "ok"),
            (
                format!("core.example {KEY} comment"),
                "CORE.example",
                22,
                "ok",
            ),
            (
                format!("core.example {KEY}"),
                "core.example",
                2222,
                "host_key_unknown",
            ),
            (
                format!("[core.example]:2222 {KEY}"),
                "core.example",
                2222,
                "ok",
            ),
            (
                format!("core.example {OTHER}"),
                "core.example",
                22,
                "host_key_changed",
            ),
            (
                format!("core.example {OTHER}\ncore.example {KEY}"),
                "core.example",
                22,
                "ok",
            ),
            (
                format!("*.example,!core.example {KEY}"),
                "core.example",
                22,
                "host_key_unknown",
            ),
            (
                format!("*.example,!db.example {KEY}"),
                "core.example",
                22,
                "ok",
            ),
            (format!("c?re.example {KEY}"), "core.example", 22, "ok"),
            (
                format!("@revoked * {KEY}\ncore.example {KEY}"),
                "core.example",
                22,
                "host_key_revoked",
            ),
            (
                format!("@cert-authority * {KEY}"),
                "core.example",
                22,
                "host_key_unknown",
            ),
            (hashed.clone(), "core.example", 2222, "ok"),
            (hashed, "core.example", 22, "host_key_unknown"),
            (
                "# nothing\nnot an entry\n".to_owned(),
                "core.example",
                22,
                "host_key_unknown",
            ),
        ];
        for (lines, host, port, expected) in cases {
            assert_eq!(
                judge(&lines, host, port),
                expected,
                "{lines} for {host}:{port}"
            );
        }
    }

    #[test]
    fn hashed_names_are_those_of_openssh() {
        // RFC 2202, case 2.
        let digest = hmac_sha1(b"Jefe", b"what do ya want for nothing?");
        let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    #[test]
    fn a_pinned_key_is_the_only_one_accepted() {
        let key = PublicKey::from_openssh(KEY).unwrap();
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        for (pin, is_accepted) in [(KEY, true), (&*fingerprint, true), (OTHER, false)] {
            let target = SshTarget {
                pinned_keys: vec![pin.to_owned()],
                host_key_checking: false,
                ..SshTarget::new("core", "root")
            };
            let known = KnownKeys::load(&target).unwrap();
            assert_eq!(known.judge(&key).is_ok(), is_accepted, "{pin}");
        }
    }
}
