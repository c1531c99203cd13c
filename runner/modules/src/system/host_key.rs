//! A line of `known_hosts`: names or their hash, kind and key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// Length of the blocks that SHA-1 works on.
const BLOCK_BYTES: usize = 64;

/// A key of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// `@cert-authority` or `@revoked`.
    pub(super) mark: Option<String>,
    pub(super) names: String,
    pub(super) kind: String,
    pub(super) body: String,
    comment: String,
}

impl Key {
    pub(super) fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let mut words = line.split_whitespace();
        let first = words.next()?;
        let mark = first.starts_with('@').then(|| first.to_owned());
        let names = if mark.is_some() { words.next()? } else { first };
        Some(Self {
            names: names.to_owned(),
            kind: words.next()?.to_owned(),
            body: words.next()?.to_owned(),
            comment: words.collect::<Vec<_>>().join(" "),
            mark,
        })
    }

    pub(super) fn line(&self) -> String {
        let mark = self.mark.as_deref().unwrap_or_default();
        let parts = [mark, &self.names, &self.kind, &self.body, &self.comment];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }

    /// Tells whether the line is about a host.
    pub(super) fn is_of(&self, name: &str) -> bool {
        if let Some(hidden) = self.names.strip_prefix("|1|") {
            let Some((salt, hash)) = hidden.split_once('|') else {
                return false;
            };
            return STANDARD
                .decode(salt)
                .is_ok_and(|salt| STANDARD.encode(keyed_hash(&salt, name.as_bytes())) == hash);
        }
        let matches = |pattern: &str| is_like(&pattern.to_lowercase(), name);
        let mut parts = self.names.split(',');
        let refused = parts
            .clone()
            .filter_map(|part| part.strip_prefix('!'))
            .any(matches);
        !refused && parts.any(matches)
    }

    /// Returns the key with the name hidden behind a hash.
    pub(super) fn hidden(&self, name: &str, salt: &[u8]) -> Self {
        let hash = STANDARD.encode(keyed_hash(salt, name.as_bytes()));
        Self {
            names: format!("|1|{}|{hash}", STANDARD.encode(salt)),
            ..self.clone()
        }
    }
}

/// Compares with a pattern of `*` and `?`.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(read) => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((place, from)) => {
                    at = place + 1;
                    read = from + 1;
                    star = Some((place, read));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

/// HMAC of SHA-1, by which names are hidden.
fn keyed_hash(salt: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = if salt.len() > BLOCK_BYTES {
        Sha1::digest(salt).to_vec()
    } else {
        salt.to_vec()
    };
    block.resize(BLOCK_BYTES, 0);
    let pad = |with: u8| -> Vec<u8> { block.iter().map(|byte| byte ^ with).collect() };
    let inner = Sha1::new()
        .chain_update(pad(0x36))
        .chain_update(text)
        .finalize();
    Sha1::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_names_are_known_again() {
        let key = Key::of("example.org ssh-rsa AAAA me").unwrap();
        let hidden = key.hidden("example.org", &[7; 20]);
        assert!(
            hidden
                .line()
                .starts_with("|1|BwcHBwcHBwcHBwcHBwcHBwcHBwc=|")
        );
        assert!(hidden.is_of("example.org") && !hidden.is_of("example.com"));
        let hash = keyed_hash(b"key", b"The quick brown fox jumps over the lazy dog");
        assert_eq!(STANDARD.encode(hash), "3nybhbi3iqa8ino29wqQcBydtNk=");
    }

    #[test]
    fn names_are_patterns() {
        let key = Key::of("@revoked *.example.org,!bad.example.org,h? ssh-rsa A").unwrap();
        assert!(key.is_of("a.example.org") && key.is_of("h1"));
        assert!(!key.is_of("bad.example.org") && !key.is_of("example.com"));
    }
}
