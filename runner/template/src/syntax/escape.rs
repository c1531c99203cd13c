//! Backslashes inside the strings of templates, read as Python reads them.
//!
//! The parser would refuse `'\d'` and translate `'\n'`, but Ansible keeps the backslashes of strings in YAML values. So
//! backslashes cross the parser as another character and are read afterwards.

/// Stands for a backslash while the parser runs. Unicode promises that it is no character.
const GUARD: char = '\u{fdd0}';
/// Stands before an escaped quote, whose backslash the parser drops.
const DROPPED: char = '\u{fdd1}';

/// Replaces the backslashes that the parser must not see; None if there are none.
pub(super) fn guard_backslashes(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let mut guarded = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            guarded.push(c);
            continue;
        }
        match chars.peek() {
            // An escaped quote must stay one for the parser, or the string would end there. What the parser drops is
            // noted, for strings that keep their backslashes.
            Some('\'' | '"') => {
                guarded.push(DROPPED);
                guarded.push('\\');
            }
            Some('\\') => {
                chars.next();
                guarded.push(GUARD);
                guarded.push(GUARD);
            }
            _ => guarded.push(GUARD),
        }
    }
    Some(guarded)
}

/// Gives a guarded text its backslashes back.
pub(super) fn restore_backslashes(text: &str) -> String {
    if text.contains([GUARD, DROPPED]) {
        text.replace(GUARD, "\\").replace(DROPPED, "")
    } else {
        text.to_owned()
    }
}

/// Gives a string its backslashes back, those before quotes too.
pub(super) fn keep_backslashes(text: &str) -> String {
    text.replace([GUARD, DROPPED], "\\")
}

/// Reads the escapes of a Python string literal.
pub(crate) fn unescape_python(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        rest = unescape_one(rest, &mut out);
    }
    out.push_str(rest);
    out
}

/// Reads one escape, whose backslash is already taken, and gives what follows it.
fn unescape_one<'t>(rest: &'t str, out: &mut String) -> &'t str {
    let Some(letter) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = &rest[letter.len_utf8()..];
    let simple = match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '\\' => '\\',
        '\'' => '\'',
        '"' => '"',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\n' => return after,
        'x' => return unescape_number(rest, after, 2, 16, out),
        'u' => return unescape_number(rest, after, 4, 16, out),
        'U' => return unescape_number(rest, after, 8, 16, out),
        '0'..='7' => {
            let digits = rest.chars().take(3).take_while(|c| c.is_digit(8)).count();
            return unescape_number(rest, rest, digits, 8, out);
        }
        other => {
            out.push('\\');
            other
        }
    };
    out.push(simple);
    after
}

/// Reads a character given by its number; keeps the text as it is if it is none.
fn unescape_number<'t>(
    whole: &'t str,
    digits: &'t str,
    count: usize,
    radix: u32,
    out: &mut String,
) -> &'t str {
    let number = digits
        .get(..count)
        .and_then(|text| u32::from_str_radix(text, radix).ok())
        .and_then(char::from_u32);
    match number {
        Some(c) => {
            out.push(c);
            &digits[count..]
        }
        None => {
            out.push('\\');
            whole
        }
    }
}
