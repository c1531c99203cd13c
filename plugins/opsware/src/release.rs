//! Releases of the product: parsed, compared through the table of their other spellings.
//!
//! Only names of releases; how one is read from a host is the version probe's business.

use std::fmt;

/// A release under its one canonical name.
///
/// `6.51.x` and `6.5.1.x` are the same train, so are `6.6.1` and `6.61`; package letters such as
/// `32.f` stand for the release that they were shipped with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Release(String);

/// The release that every procedure here leads to.
pub(crate) const TARGET: &str = "6.61";

impl Release {
    /// Reads a release as people, media and packages spell it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text
            .trim()
            .trim_start_matches("opsware_")
            .trim_start_matches("opware_");
        let text = text.to_ascii_lowercase();
        if let Some(letters) = text.strip_prefix("32.") {
            return Self::of_letters(letters);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let (last, front) = parts.split_last()?;
        if !front.iter().copied().all(numeric) || !(numeric(last) || *last == "x") {
            return None;
        }
        let canonical = match parts.as_slice() {
            ["6", "61"] | ["6", "6", "1"] => TARGET.to_owned(),
            ["6", "6"] | ["6", "6", "0"] => "6.6".to_owned(),
            ["6", "51"] | ["6", "5", "1"] => "6.5.1".to_owned(),
            ["6", "51", patch] | ["6", "5", "1", patch] => format!("6.5.1.{patch}"),
            _ => parts.join("."),
        };
        Some(Self(canonical))
    }

    /// Reads the letters behind the train number of a package version.
    fn of_letters(letters: &str) -> Option<Self> {
        let canonical = match letters.split_once('.') {
            None => match letters {
                "d" => "6.5.1".to_owned(),
                "f" => "6.6".to_owned(),
                "g" => TARGET.to_owned(),
                _ => return None,
            },
            Some(("d", patch)) => format!("6.5.1.{patch}"),
            Some(_) => return None,
        };
        Some(Self(canonical))
    }

    /// Its canonical name.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Tells whether an installed release is the one that is meant; `x` stands for any patch, and
    /// for none.
    pub(crate) fn is_met_by(&self, installed: &Self) -> bool {
        match self.0.strip_suffix(".x") {
            Some(train) => {
                installed.0 == train
                    || installed
                        .0
                        .strip_prefix(train)
                        .is_some_and(|rest| rest.starts_with('.'))
            }
            None => self == installed,
        }
    }

    /// Tells whether the guide knows an upgrade from here to the target.
    pub(crate) fn is_supported_start(&self) -> bool {
        self.0 == "6.6" || self.0 == "6.5.1" || self.0.starts_with("6.5.1.")
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_release_are_equal() {
        let table = [
            ("6.61", "6.61"),
            ("6.6.1", "6.61"),
            ("6.6", "6.6"),
            ("6.51.3", "6.5.1.3"),
            ("6.5.1.3", "6.5.1.3"),
            ("6.51.x", "6.5.1.x"),
            ("32.d", "6.5.1"),
            ("32.d.2", "6.5.1.2"),
            ("32.f", "6.6"),
            ("opsware_32.g", "6.61"),
            ("6.5.0", "6.5.0"),
        ];
        for (text, canonical) in table {
            assert_eq!(Release::parse(text).unwrap().name(), canonical, "{text}");
        }
        for text in ["", "six", "6.", "32.zz", "6.x.1"] {
            assert_eq!(Release::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_train_is_met_by_its_patches_alone() {
        let train = Release::parse("6.51.x").unwrap();
        for (installed, met) in [
            ("6.5.1", true),
            ("6.5.1.7", true),
            ("6.6", false),
            ("6.5.0", false),
        ] {
            assert_eq!(
                train.is_met_by(&Release::parse(installed).unwrap()),
                met,
                "{installed}"
            );
        }
    }

    #[test]
    fn starts_are_those_of_the_guide() {
        for (start, supported) in [
            ("6.6", true),
            ("6.5.1.2", true),
            ("6.5.0", false),
            ("6.61", false),
        ] {
            assert_eq!(
                Release::parse(start).unwrap().is_supported_start(),
                supported,
                "{start}"
            );
        }
    }
}
