//! Comparing a value of the response file with what a server holds.

use sha1::{Digest, Sha1};

use super::rule::Compare;
use super::verdict::{Judgement, Verdict};
use crate::base64;

/// How two host names were compared.
pub(super) type SameHost<'a> = &'a dyn Fn(&str, &str) -> bool;

/// Judges `wanted`, of the response file, by the values found; there is at least one.
pub(super) fn compare(
    how: Compare,
    wanted: &str,
    found: &[String],
    same_host: SameHost<'_>,
) -> Judgement {
    let any = |equal: &dyn Fn(&str) -> bool| found.iter().any(|value| equal(value));
    match how {
        Compare::Word => matched(any(&|value| value.eq_ignore_ascii_case(wanted))),
        Compare::Host => {
            if any(&|value| value.eq_ignore_ascii_case(wanted)) {
                return Judgement::matches();
            }
            if any(&|value| same_host(value, wanted)) {
                return Judgement::matches().finding("another_name");
            }
            matched(false)
        }
        Compare::Exported => exported(wanted, found),
        Compare::Password => matched(any(&|stored| is_password(stored, wanted))),
        Compare::Set => {
            let mut wanted: Vec<&str> = wanted.split(',').map(str::trim).collect();
            let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
            wanted.sort_unstable();
            found.sort_unstable();
            matched(wanted == found)
        }
        Compare::Exact | Compare::Port => one(found, &|value| value == wanted),
        Compare::Path => one(found, &|value| tidy(value) == tidy(wanted)),
    }
}

fn matched(is_equal: bool) -> Judgement {
    if is_equal {
        Judgement::matches()
    } else {
        Judgement::of(Verdict::Mismatch, "the server holds another value")
    }
}

/// Several different values say nothing for certain.
fn one(found: &[String], equal: &dyn Fn(&str) -> bool) -> Judgement {
    match found {
        [value] => matched(equal(value)),
        several if several.iter().all(|value| equal(value)) => Judgement::matches(),
        several => Judgement::of(
            Verdict::Indeterminate,
            format!("the server holds {} different values", several.len()),
        ),
    }
}

fn tidy(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => path,
        trimmed => trimmed,
    }
}

fn exported(wanted: &str, found: &[String]) -> Judgement {
    let wanted = tidy(wanted);
    if found.iter().any(|path| tidy(path) == wanted) {
        return Judgement::matches();
    }
    let parent = |path: &String| wanted.starts_with(&format!("{}/", tidy(path)));
    if found.iter().any(parent) {
        return Judgement::matches().finding("exported_through_parent");
    }
    Judgement::of(Verdict::Mismatch, "the server does not export it")
}

/// TRAP-05: plain, or `{ssha}` with the salt behind the digest.
fn is_password(stored: &str, wanted: &str) -> bool {
    let is_salted = stored
        .get(..6)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("{ssha}"));
    if !is_salted {
        return stored == wanted;
    }
    let bytes = stored.get(6..).and_then(base64::decode).unwrap_or_default();
    let Some((digest, salt)) = bytes.split_at_checked(20) else {
        return false;
    };
    let mut hash = Sha1::new();
    hash.update(wanted.as_bytes());
    hash.update(salt);
    hash.finalize().as_slice() == digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(how: Compare, wanted: &str, found: &[&str]) -> (Verdict, String) {
        let found: Vec<String> = found.iter().map(|value| (*value).to_owned()).collect();
        let same = |one: &str, other: &str| one == "filer" && other == "10.0.0.7";
        let judgement = compare(how, wanted, &found, &same);
        (judgement.verdict, judgement.finding)
    }

    #[test]
    fn each_kind_has_its_own_equality() {
        use Verdict::{Indeterminate, Match, Mismatch};
        let table = [
            (Compare::Exact, "a", &["a"][..], Match, ""),
            (Compare::Exact, "a", &["A"], Mismatch, ""),
            (Compare::Word, "osmedia", &["x", "OSMEDIA"], Match, ""),
            (Compare::Path, "/u01/db/", &["/u01/db"], Match, ""),
            (Compare::Path, "/a", &["/a", "/b"], Indeterminate, ""),
            (Compare::Port, "2001", &["2001", "2005"], Indeterminate, ""),
            (Compare::Host, "FILER", &["filer"], Match, ""),
            (Compare::Host, "10.0.0.7", &["filer"], Match, "another_name"),
            (Compare::Host, "10.0.0.8", &["filer"], Mismatch, ""),
            (
                Compare::Exported,
                "/media/linux",
                &["/media"],
                Match,
                "exported_through_parent",
            ),
            (Compare::Exported, "/media2", &["/media"], Mismatch, ""),
            (Compare::Set, "b:1, a:1", &["a:1", "b:1"], Match, ""),
            // Digest of `geheim` with the salt `salt`.
            (
                Compare::Password,
                "geheim",
                &["{SSHA}D9L1GVdFh4eHgHXQeB8pTEgIELxzYWx0"],
                Match,
                "",
            ),
            (
                Compare::Password,
                "other",
                &["{SSHA}D9L1GVdFh4eHgHXQeB8pTEgIELxzYWx0"],
                Mismatch,
                "",
            ),
            (Compare::Password, "x", &["{ssha}"], Mismatch, ""),
        ];
        for (how, wanted, found, expected, finding) in table {
            assert_eq!(
                verdict(how, wanted, found),
                (expected, finding.to_owned()),
                "{how:?} {wanted}"
            );
        }
    }
}
