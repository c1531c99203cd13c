//! Names of groups that could not be names of variables, and what is made of them.

use std::borrow::Cow;

/// What is done with names of groups that could not be names of variables, as Ansible's setting
/// `force_valid_group_names` has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InvalidGroupNames {
    /// They stay, and a warning tells of them.
    #[default]
    Kept,
    /// They stay.
    KeptSilently,
    /// What is wrong in them becomes `_`, and a warning tells of it.
    Replaced,
    /// What is wrong in them becomes `_`.
    ReplacedSilently,
}

impl InvalidGroupNames {
    /// By the word of the setting. What is no such word replaces, as in Ansible.
    pub fn named(word: &str) -> Self {
        match word {
            "never" => Self::Kept,
            "ignore" => Self::KeptSilently,
            "silently" => Self::ReplacedSilently,
            _ => Self::Replaced,
        }
    }

    /// The name that a group has.
    pub(super) fn name(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Replaced | Self::ReplacedSilently if is_invalid(name) => {
                let mut valid: String = name
                    .chars()
                    .map(|c| if is_of_word(c) { c } else { '_' })
                    .collect();
                if valid.starts_with(char::is_numeric) {
                    let rest = valid.chars().skip(1);
                    valid = std::iter::once('_').chain(rest).collect();
                }
                Cow::Owned(valid)
            }
            _ => Cow::Borrowed(name),
        }
    }

    /// What is told where such names were found.
    pub(super) fn warning(self) -> Option<&'static str> {
        match self {
            Self::Kept => Some("Invalid characters were found in group names but not replaced"),
            Self::Replaced => {
                Some("Invalid characters were found in group names and automatically replaced")
            }
            Self::KeptSilently | Self::ReplacedSilently => None,
        }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a name could not be that of a variable.
pub(super) fn is_invalid(name: &str) -> bool {
    name.starts_with(char::is_numeric) || !name.chars().all(is_of_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_in_a_name_is_replaced() {
        let replaced = InvalidGroupNames::named("always");
        for (name, valid) in [
            ("a-b.c", "a_b_c"),
            ("1st", "_st"),
            ("größe", "größe"),
            ("", ""),
        ] {
            assert_eq!(replaced.name(name), valid);
            assert_eq!(InvalidGroupNames::named("never").name(name), name);
        }
    }
}
