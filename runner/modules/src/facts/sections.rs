//! The script's output, split at the lines by which it marks its sections.

/// Sections in the order of the output. A name may come more than once, with different words.
pub(super) struct Sections<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Sections<'a> {
    pub(super) fn of(output: &'a str) -> Self {
        let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in output.lines() {
            let in_last = sections.last().is_some_and(|(name, _)| *name == "env");
            match (line.strip_prefix("@@"), sections.last_mut()) {
                (Some(name), _) if !in_last => {
                    sections.push((name.strip_prefix("s=").unwrap_or(name), Vec::new()));
                }
                (_, Some((_, lines))) => lines.push(line),
                _ => {}
            }
        }
        Self(sections)
    }

    /// Returns the lines of a section; none if it is not there.
    pub(super) fn lines(&self, name: &str) -> &[&'a str] {
        self.0
            .iter()
            .find(|(section, _)| *section == name)
            .map_or(&[], |(_, lines)| lines.as_slice())
    }

    /// Returns the first line of a section, if it is not empty.
    pub(super) fn first(&self, name: &str) -> Option<&'a str> {
        self.lines(name)
            .first()
            .copied()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    }

    /// Returns the sections whose name starts with a word, by the rest of their names.
    pub(super) fn all(&self, word: &str) -> impl Iterator<Item = (&'a str, &[&'a str])> {
        self.0.iter().filter_map(move |(name, lines)| {
            let rest = name.strip_prefix(word)?;
            Some((rest.strip_prefix([' ', ':'])?, lines.as_slice()))
        })
    }

    /// Returns the value of `key=value` or `key: value` in a section, without quotes.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&'a str> {
        self.lines(section).iter().find_map(|line| {
            let rest = line.strip_prefix(key)?.trim_start();
            let value = rest.strip_prefix(['=', ':'])?.trim();
            Some(value.trim_matches(['"', '\'']))
        })
    }
}
