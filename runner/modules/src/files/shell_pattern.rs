//! Shell patterns of names, as regular expressions.

/// Turns a shell pattern into a regular expression for the whole name.
pub(crate) fn shell_pattern(pattern: &str) -> String {
    let mut regex = String::from("^(?s:");
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
            ']' | '-' => regex.push(c),
            c if c.is_alphanumeric() || c == '_' => regex.push(c),
            other => {
                regex.push('\\');
                regex.push(other);
            }
        }
    }
    regex.push_str(")\\Z");
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
