//! Comparing versions.

use std::cmp::Ordering;

use super::{Predicate, predicate};
use crate::eval::Call;
use crate::values::Eval;

pub(super) const TESTS: &[Predicate] = &[
    predicate("version", PARAMETERS, compare),
    predicate("version_compare", PARAMETERS, compare),
];

const PARAMETERS: &[&str] = &["version", "operator", "strict", "version_type"];

fn compare(call: &Call<'_>) -> Eval<bool> {
    let left = call.subject_text()?;
    let right = call.text_or(0, "")?;
    if left.is_empty() {
        return Err(call.fail("Input version value cannot be empty"));
    }
    if right.is_empty() {
        return Err(call.fail("Version parameter to compare against cannot be empty"));
    }
    let kind = match (call.some(2), call.text(3)?) {
        (Some(_), Some(_)) => {
            return Err(call.fail("cannot specify both 'strict' and 'version_type'"));
        }
        (Some(_), None) if call.flag(2, false)? => "strict".to_owned(),
        (_, Some(kind)) => kind,
        _ => "loose".to_owned(),
    };
    let order = match kind.as_str() {
        "loose" => loose(&left, &right),
        "strict" => strict(&left).zip(strict(&right)).map(|(a, b)| a.cmp(&b)),
        "semver" | "semantic" => semantic(&left, &right),
        "pep440" => pep440(&left).zip(pep440(&right)).map(|(a, b)| a.cmp(&b)),
        other => return Err(call.fail(format!("invalid version type ({other})"))),
    };
    let order = order.ok_or_else(|| {
        call.fail(format!(
            "version comparison failed: '{left}' and '{right}' cannot be compared"
        ))
    })?;
    let operator = call.text_or(1, "eq")?;
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order.is_eq(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        "!=" | "<>" | "ne" => order.is_ne(),
        other => return Err(call.fail(format!("invalid operator type ({other})"))),
    })
}

/// A part of a loose version. Parts of different kinds cannot be compared.
#[derive(Debug, PartialEq)]
enum Part {
    Number(u64),
    Word(String),
}

fn parts(version: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(c) = rest.chars().next() {
        let (is_digit, is_letter) = (c.is_ascii_digit(), c.is_ascii_lowercase());
        let end = rest
            .find(|other: char| {
                if is_digit {
                    !other.is_ascii_digit()
                } else if is_letter {
                    !other.is_ascii_lowercase()
                } else {
                    other.is_ascii_digit() || other.is_ascii_lowercase() || other == '.'
                }
            })
            .unwrap_or(rest.len())
            .max(c.len_utf8());
        let (part, after) = rest.split_at(end);
        rest = after;
        if part != "." {
            parts.push(match part.parse() {
                Ok(number) => Part::Number(number),
                Err(_) => Part::Word(part.to_owned()),
            });
        }
    }
    parts
}

fn loose(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (parts(left), parts(right));
    for (a, b) in left.iter().zip(&right) {
        let order = match (a, b) {
            (Part::Number(a), Part::Number(b)) => a.cmp(b),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            _ => return None,
        };
        if order.is_ne() {
            return Some(order);
        }
    }
    Some(left.len().cmp(&right.len()))
}

/// `1.2`, `1.2.3`, `1.2a1`: numbers, and a pre-release that comes before its release.
fn strict(version: &str) -> Option<([u64; 3], (u8, char, u64))> {
    let end = version.find(['a', 'b']).unwrap_or(version.len());
    let (numbers, pre) = version.split_at(end);
    let mut release = [0; 3];
    let given: Vec<&str> = numbers.split('.').collect();
    if !(2..=3).contains(&given.len()) {
        return None;
    }
    for (slot, number) in release.iter_mut().zip(given) {
        *slot = number.parse().ok()?;
    }
    let pre = match pre.chars().next() {
        Some(letter) => (0, letter, pre[1..].parse().ok()?),
        None => (1, ' ', 0),
    };
    Some((release, pre))
}

fn semantic(left: &str, right: &str) -> Option<Ordering> {
    let read = |version: &str| -> Option<(Vec<u64>, Option<Vec<String>>)> {
        let version = version.split('+').next()?;
        let (core, pre) = match version.split_once('-') {
            Some((core, pre)) => (core, Some(pre.split('.').map(str::to_owned).collect())),
            None => (version, None),
        };
        let numbers: Option<Vec<u64>> = core.split('.').map(|number| number.parse().ok()).collect();
        numbers
            .filter(|numbers| numbers.len() == 3)
            .map(|numbers| (numbers, pre))
    };
    let ((left, left_pre), (right, right_pre)) = (read(left)?, read(right)?);
    let order = left.cmp(&right);
    if order.is_ne() {
        return Some(order);
    }
    Some(match (left_pre, right_pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(left), Some(right)) => {
            for (a, b) in left.iter().zip(&right) {
                let order = match (a.parse::<u64>(), b.parse::<u64>()) {
                    (Ok(a), Ok(b)) => a.cmp(&b),
                    (Ok(_), Err(_)) => Ordering::Less,
                    (Err(_), Ok(_)) => Ordering::Greater,
                    (Err(_), Err(_)) => a.cmp(b),
                };
                if order.is_ne() {
                    return Some(order);
                }
            }
            left.len().cmp(&right.len())
        }
    })
}

/// Epoch, release without trailing zeros, and the rank of pre-, final, post- and development releases.
type PepKey = (u64, Vec<u64>, (i64, u64), i64, i64);

fn pep440(version: &str) -> Option<PepKey> {
    let version = version.trim().trim_start_matches('v').to_ascii_lowercase();
    let version = version.split('+').next()?;
    let (epoch, version) = match version.split_once('!') {
        Some((epoch, rest)) => (epoch.parse().ok()?, rest),
        None => (0, version),
    };
    let end = version
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(version.len());
    let (release, mut rest) = version.split_at(end);
    let mut release: Vec<u64> = release
        .trim_end_matches('.')
        .split('.')
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    while release.last() == Some(&0) {
        release.pop();
    }
    let (mut pre, mut post, mut dev) = ((3, 0), -1, i64::MAX);
    let mut has_pre = false;
    while !rest.is_empty() {
        rest = rest.trim_start_matches(['.', '-', '_']);
        let end = rest
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after = after.trim_start_matches(['.', '-', '_']);
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let number: u64 = after[..digits].parse().unwrap_or(0);
        rest = &after[digits..];
        let signed = i64::try_from(number).ok()?;
        match word {
            "a" | "alpha" => (pre, has_pre) = ((0, number), true),
            "b" | "beta" => (pre, has_pre) = ((1, number), true),
            "c" | "rc" | "pre" | "preview" => (pre, has_pre) = ((2, number), true),
            "post" | "rev" | "r" | "" => post = signed,
            "dev" => dev = signed,
            _ => return None,
        }
    }
    if dev != i64::MAX && !has_pre && post < 0 {
        pre = (-1, 0);
    }
    Some((epoch, release, pre, post, dev))
}
