//! Text after a module's name, such as `path=/etc/motd state=absent` or `ls -l creates=/tmp/x`.

use serde_json::Value;

use crate::{ArgumentError, ModuleSpec, Object};

/// Arguments that a command's text may carry; anything else with `=` in it belongs to the command.
const OF_COMMANDS: [&str; 7] = [
    "creates",
    "removes",
    "chdir",
    "executable",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
];

/// Name of the argument that takes the text of `command`, `shell`, `script` and `raw`.
const RAW: &str = "_raw_params";

/// Splits the text after a module's name into arguments, by Ansible's rules.
///
/// `k=v` words are arguments and may be quoted. Where the module takes text as one argument, the
/// other words are that argument, as they were written; else they are an error. Marks of
/// templates are kept whole.
///
/// # Errors
/// A quote or a template mark is not closed, or there are words that the module cannot take.
pub fn free_form_arguments(spec: &ModuleSpec, text: &str) -> Result<Object, ArgumentError> {
    let mut arguments = Object::new();
    let mut rest = String::new();
    for word in words(text)? {
        let pair = split_pair(word.text)
            .filter(|(key, _)| spec.free_form.as_deref() != Some(RAW) || OF_COMMANDS.contains(key));
        match pair {
            Some((key, value)) => {
                arguments.insert(key.to_owned(), Value::String(unquoted(&decoded(value))));
            }
            None => {
                if !rest.is_empty() {
                    rest.push_str(word.gap);
                }
                rest.push_str(word.text);
            }
        }
    }
    if rest.is_empty() {
        return Ok(arguments);
    }
    match &spec.free_form {
        Some(name) => {
            let text = if name == RAW { rest } else { unquoted(&rest) };
            arguments.insert(name.clone(), Value::String(text));
            Ok(arguments)
        }
        None => Err(problem(format!(
            "the module '{}' takes no text after its name; write `argument: value` pairs instead \
             of: {rest}",
            spec.name
        ))),
    }
}

struct Word<'a> {
    /// White space before it.
    gap: &'a str,
    text: &'a str,
}

/// Splits at white space outside of quotes and template marks.
fn words(text: &str) -> Result<Vec<Word<'_>>, ArgumentError> {
    let mut found = Vec::new();
    let mut gap_start = 0;
    let mut rest_start = 0;
    while rest_start < text.len() {
        let rest = &text[rest_start..];
        let blank = rest.len() - rest.trim_start().len();
        let start = rest_start + blank;
        if start == text.len() {
            break;
        }
        let end = start + word_length(&text[start..])?;
        found.push(Word {
            gap: &text[gap_start..start],
            text: &text[start..end],
        });
        gap_start = end;
        rest_start = end;
    }
    Ok(found)
}

/// Measures the word at the start of the text, in bytes.
fn word_length(text: &str) -> Result<usize, ArgumentError> {
    let mut quote = None;
    let mut mark: Option<&str> = None;
    let mut skip_to = 0;
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        let rest = &text[at..];
        if let Some(closing) = mark {
            if rest.starts_with(closing) {
                mark = None;
                skip_to = at + closing.len();
            }
            continue;
        }
        let opened = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
            .into_iter()
            .find(|(open, _)| rest.starts_with(open));
        match (quote, c) {
            _ if opened.is_some() => {
                mark = opened.map(|(_, closing)| closing);
                skip_to = at + 2;
            }
            (_, '\\') => skip_to = at + 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, _) if c.is_whitespace() => return Ok(at),
            _ => {}
        }
    }
    if quote.is_some() || mark.is_some() {
        return Err(problem(format!(
            "failed at splitting arguments, either an unbalanced jinja2 block or quotes: {text}"
        )));
    }
    Ok(text.len())
}

