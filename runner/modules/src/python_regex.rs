//! Regular expressions with the meaning that Python gives them.
//!
//! Patterns are translated where the two differ: `$` before a last newline, `\Z`, brackets inside
//! brackets, braces that are no counts, escapes of punctuation, `(?P=name)`, octal escapes.

use fancy_regex::{Captures, Regex};

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct PythonRegex(Regex);

/// Options of `re.compile`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) multi_line: bool,
    pub(crate) dot_all: bool,
}

/// A pattern, a replacement or a search that Python would not take either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegexError {
    #[error("the regular expression {pattern} is not valid: {reason}")]
    Pattern { pattern: String, reason: String },
    #[error("the replacement {template} is not valid: {reason}")]
    Replacement { template: String, reason: String },
    #[error("the search gave up: {0}")]
    Search(String),
}

impl PythonRegex {
    pub(crate) fn new(pattern: &str, flags: Flags) -> Result<Self, RegexError> {
        let translated = translate(pattern, flags.multi_line);
        let mut options = String::new();
        options.push_str(if flags.multi_line { "m" } else { "" });
        options.push_str(if flags.dot_all { "s" } else { "" });
        let whole = if options.is_empty() {
            translated
        } else {
            format!("(?{options}){translated}")
        };
        Regex::new(&whole)
            .map(Self)
            .map_err(|error| RegexError::Pattern {
                pattern: pattern.to_owned(),
                reason: error.to_string(),
            })
    }

    pub(crate) fn is_match(&self, text: &str) -> Result<bool, RegexError> {
        self.0
            .is_match(text)
            .map_err(|error| RegexError::Search(error.to_string()))
    }

    pub(crate) fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, RegexError> {
        self.captures_from(text, 0)
    }

    fn captures_from<'t>(
        &self,
        text: &'t str,
        from: usize,
    ) -> Result<Option<Captures<'t>>, RegexError> {
        self.0
            .captures_from_pos(text, from)
            .map_err(|error| RegexError::Search(error.to_string()))
    }

    /// Returns what the groups with names matched.
    pub(crate) fn named(
        &self,
        captures: &Captures<'_>,
    ) -> serde_json::Map<String, serde_json::Value> {
        self.0
            .capture_names()
            .flatten()
            .map(|name| {
                let text = captures.name(name).map(|group| group.as_str());
                (name.to_owned(), text.into())
            })
            .collect()
    }

    /// Replaces every match, as `re.subn`: the text, and how many there were.
    pub(crate) fn replace_all(
        &self,
        text: &str,
        template: &str,
    ) -> Result<(String, usize), RegexError> {
        let (mut result, mut count, mut at) = (String::new(), 0, 0);
        while at <= text.len() {
            let Some(captures) = self.captures_from(text, at)? else {
                break;
            };
            let Some(whole) = captures.get(0) else { break };
            result.push_str(&text[at..whole.start()]);
            result.push_str(&expand(&captures, template)?);
            count += 1;
            at = whole.end();
            if whole.start() == whole.end() {
                let Some(next) = text[at..].chars().next() else {
                    at += 1;
                    break;
                };
                result.push(next);
                at += next.len_utf8();
            }
        }
        result.push_str(text.get(at..).unwrap_or_default());
        Ok((result, count))
    }
}

