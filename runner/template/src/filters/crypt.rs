//! Password hashes of `crypt(3)`: SHA-256 and SHA-512.

use sha2::{Digest, Sha256, Sha512};

use crate::eval::Call;
use crate::values::{Eval, Val};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Rounds that passlib, and with it Ansible, writes into the hash when none are asked for.
const DEFAULT_ROUNDS_SHA512: u32 = 656_000;
const DEFAULT_ROUNDS_SHA256: u32 = 535_000;

/// The filter `password_hash`.
pub(super) fn password_hash(call: &Call<'_>) -> Eval {
    let password = call.subject_text()?;
    let kind = call.text_or(0, "sha512")?;
    let size = call
        .int(2)?
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(16)
        .min(16);
    let salt = match call.text(1)? {
        Some(salt) => salt,
        None => {
            let mut seeds = Vec::new();
            while seeds.len() * 10 < size {
                seeds.push(call.session().world().random());
            }
            salt_from(&seeds, size)
        }
    };
    let rounds = call.int(3)?.and_then(|rounds| u32::try_from(rounds).ok());
    hash_password(&password, &kind, &salt, rounds)
        .map(Val::from)
        .map_err(|message| call.fail(message))
}

/// A salt from random numbers, ten letters from each.
pub(crate) fn salt_from(seeds: &[u64], size: usize) -> String {
    seeds
        .iter()
        .flat_map(|seed| (0..10).map(move |index| (seed >> (index * 6)) & 63))
        .take(size)
        .map(|index| char::from(ALPHABET[usize::try_from(index).unwrap_or(0) & 63]))
        .collect()
}

/// Hashes a password; the message says why it cannot.
pub(crate) fn hash_password(
    password: &str,
    kind: &str,
    salt: &str,
    rounds: Option<u32>,
) -> Result<String, String> {
    if salt.len() > 16 || !salt.bytes().all(|byte| ALPHABET.contains(&byte)) {
        return Err("salt must be at most 16 letters of a-z, A-Z, 0-9, '.' and '/'".to_owned());
    }
    let (id, default) = match kind {
        "sha512" | "sha512_crypt" => (6, DEFAULT_ROUNDS_SHA512),
        "sha256" | "sha256_crypt" => (5, DEFAULT_ROUNDS_SHA256),
        other => {
            return Err(format!(
                "hash type '{other}' is not offered; use sha512 or sha256"
            ));
        }
    };
    let rounds = rounds.unwrap_or(default).clamp(1000, 999_999_999);
    let encoded = if id == 6 {
        let digest = sha_crypt::<Sha512>(password.as_bytes(), salt.as_bytes(), rounds);
        encode(&digest, &order(64, 21, 63))
    } else {
        let digest = sha_crypt::<Sha256>(password.as_bytes(), salt.as_bytes(), rounds);
        encode(&digest, &order(32, 10, 31))
    };
    let stated = if rounds == 5000 {
        String::new()
    } else {
        format!("rounds={rounds}$")
    };
    Ok(format!("${id}${stated}{salt}${encoded}"))
}

/// The algorithm of Ulrich Drepper's specification.
fn sha_crypt<D: Digest>(password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let size = <D as Digest>::output_size();
    let repeated = |digest: &[u8], length: usize| -> Vec<u8> {
        digest.iter().copied().cycle().take(length).collect()
    };
    let b = D::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut a = D::new().chain_update(password).chain_update(salt);
    a.update(repeated(&b, password.len()));
    let mut length = password.len();
    while length > 0 {
        if length & 1 == 1 {
            a.update(&b);
        } else {
            a.update(password);
        }
        length >>= 1;
    }
    let a = a.finalize();
    let mut p = D::new();
    for _ in 0..password.len() {
        p.update(password);
    }
    let p = repeated(&p.finalize(), password.len());
    let mut s = D::new();
    for _ in 0..16 + usize::from(a[0]) {
        s.update(salt);
    }
    let s = repeated(&s.finalize(), salt.len());
    let mut c: Vec<u8> = a.to_vec();
    for round in 0..rounds {
        let mut next = D::new();
        if round % 2 == 1 {
            next.update(&p);
        } else {
            next.update(&c);
        }
        if round % 3 != 0 {
            next.update(&s);
        }
        if round % 7 != 0 {
            next.update(&p);
        }
        if round % 2 == 1 {
            next.update(&c);
        } else {
            next.update(&p);
        }
        c.copy_from_slice(&next.finalize());
    }
    debug_assert_eq!(c.len(), size);
    c
}

/// In which order the bytes of a digest are written, in groups of three.
fn order(size: usize, third: usize, last: usize) -> Vec<[Option<usize>; 3]> {
    let mut groups = Vec::new();
    let (mut a, mut b, mut c) = (0, third, third * 2);
    for _ in 0..third {
        groups.push([Some(a), Some(b), Some(c)]);
        // The two digests turn their columns in opposite ways.
        (a, b, c) = if size == 64 {
            (b + 1, c + 1, a + 1)
        } else {
            (c + 1, a + 1, b + 1)
        };
    }
    groups.push(if size == 64 {
        [None, None, Some(last)]
    } else {
        [None, Some(last), Some(last - 1)]
    });
    groups
}

fn encode(digest: &[u8], groups: &[[Option<usize>; 3]]) -> String {
    let mut out = String::new();
    for group in groups {
        let byte = |index: Option<usize>| {
            index
                .and_then(|index| digest.get(index))
                .map_or(0, |byte| u32::from(*byte))
        };
        let mut bits = byte(group[0]) << 16 | byte(group[1]) << 8 | byte(group[2]);
        let letters = match group {
            [None, None, _] => 2,
            [None, ..] => 3,
            _ => 4,
        };
        for _ in 0..letters {
            out.push(char::from(ALPHABET[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::hash_password;

    #[test]
    fn hashes_are_those_of_the_specification() {
        let cases = [
            (
                "sha512",
                "saltstring",
                10_000,
                "Hello world!",
                "$6$rounds=10000$saltstring$buk9gc9MDdd3Z11.ZzxK8sKnFNbxNdTnCf.XHjjiTHcgFuFgkKvBQPLIaUn4Ixl3TLN8ZgCk52MPgbWjATwhH0",
            ),
            (
                "sha512",
                "saltstring",
                5000,
                "Hello world!",
                "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
            ),
            (
                "sha256",
                "saltstring",
                5000,
                "Hello world!",
                "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
            ),
        ];
        for (kind, salt, rounds, password, expected) in cases {
            assert_eq!(
                hash_password(password, kind, salt, Some(rounds)).unwrap(),
                expected
            );
        }
    }
}