/// Parts `key=value` at the first `=` outside of template marks; the key must look like a name,
/// which templates may be a part of.
fn split_pair(word: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    let mut name = String::new();
    loop {
        let rest = word.get(at..)?;
        if rest.starts_with("{{") {
            let end = rest.find("}}")? + 2;
            name.push('x');
            at += end;
            continue;
        }
        match rest.chars().next()? {
            '=' => break,
            c => {
                name.push(c);
                at += c.len_utf8();
            }
        }
    }
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let (key, value) = (word.get(..at)?, word.get(at + 1..)?);
    (is_name && !key.starts_with('-')).then_some((key, value))
}

fn unquoted(text: &str) -> String {
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    inner.unwrap_or(text).to_owned()
}

/// Resolves escapes as Python writes them: `\n`, `\t`, `\x41`, `\u00e9`. Any other backslash stays.
fn decoded(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        written.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(letter) = after.chars().next() else {
            rest = &rest[at..];
            break;
        };
        let by_number = match letter {
            'x' => by_number(after, 2),
            'u' => by_number(after, 4),
            'U' => by_number(after, 8),
            _ => None,
        };
        let (meant, length) = match (by_number, simple(letter)) {
            (Some(both), _) => both,
            (None, Some(meant)) => (meant, letter.len_utf8()),
            (None, None) => ('\\', 0),
        };
        written.push(meant);
        rest = &after[length..];
    }
    written.push_str(rest);
    written
}

fn simple(letter: char) -> Option<char> {
    Some(match letter {
        '\\' | '\'' | '"' => letter,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        _ => return None,
    })
}

/// Reads the letter and so many digits; answers the character, and how many bytes it took.
fn by_number(text: &str, digits: usize) -> Option<(char, usize)> {
    let number = text.get(1..1 + digits)?;
    let meant = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
    Some((meant, 1 + digits))
}

fn problem(message: String) -> ArgumentError {
    ArgumentError {
        argument: String::new(),
        message,
        details: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(free_form: Option<&str>) -> ModuleSpec {
        ModuleSpec {
            name: "module".into(),
            free_form: free_form.map(str::to_owned),
            ..ModuleSpec::default()
        }
    }

    #[test]
    fn text_becomes_arguments() {
        for (free_form, text, wanted) in [
            (
                None,
                "a=1 b='two words'",
                json!({"a": "1", "b": "two words"}),
            ),
            (
                None,
                "msg={{ x | default('a b') }}",
                json!({"msg": "{{ x | default('a b') }}"}),
            ),
            (None, "path=/a=b", json!({"path": "/a=b"})),
            (
                None,
                "{{ a == 1 }}_x={{ b }}",
                json!({"{{ a == 1 }}_x": "{{ b }}"}),
            ),
            (
                Some(RAW),
                "echo a=b  \"c d\" creates=/tmp/x",
                json!({"_raw_params": "echo a=b  \"c d\"", "creates": "/tmp/x"}),
            ),
            (
                Some(RAW),
                "sh --opt=1\n  x",
                json!({"_raw_params": "sh --opt=1\n  x"}),
            ),
            (
                Some(RAW),
                "echo 'it''s' \\\"x",
                json!({"_raw_params": "echo 'it''s' \\\"x"}),
            ),
            (Some(RAW), "\"a b\"", json!({"_raw_params": "\"a b\""})),
            (
                Some("file"),
                "vars.yml name=x",
                json!({"file": "vars.yml", "name": "x"}),
            ),
            (Some("file"), "", json!({})),
            (
                None,
                r#"a='\b\\b' b="x\ty" c=\d"#,
                json!({"a": "\u{8}\\b", "b": "x\ty", "c": "\\d"}),
            ),
        ] {
            let made = free_form_arguments(&spec(free_form), text).unwrap();
            assert_eq!(Value::Object(made), wanted, "{text}");
        }
    }

    #[test]
    fn text_that_cannot_be_arguments_is_refused() {
        assert!(free_form_arguments(&spec(None), "just words").is_err());
        assert!(free_form_arguments(&spec(Some(RAW)), "echo 'open").is_err());
        assert!(free_form_arguments(&spec(None), "a={{ open").is_err());
    }
}