/// Fills a replacement template: `\1`, `\g<name>`, `\n` and their like.
pub(crate) fn expand(captures: &Captures<'_>, template: &str) -> Result<String, RegexError> {
    let bad = |reason: String| RegexError::Replacement {
        template: template.to_owned(),
        reason,
    };
    let mut result = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(c) = after.chars().next() else {
            return Err(bad("bad escape (end of pattern)".to_owned()));
        };
        let mut used = c.len_utf8();
        match c {
            'g' => {
                let name = after[1..]
                    .strip_prefix('<')
                    .and_then(|rest| rest.split_once('>'))
                    .map(|(name, _)| name)
                    .ok_or_else(|| bad("missing group name".to_owned()))?;
                used = name.len() + 3;
                let group = match name.parse::<usize>() {
                    Ok(number) if number < captures.len() => captures.get(number),
                    Ok(number) => return Err(bad(format!("invalid group reference {number}"))),
                    Err(_) => captures.name(name),
                };
                result.push_str(group.map_or("", |group| group.as_str()));
            }
            '0' => result.push('\0'),
            '1'..='9' => {
                let digits = after
                    .chars()
                    .take(2)
                    .take_while(char::is_ascii_digit)
                    .count();
                used = digits;
                let number: usize = after[..digits].parse().unwrap_or_default();
                if number >= captures.len() {
                    return Err(bad(format!("invalid group reference {number}")));
                }
                result.push_str(captures.get(number).map_or("", |group| group.as_str()));
            }
            'n' => result.push('\n'),
            't' => result.push('\t'),
            'r' => result.push('\r'),
            'a' => result.push('\x07'),
            'f' => result.push('\x0c'),
            'v' => result.push('\x0b'),
            'b' => result.push('\x08'),
            '\\' => result.push('\\'),
            letter if letter.is_ascii_alphabetic() => {
                return Err(bad(format!("bad escape \\{letter}")));
            }
            other => {
                result.push('\\');
                result.push(other);
            }
        }
        rest = &after[used..];
    }
    result.push_str(rest);
    Ok(result)
}

fn translate(pattern: &str, multi_line: bool) -> String {
    let multi_line = multi_line || leading_flags(pattern).contains('m');
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let rest = chars.get(at..).unwrap_or_default();
        at += match c {
            '\\' => escape(rest, &mut out, false),
            '[' => class(rest, &mut out),
            '$' if !multi_line => push(&mut out, "(?=\\n?\\z)", 1),
            '{' => count(rest, &mut out),
            '(' => group(rest, &mut out),
            other => {
                out.push(other);
                1
            }
        };
    }
    out
}

/// Returns the flags that a pattern sets for itself at its start.
fn leading_flags(pattern: &str) -> &str {
    pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .map(|(flags, _)| flags)
        .filter(|flags| flags.chars().all(|c| c.is_ascii_alphabetic()))
        .unwrap_or_default()
}

fn push(out: &mut String, text: &str, used: usize) -> usize {
    out.push_str(text);
    used
}

/// Translates an escape; answers how many characters it took.
fn escape(rest: &[char], out: &mut String, in_class: bool) -> usize {
    let Some(c) = rest.get(1).copied() else {
        return push(out, "\\", 1);
    };
    match c {
        'Z' if !in_class => push(out, "\\z", 2),
        '0' => {
            let digits = rest
                .iter()
                .skip(2)
                .take(2)
                .take_while(|c| c.is_digit(8))
                .count();
            let octal: String = rest.iter().skip(1).take(digits + 1).collect();
            let code = u32::from_str_radix(&octal, 8).unwrap_or_default();
            push(out, &format!("\\x{{{code:x}}}"), digits + 2)
        }
        c if c.is_ascii_alphanumeric() => {
            out.push('\\');
            out.push(c);
            2
        }
        other => {
            literal(other, out);
            2
        }
    }
}

