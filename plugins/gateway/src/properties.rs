//! A properties file as lines, each of which keeps every character that nobody changed.

/// The lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Properties {
    pub(crate) lines: Vec<Line>,
}

/// One line: its text, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    end: &'static str,
}

/// An assignment in a line, by where its parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// Key without the prefix `opswgw.`.
    pub(crate) key: &'a str,
    /// Everything before the value.
    pub(crate) head: &'a str,
    /// The value, without blanks around it and without a comment behind.
    pub(crate) value: &'a str,
    /// Everything behind the value.
    pub(crate) tail: &'a str,
}

const PREFIX: &str = "opswgw.";

impl Properties {
    /// Takes a text apart; [`to_text`](Self::to_text) gives it back.
    pub(crate) fn read(text: &str) -> Self {
        let lines = text
            .split_inclusive('\n')
            .map(|line| {
                let end = match line {
                    line if line.ends_with("\r\n") => "\r\n",
                    line if line.ends_with('\n') => "\n",
                    _ => "",
                };
                let text = line.get(..line.len() - end.len()).unwrap_or(line);
                Line {
                    text: text.to_owned(),
                    end,
                }
            })
            .collect();
        Self { lines }
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> String {
        self.lines
            .iter()
            .flat_map(|line| [line.text.as_str(), line.end])
            .collect()
    }

    /// Entries of a key, with the numbers of their lines from 0.
    pub(crate) fn entries<'a>(&'a self, key: &'a str) -> impl Iterator<Item = (usize, Entry<'a>)> {
        self.lines
            .iter()
            .enumerate()
            .filter_map(|(number, line)| Some((number, entry(&line.text)?)))
            .filter(move |(_, entry)| entry.key == key)
    }

    /// The last value of a key.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        self.entries(key)
            .last()
            .map(|(_, entry)| entry.value.to_owned())
    }

    /// Puts a new line before line `at`, or at the end.
    pub(crate) fn insert(&mut self, at: usize, text: String) {
        let end = self.line_end();
        let at = at.min(self.lines.len());
        // The line before may be the last one of a file that does not end it.
        if let Some(before) = at
            .checked_sub(1)
            .and_then(|before| self.lines.get_mut(before))
            && before.end.is_empty()
        {
            before.end = end;
        }
        self.lines.insert(at, Line { text, end });
    }

    fn line_end(&self) -> &'static str {
        self.lines.first().map_or("\n", |line| match line.end {
            "\r\n" => "\r\n",
            _ => "\n",
        })
    }
}

/// Takes a line apart, if it is an assignment.
pub(crate) fn entry(line: &str) -> Option<Entry<'_>> {
    let start = line.len() - line.trim_start().len();
    let rest = line.get(start..)?.strip_prefix(PREFIX)?;
    let key_length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let key = rest.get(..key_length).filter(|key| !key.is_empty())?;
    let after = rest.get(key_length..)?.trim_start();
    let value = after.strip_prefix(['=', ':'])?.trim_start();
    let value_start = line.len() - value.len();
    let mut end = value.len();
    for (at, _) in value.match_indices('#') {
        // A comment behind a value is set off by a blank.
        if at == 0
            || value
                .get(..at)
                .is_some_and(|before| before.ends_with(char::is_whitespace))
        {
            end = at;
            break;
        }
    }
    let value = value.get(..end)?.trim_end();
    Some(Entry {
        key,
        head: line.get(..value_start)?,
        value,
        tail: line.get(value_start + value.len()..)?,
    })
}

/// The text of a line that is commented out, if it is.
pub(crate) fn uncommented(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    let text = trimmed.trim_start_matches(['#', '!']);
    (text.len() < trimmed.len()).then(|| text.trim_start())
}

/// Parts of a comma list.
pub(crate) fn list(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_taken_apart_by_place() {
        let cases = [
            ("opswgw.Gateway=cgw0-A", Some(("Gateway", "cgw0-A"))),
            (
                "  opswgw.TunnelDst :  127.0.0.1:2002  # local",
                Some(("TunnelDst", "127.0.0.1:2002")),
            ),
            (
                "opswgw.TunnelDst=2001:/x#y/a.pem",
                Some(("TunnelDst", "2001:/x#y/a.pem")),
            ),
            ("opswgw.A=", Some(("A", ""))),
            ("opswgw.A", None),
            ("opswgw.=x", None),
            ("# opswgw.A=x", None),
            ("other.A=x", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let found = entry(line);
            let parts = found.as_ref().map(|entry| (entry.key, entry.value));
            assert_eq!(parts, expected, "{line:?}");
            if let Some(entry) = found {
                assert_eq!(format!("{}{}{}", entry.head, entry.value, entry.tail), line);
            }
        }
    }

    #[test]
    fn a_line_is_put_in_with_the_files_own_line_end() {
        for (text, expected) in [
            ("a\r\nb", "a\r\nb\r\nnew\r\n"),
            ("a\nb\n", "a\nb\nnew\n"),
            ("", "new\n"),
        ] {
            let mut properties = Properties::read(text);
            properties.insert(usize::MAX, "new".into());
            assert_eq!(properties.to_text(), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "(opswgw\\.[A-Z]{1,3}[=:]|[#! ,:=a-z0-9\\\\]|\r\n|\n|\r|\u{e9}){0,60}") {
            let properties = Properties::read(&text);
            prop_assert_eq!(properties.to_text(), text);
            for line in &properties.lines {
                if let Some(entry) = entry(&line.text) {
                    let again = format!("{}{}{}", entry.head, entry.value, entry.tail);
                    prop_assert_eq!(&again, &line.text);
                }
            }
        }
    }
}
