//! The table of file systems as text: one entry added, changed or removed, all else left as it is.

/// An entry of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) source: String,
    pub(super) path: String,
    pub(super) kind: String,
    pub(super) options: String,
    pub(super) dump: String,
    pub(super) pass: String,
}

impl Entry {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |at: usize, usual: &str| plain(words.get(at).copied().unwrap_or(usual));
        (words.len() >= 3).then(|| Self {
            source: word(0, ""),
            path: word(1, ""),
            kind: word(2, ""),
            options: word(3, "defaults"),
            dump: word(4, "0"),
            pass: word(5, "0"),
        })
    }

    fn line(&self) -> String {
        let words = [
            &self.source,
            &self.path,
            &self.kind,
            &self.options,
            &self.dump,
            &self.pass,
        ];
        words.map(|word| spelled(word)).join(" ")
    }

    /// Tells whether both stand for the same mount; several swaps have no path.
    fn is_of(&self, path: &str, source: Option<&str>) -> bool {
        let same = self.path.trim_end_matches('/') == path.trim_end_matches('/');
        same && (!matches!(path, "none" | "swap")
            || source.is_none_or(|source| source == self.source))
    }
}

/// Resolves the octal forms in which the table writes spaces.
pub(super) fn plain(word: &str) -> String {
    word.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}

fn spelled(word: &str) -> String {
    word.replace('\\', "\\134")
        .replace(' ', "\\040")
        .replace('\t', "\\011")
}

/// Returns the table with the entry in it.
pub(super) fn with(table: &str, wanted: &Entry) -> String {
    let mut is_there = false;
    let mut lines: Vec<String> = Vec::new();
    for line in table.lines() {
        match Entry::of(line) {
            Some(known) if known.is_of(&wanted.path, Some(&wanted.source)) => {
                is_there = true;
                lines.push(if known == *wanted {
                    line.to_owned()
                } else {
                    wanted.line()
                });
            }
            _ => lines.push(line.to_owned()),
        }
    }
    if !is_there {
        lines.push(wanted.line());
    }
    crate::changing::joined(&lines)
}

/// Returns the table without the entry of a path.
pub(super) fn without(table: &str, path: &str) -> String {
    let stays = |line: &&str| !Entry::of(line).is_some_and(|known| known.is_of(path, None));
    if table.lines().all(|line| stays(&line)) {
        return table.to_owned();
    }
    let lines: Vec<&str> = table.lines().filter(stays).collect();
    crate::changing::joined(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_kept_as_it_stands_or_replaced() {
        let entry = Entry {
            source: "LABEL=a b".into(),
            path: "/srv".into(),
            kind: "ext4".into(),
            options: "defaults".into(),
            dump: "0".into(),
            pass: "0".into(),
        };
        let table = "# note\nLABEL=a\\040b   /srv/  xfs\n";
        let after = with(table, &entry);
        assert_eq!(after, "# note\nLABEL=a\\040b /srv ext4 defaults 0 0\n");
        assert_eq!(with(&after, &entry), after);
        let spaced = "LABEL=a\\040b\t/srv\text4\n";
        assert_eq!(with(spaced, &entry), spaced);
        assert_eq!(without(table, "/srv"), "# note\n");
        assert_eq!(without("x /y z", "/srv"), "x /y z");
    }
}
