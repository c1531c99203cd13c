//! Shell patterns of names, as regular expressions.

/// Turns a shell pattern into a regular expression for the whole name.
pub(crate) fn shell_pattern(pattern: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | ']' | '-');
    format!("^(?s:{})\\Z", translated(pattern, |c| !is_plain(c)))
}

/// Translates the signs of a shell pattern, which all kinds of regular expressions write alike; what else stands for itself is
/// escaped where that kind needs it.
pub(crate) fn translated(pattern: &str, needs_escape: impl Fn(char) -> bool) -> String {
    let mut regex = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => {
                regex.push('[');
                if rest.next_if_eq(&'!').is_some() {
                    regex.push('^');
                }
            }
            other => {
                if needs_escape(other) {
                    regex.push('\\');
                }
                regex.push(other);
            }
        }
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python_regex::{Flags, PythonRegex};

    #[test]
    fn shell_patterns_match_whole_names() {
        for (pattern, name, wanted) in [
            ("*.log", "a.log", true),
            ("*.log", "a.log.1", false),
            ("a?c", "abc", true),
            ("[!a]*", "abc", false),
            ("x[0-9]", "x5", true),
            ("a+b", "a+b", true),
        ] {
            let regex = PythonRegex::new(&shell_pattern(pattern), Flags::default()).unwrap();
            assert_eq!(regex.is_match(name), Ok(wanted), "{pattern} {name}");
        }
    }
}
