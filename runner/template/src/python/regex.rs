//! Regular expressions with the meaning of Python's `re`.

use std::fmt::Write as _;

use fancy_regex::{Captures, Regex};

/// Flags of Python's `re` that templates can set.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Flags {
    pub(crate) ignore_case: bool,
    pub(crate) multiline: bool,
}

/// How many steps of backtracking a search may take.
const MAX_BACKTRACKS: usize = 5_000_000;

/// Compiles a pattern of Python's.
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Regex, String> {
    let mut translated = String::with_capacity(pattern.len() + 8);
    if flags.ignore_case || flags.multiline {
        translated.push_str("(?");
        if flags.ignore_case {
            translated.push('i');
        }
        if flags.multiline {
            translated.push('m');
        }
        translated.push(')');
    }
    let multiline = flags.multiline || inline_multiline(pattern);
    translate(pattern, multiline, &mut translated);
    fancy_regex::RegexBuilder::new(&translated)
        .backtrack_limit(MAX_BACKTRACKS)
        .build()
        .map_err(|err| format!("invalid regular expression '{pattern}': {err}"))
}

/// Whether the pattern itself begins with flags that make `$` match at each line.
fn inline_multiline(pattern: &str) -> bool {
    pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .is_some_and(|(flags, _)| {
            flags.chars().all(|c| "aimsux".contains(c)) && flags.contains('m')
        })
}

/// Rewrites what Python reads differently.
fn translate(pattern: &str, multiline: bool, out: &mut String) {
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        match c {
            '\\' => {
                let Some(next) = chars.get(at).copied() else {
                    out.push('\\');
                    break;
                };
                at += 1;
                match next {
                    'Z' => out.push_str("\\z"),
                    // Word boundaries elsewhere, the plain characters in Python.
                    '<' | '>' | '/' | '"' | '\'' | '`' | '!' | '%' | ',' | ':' | ';' | '='
                    | '@' | '_' => {
                        out.push(next);
                    }
                    '\n' => out.push_str("\\n"),
                    _ => {
                        out.push('\\');
                        out.push(next);
                    }
                }
            }
            '$' if !multiline => out.push_str("(?=\\n?\\z)"),
            '[' => at = translate_class(&chars, at, out),
            '(' if chars.get(at) == Some(&'?') && chars.get(at + 1) == Some(&'P') => {
                at = translate_named_group(&chars, at + 2, out);
            }
            c => out.push(c),
        }
    }
}

/// `(?P=name)` is a reference; `(?P<name>` is understood as it is.
fn translate_named_group(chars: &[char], at: usize, out: &mut String) -> usize {
    if chars.get(at) == Some(&'=') {
        let name: String = chars
            .iter()
            .skip(at + 1)
            .take_while(|c| **c != ')')
            .collect();
        let _ = write!(out, "\\k<{name}>");
        return at + 2 + name.chars().count();
    }
    out.push_str("(?P");
    at
}

/// A set of characters, where only `\`, `]`, `^` and `-` are special.
fn translate_class(chars: &[char], mut at: usize, out: &mut String) -> usize {
    out.push('[');
    if chars.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    if chars.get(at) == Some(&']') {
        out.push_str("\\]");
        at += 1;
    }
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        match c {
            ']' => {
                out.push(']');
                break;
            }
            '\\' => {
                if let Some(next) = chars.get(at).copied() {
                    at += 1;
                    match next {
                        'b' => out.push_str("\\x08"),
                        c if c.is_ascii_alphanumeric() => {
                            out.push('\\');
                            out.push(c);
                        }
                        c if c.is_ascii_punctuation() => {
                            out.push('\\');
                            out.push(c);
                        }
                        c => out.push(c),
                    }
                }
            }
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '-' if chars.get(at) == Some(&'-') => {
                out.push_str("\\-");
            }
            c => out.push(c),
        }
    }
    at
}

/// All matches in order. As in Python, an empty match may stand right behind another match, but not behind an empty one.
pub(crate) fn all_matches<'t>(regex: &Regex, text: &'t str) -> Result<Vec<Captures<'t>>, String> {
    let mut found: Vec<Captures<'t>> = Vec::new();
    let mut at = 0;
    let mut empty_at = None;
    while at <= text.len() {
        let Some(captures) = regex
            .captures_from_pos(text, at)
            .map_err(|err| err.to_string())?
        else {
            break;
        };
        let Some(whole) = captures.get(0) else { break };
        let is_empty = whole.start() == whole.end();
        if is_empty && empty_at == Some(whole.start()) {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            empty_at = None;
            continue;
        }
        at = whole.end();
        empty_at = is_empty.then_some(at);
        found.push(captures);
    }
    Ok(found)
}

/// Expands `\1`, `\g<name>` and escapes of a replacement.
pub(crate) fn expand(
    replacement: &str,
    captures: &Captures<'_>,
    out: &mut String,
) -> Result<(), String> {
    let mut rest = replacement;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            return Err("bad escape (end of pattern)".to_owned());
        };
        if let Some(after) = rest.strip_prefix("g<") {
            let (name, after) = after
                .split_once('>')
                .ok_or_else(|| "missing >, unterminated name".to_owned())?;
            let group = match name.parse::<usize>() {
                Ok(index) => captures.get(index),
                Err(_) => captures.name(name),
            };
            out.push_str(group.map_or("", |group| group.as_str()));
            rest = after;
            continue;
        }
        if c.is_ascii_digit() && c != '0' {
            let length = 1 + usize::from(rest[1..].starts_with(|c: char| c.is_ascii_digit()));
            let mut digits = &rest[..length];
            let mut index: usize = digits.parse().unwrap_or(0);
            if index >= captures.len() && length == 2 {
                digits = &rest[..1];
                index = digits.parse().unwrap_or(0);
            }
            if index >= captures.len() {
                return Err(format!("invalid group reference {index}"));
            }
            out.push_str(captures.get(index).map_or("", |group| group.as_str()));
            rest = &rest[digits.len()..];
            continue;
        }
        match c {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '\\' => out.push('\\'),
            c if c.is_ascii_alphabetic() => return Err(format!("bad escape \\{c}")),
            c => {
                out.push('\\');
                out.push(c);
            }
        }
        rest = &rest[c.len_utf8()..];
    }
    out.push_str(rest);
    Ok(())
}

/// Python's `re.escape`.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