/// Writes a character that stands for itself.
fn literal(c: char, out: &mut String) {
    if "\\.+*?()|[]{}^$#&-~ ".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// Translates a bracketed set, in which Python knows no sets inside and no operators.
fn class(rest: &[char], out: &mut String) -> usize {
    out.push('[');
    let mut at = 1;
    if rest.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    if rest.get(at) == Some(&']') {
        out.push_str("\\]");
        at += 1;
    }
    while let Some(c) = rest.get(at).copied() {
        match c {
            ']' => {
                out.push(']');
                return at + 1;
            }
            '\\' => at += escape(rest.get(at..).unwrap_or_default(), out, true),
            '[' | '&' | '~' | '^' => {
                out.push('\\');
                out.push(c);
                at += 1;
            }
            other => {
                out.push(other);
                at += 1;
            }
        }
    }
    at
}

/// Keeps `{2}`, `{2,}`, `{,3}` and `{2,3}` as counts; any other brace stands for itself.
fn count(rest: &[char], out: &mut String) -> usize {
    let inside: String = rest.iter().skip(1).take_while(|c| **c != '}').collect();
    let length = inside.chars().count() + 2;
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let is_closed = rest.len() >= length;
    let is_count = match inside.split_once(',') {
        Some((low, high)) => digits(low) && digits(high) && inside.len() > 1,
        None => digits(&inside) && !inside.is_empty(),
    };
    if !is_closed || !is_count {
        return push(out, "\\{", 1);
    }
    let low = if inside.starts_with(',') { "0" } else { "" };
    push(out, &format!("{{{low}{inside}}}"), length)
}

/// Translates the heads of groups: comments, references by name, flags that mean nothing here.
fn group(rest: &[char], out: &mut String) -> usize {
    let head: String = rest.iter().take(256).collect();
    if head.starts_with("(?#") {
        return head.find(')').map_or(rest.len(), |end| end + 1);
    }
    if let Some(name) = head
        .strip_prefix("(?P=")
        .and_then(|rest| rest.split_once(')'))
    {
        return push(out, &format!("\\k<{}>", name.0), name.0.chars().count() + 5);
    }
    if let Some((flags, _)) = head
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
    {
        let known = !flags.is_empty() && flags.chars().all(|c| "aiLmsux".contains(c));
        if known {
            let kept: String = flags.chars().filter(|c| "imsx".contains(*c)).collect();
            let text = if kept.is_empty() {
                String::new()
            } else {
                format!("(?{kept})")
            };
            return push(out, &text, flags.len() + 3);
        }
    }
    push(out, "(", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_python() {
        for (pattern, text, wanted) in [
            ("^a$", "a\n", true),
            ("^a\\Z", "a\n", false),
            ("[[]x", "[x", true),
            ("^[^]]+$", "ab", true),
            ("[]a]", "]", true),
            ("[a&&b]", "&", true),
            ("\\<a\\>", "<a>", true),
            ("a{", "a{", true),
            ("^a{,2}$", "aa", true),
            ("{{ x }}", "{{ x }}", true),
            ("(?P<q>['\"])x(?P=q)", "'x'", true),
            ("(?i)ABC", "abc", true),
            ("(?#note)a", "a", true),
            ("a\\@b\\ c\\-d", "a@b c-d", true),
            ("\\/etc\\/x", "/etc/x", true),
            ("^(?!#)\\s*Port", "Port 22", true),
            ("[\\w\\-\\.]+@", "a-b.c@", true),
            ("\\042", "\"", true),
            ("(?m)^b$", "a\nb\nc", true),
        ] {
            let regex = PythonRegex::new(pattern, Flags::default()).unwrap();
            assert_eq!(regex.is_match(text), Ok(wanted), "{pattern} in {text}");
        }
    }

    #[test]
    fn replacements_are_those_of_sub() {
        for (pattern, template, text, wanted, times) in [
            ("x*", "-", "abxd", "-a-b--d-", 5),
            ("(a)(b)?", "[\\1\\2]", "aba", "[ab][a]", 2),
            ("(?P<n>\\d+)", "\\g<n>\\g<1>\\n", "7", "77\n", 1),
            ("^#", "\\\\#", "#a\n#b", "\\#a\n\\#b", 2),
            ("q", "r", "a", "a", 0),
            ("a$", "b", "a\na\n", "b\nb\n", 2),
        ] {
            let flags = Flags {
                multi_line: true,
                dot_all: false,
            };
            let regex = PythonRegex::new(pattern, flags).unwrap();
            let made = regex.replace_all(text, template);
            assert_eq!(made, Ok((wanted.to_owned(), times)), "{pattern}");
        }
    }

    #[test]
    fn bad_replacements_and_patterns_are_told() {
        let regex = PythonRegex::new("a", Flags::default()).unwrap();
        assert!(regex.replace_all("a", "\\2").is_err());
        assert!(regex.replace_all("a", "\\q").is_err());
        assert!(PythonRegex::new("(", Flags::default()).is_err());
    }
}
