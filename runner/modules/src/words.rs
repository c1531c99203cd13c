//! Command lines as words: split as Python's `shlex` does, written as shell text again.

use sasrun_plugin::Host;

/// A command line whose quotes do not close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unclosed(&'static str);

/// Splits a command line into words.
pub(crate) fn split(line: &str) -> Result<Vec<String>, Unclosed> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => {
                let next = chars.next().ok_or(Unclosed("No escaped character"))?;
                word.get_or_insert_default().push(next);
            }
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                quoted(c, &mut chars, word)?;
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes what stands between two quotes; in double ones a backslash escapes itself and the quote.
fn quoted(quote: char, chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Unclosed> {
    while let Some(c) = chars.next() {
        match c {
            _ if c == quote => return Ok(()),
            '\\' if quote == '"' => {
                let next = chars.next().ok_or(Unclosed("No closing quotation"))?;
                if next != '"' && next != '\\' {
                    word.push('\\');
                }
                word.push(next);
            }
            other => word.push(other),
        }
    }
    Err(Unclosed("No closing quotation"))
}

/// Writes words as shell text that hands them over as they are, or with `~` and `$VARIABLES`
/// resolved. The first is never taken for a keyword, an assignment or a builtin.
pub(crate) fn command_line(words: &[String], expand: bool) -> String {
    let mut line = String::new();
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            line.push(' ');
        }
        let has_marks = word.starts_with('~') || word.contains('$');
        if expand && has_marks {
            line.push_str(&expandable(word));
        } else if at == 0 {
            if SHELL_WORDS.contains(&word.as_str()) {
                line.push_str("env ");
            }
            line.push_str(&single_quoted(word));
        } else {
            line.push_str(&Host::quote(word));
        }
    }
    line
}

/// Writes words as shell text in which the program takes the shell's own place: no process is left
/// to wait for it, and no builtin is mistaken for it.
pub(crate) fn exec_line(words: &[String], expand: bool) -> String {
    match words.split_first() {
        // A shell would take it for an option of `exec`.
        Some((program, _)) if program.starts_with('-') => command_line(words, expand),
        Some((program, _)) if SHELL_WORDS.contains(&program.as_str()) => {
            let line = command_line(words, expand);
            format!("exec {}", line.strip_prefix("env ").unwrap_or(&line))
        }
        _ => format!("exec {}", command_line(words, expand)),
    }
}

/// Names that the shell would carry out by itself, other than a program of that name would.
const SHELL_WORDS: [&str; 40] = [
    ".", ":", "[", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval", "exec",
    "exit", "export", "fc", "fg", "getopts", "hash", "jobs", "kill", "let", "local", "print",
    "printf", "pwd", "read", "readonly", "return", "set", "shift", "source", "test", "time",
    "times", "trap", "type", "ulimit", "umask", "unset", "wait",
];

fn single_quoted(word: &str) -> String {
    let path = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    if word.starts_with('/') && word.chars().all(path) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Writes a word as shell text in which a leading `~` and `$NAME` are resolved by the shell. As in
/// Python, a variable that is not set stays as it is written.
pub(crate) fn expandable(word: &str) -> String {
    let (mut written, mut rest) = (String::new(), word);
    if let Some(after) = word.strip_prefix('~') {
        let end = after.find('/').unwrap_or(after.len());
        let user = &after[..end];
        if user.is_empty() {
            written.push_str("\"${HOME-~}\"");
            rest = &after[end..];
        } else if user
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        {
            written.push('~');
            written.push_str(user);
            rest = &after[end..];
        }
    }
    while let Some(at) = rest.find('$') {
        push_literal(&mut written, &rest[..at]);
        let (name, length) = variable(&rest[at..]);
        if name.is_empty() {
            push_literal(&mut written, "$");
            rest = &rest[at + 1..];
        } else {
            let literal = rest[at..at + length]
                .replace('$', "\\$")
                .replace('}', "\\}");
            written.push_str(&format!("\"${{{name}-{literal}}}\""));
            rest = &rest[at + length..];
        }
    }
    push_literal(&mut written, rest);
    written
}

/// Reads `$NAME` or `${NAME}` at the start: the name, and how many bytes it takes.
fn variable(text: &str) -> (&str, usize) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let after = &text[1..];
    let (inside, closed) = match after.strip_prefix('{') {
        Some(inside) => (inside, true),
        None => (after, false),
    };
    let end = inside.find(|c| !is_name(c)).unwrap_or(inside.len());
    let name = &inside[..end];
    let starts_well = !name.starts_with(|c: char| c.is_ascii_digit());
    if name.is_empty() || !starts_well || closed && !inside[end..].starts_with('}') {
        return ("", 0);
    }
    (name, 1 + end + if closed { 2 } else { 0 })
}

fn push_literal(written: &mut String, text: &str) {
    if !text.is_empty() {
        written.push_str(&Host::quote(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_shlex() {
        for (line, wanted) in [
            ("a  b", vec!["a", "b"]),
            ("a 'b c' \"d e\"", vec!["a", "b c", "d e"]),
            ("a\\ b", vec!["a b"]),
            ("\"a\\$b\" \"c\\\"d\"", vec!["a\\$b", "c\"d"]),
            ("'' x", vec!["", "x"]),
            ("a\nb", vec!["a", "b"]),
        ] {
            assert_eq!(split(line).unwrap(), wanted, "{line}");
        }
        assert!(split("a 'b").is_err());
        assert!(split("a \\").is_err());
    }

    #[test]
    fn the_first_word_is_always_a_program() {
        let line = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            command_line(&words, true)
        };
        assert_eq!(line(&["/bin/true", "a b"]), "/bin/true 'a b'");
        assert_eq!(line(&["if"]), "'if'");
        assert_eq!(line(&["A=b"]), "'A=b'");
        assert_eq!(
            line(&["echo", "$HOME/x"]),
            "env 'echo' \"${HOME-\\$HOME}\"/x"
        );
        assert_eq!(
            line(&["ls", "~/x y", "~root"]),
            "'ls' \"${HOME-~}\"'/x y' ~root"
        );
        assert_eq!(
            line(&["x", "${A}b$", "${1}"]),
            "'x' \"${A-\\${A\\}}\"b'$' '$''{1}'"
        );
    }

    #[test]
    fn a_program_takes_the_place_of_the_shell() {
        for (words, wanted) in [
            (&["/bin/true", "a b"][..], "exec /bin/true 'a b'"),
            (&["echo", "x"], "exec 'echo' x"),
            (&["-x", "y"], "'-x' y"),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(exec_line(&words, true), wanted);
        }
    }
}
