//! The three dialects of a response file: reading and writing, nothing about what a parameter means.

/// How a line of a response file is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `%key` on one line, the value on the next.
    Percent,
    /// `key: value`.
    Colon,
    /// `key=value`.
    Equals,
}

impl Dialect {
    /// The dialect that a facility's files are written in.
    pub fn of_facility(id: u32) -> Self {
        match id % 3 {
            1 => Self::Percent,
            2 => Self::Colon,
            _ => Self::Equals,
        }
    }

    /// The dialect of a text, by the first line that is neither empty nor a comment.
    pub fn detect(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .map(str::trim_end)
            .find(|line| !line.is_empty() && !line.starts_with('#'))?;
        if line.starts_with('%') {
            return Some(Self::Percent);
        }
        match (line.find(':'), line.find('=')) {
            (Some(colon), Some(equals)) => Some(if colon < equals {
                Self::Colon
            } else {
                Self::Equals
            }),
            (Some(_), None) => Some(Self::Colon),
            (None, Some(_)) => Some(Self::Equals),
            (None, None) => None,
        }
    }

    /// Writes the parameters in order below a comment.
    pub fn write(self, comment: &str, parameters: &[(String, String)]) -> String {
        let mut text = format!("# {comment}\n");
        for (key, value) in parameters {
            match self {
                Self::Percent => text.push_str(&format!("%{key}\n{value}\n")),
                Self::Colon => text.push_str(&format!("{key}: {value}\n")),
                Self::Equals => text.push_str(&format!("{key}={value}\n")),
            }
        }
        text
    }

    /// Reads the parameters in order; lines of no meaning are passed over, as the installer does.
    pub fn read(self, text: &str) -> Vec<(String, String)> {
        let mut parameters = Vec::new();
        let mut lines = text.lines().map(|line| line.trim_end_matches('\r'));
        while let Some(line) = lines.next() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let found = match self {
                Self::Percent => line
                    .strip_prefix('%')
                    .map(|key| (key.trim(), lines.next().unwrap_or_default())),
                Self::Colon => line
                    .split_once(':')
                    .map(|(key, value)| (key.trim(), value.trim_start())),
                Self::Equals => line.split_once('=').map(|(key, value)| (key.trim(), value)),
            };
            parameters.extend(found.map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        parameters
    }
}

/// The value of a parameter; of duplicates the last one.
pub fn value<'a>(parameters: &'a [(String, String)], key: &str) -> Option<&'a str> {
    parameters
        .iter()
        .rev()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<(String, String)> {
        [
            ("truth.sid", "truth"),
            ("truth.gcPwd", "a:b=c%d e"),
            ("truth.dest", ""),
            ("hub.ip", "127.0.0.1"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn every_dialect_reads_what_it_wrote() {
        for dialect in [Dialect::Percent, Dialect::Colon, Dialect::Equals] {
            let text = dialect.write("saved", &sample());
            assert_eq!(Dialect::detect(&text), Some(dialect), "{text}");
            assert_eq!(dialect.read(&text), sample(), "{text}");
        }
    }

    #[test]
    fn of_duplicates_the_last_one_holds_and_line_ends_do_not_matter() {
        let read = Dialect::Equals.read("a=1\r\n\r\n# x=9\r\na=2\r\n");
        assert_eq!(value(&read, "a"), Some("2"));
        assert_eq!(value(&read, "b"), None);
        assert_eq!(Dialect::detect("# only\n\nwords\n"), None);
    }
}
