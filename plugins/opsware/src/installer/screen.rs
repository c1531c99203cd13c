//! What a terminal shows, as plain lines: colour codes gone, redrawn lines as they stand.
//!
//! Pure text; knows no prompt.

/// Lines of a piece of output; the last one may lack its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    /// Lines that were ended.
    pub(crate) ended: Vec<String>,
    /// What stands in the line that was not ended; empty if there is none.
    pub(crate) open: String,
}

impl Lines {
    /// Reads output as a person would see it.
    pub(crate) fn of(output: &str) -> Self {
        let plain = without_escapes(output);
        let mut lines: Vec<String> = plain.split('\n').map(as_redrawn).collect();
        let open = lines.pop().unwrap_or_default();
        Self { ended: lines, open }
    }

    /// All lines, the open one last.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &str> {
        let open = Some(self.open.as_str()).filter(|line| !line.trim().is_empty());
        self.ended.iter().map(String::as_str).chain(open)
    }

    /// The last line that shows anything.
    pub(crate) fn last(&self) -> &str {
        self.all()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default()
    }
}

/// What a line shows after its carriage returns: the last thing that was written over it.
fn as_redrawn(line: &str) -> String {
    line.split('\r')
        .rfind(|part| !part.trim().is_empty())
        .unwrap_or_default()
        .trim_end()
        .to_owned()
}

/// Takes out terminal escapes and other controls, but for line ends and carriage returns.
fn without_escapes(output: &str) -> String {
    let mut plain = String::with_capacity(output.len());
    let mut characters = output.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\u{8}' => {
                plain.pop();
            }
            '\n' | '\r' => plain.push(character),
            '\t' => plain.push(' '),
            control if control.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            for next in characters.by_ref() {
                if ('@'..='~').contains(&next) {
                    return;
                }
            }
        }
        Some(']') => {
            while let Some(next) = characters.next() {
                if next == '\u{7}' {
                    return;
                }
                if next == '\u{1b}' {
                    characters.next_if_eq(&'\\');
                    return;
                }
            }
        }
        Some('(' | ')') => {
            characters.next();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_reads_as_it_is_seen() {
        let table: &[(&str, &[&str], &str)] = &[
            ("a\r\nb\r\n", &["a", "b"], ""),
            (
                "1 ( ) ...\r1 (*) Spin\nSelection: ",
                &["1 (*) Spin"],
                "Selection:",
            ),
            ("\u{1b}[1;32mgreen\u{1b}[0m\n", &["green"], ""),
            ("\u{1b}]0;title\u{7}x\n", &["x"], ""),
            ("ab\u{8}c\n", &["ac"], ""),
            ("10%\r20%\r", &[], "20%"),
        ];
        for (output, ended, open) in table {
            let lines = Lines::of(output);
            assert_eq!(lines.ended, *ended, "{output:?}");
            assert_eq!(lines.open, *open, "{output:?}");
        }
    }
}
