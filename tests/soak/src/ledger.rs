//! What the steps wrote, and what of it may not be.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::playbook::{self, Times};

/// Lines of every host's ledger, with how often each stands there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    counts: BTreeMap<(String, String), u32>,
}

/// One line that stands in a ledger too often or not often enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offence {
    host: String,
    line: String,
    found: u32,
    wanted: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            line,
            found,
            wanted,
        } = self;
        write!(f, "{host}: `{line}` {found} times, not {wanted}")
    }
}

impl Ledger {
    /// Reads the ledgers of a folder.
    ///
    /// # Errors
    /// A ledger cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut ledger = Self::default();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = match fs::read_to_string(entry.path()) {
                // A step that goes on meanwhile may take away a file that it needed for a moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read?,
            };
            if let Some((host, of)) = name.split_once('.') {
                // Other files of the host: that they are there, and how much they hold.
                let line = format!("{of} {}", text.lines().count());
                ledger.add(host, &line);
                continue;
            }
            text.lines().for_each(|line| ledger.add(&name, line));
        }
        Ok(ledger)
    }

    fn add(&mut self, host: &str, line: &str) {
        let key = (host.to_owned(), line.to_owned());
        *self.counts.entry(key).or_default() += 1;
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.counts.values().map(|count| *count as usize).sum()
    }

    /// How many steps began after another moment. The deed of a dialogue that had begun is none of them, nor is the one step for
    /// which a host was being logged in to, with nothing done there yet.
    pub fn begun_since(&self, before: &Self) -> usize {
        let mut began: BTreeMap<&str, usize> = BTreeMap::new();
        for ((host, line), count) in &self.counts {
            let more = count.saturating_sub(before.count(host, line));
            if line != playbook::ANSWERED || before.count(host, playbook::ASKED) == 0 {
                *began.entry(host).or_default() += more as usize;
            }
        }
        let is_known = |host: &str| before.counts.keys().any(|(known, _)| known == host);
        let all = began.into_iter();
        all.map(|(host, steps)| steps - usize::from(steps > 0 && !is_known(host)))
            .sum()
    }

    /// How often a line stands in the ledger of a host.
    pub fn count(&self, host: &str, line: &str) -> u32 {
        let key = (host.to_owned(), line.to_owned());
        self.counts.get(&key).copied().unwrap_or(0)
    }

    /// What is not as in an undisturbed run, when the run was cut off so many times.
    pub fn offences(&self, undisturbed: &Self, cuts: u32) -> Vec<Offence> {
        let keys = undisturbed.counts.keys().chain(self.counts.keys());
        let keys: std::collections::BTreeSet<_> = keys.collect();
        let offence = |(host, line): &(String, String)| {
            let found = self.count(host, line);
            let usual = undisturbed.count(host, line);
            let most = match playbook::times(line) {
                Times::Repeatable if usual > 0 => usual + cuts,
                _ => usual,
            };
            (found < usual || found > most).then(|| Offence {
                host: host.clone(),
                line: line.clone(),
                found,
                wanted: if most > usual {
                    format!("{usual} to {most}")
                } else {
                    usual.to_string()
                },
            })
        };
        keys.into_iter().filter_map(offence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(lines: &[(&str, u32)]) -> Ledger {
        let counts = lines
            .iter()
            .map(|(line, count)| (("h1".to_owned(), (*line).to_owned()), *count));
        Ledger {
            counts: counts.collect(),
        }
    }

    #[test]
    fn a_file_that_goes_while_ledgers_are_read_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("h1"), "once-1\n").unwrap();
        std::os::unix::fs::symlink("gone", folder.path().join("h1.new")).unwrap();
        let read = Ledger::read(folder.path()).unwrap();
        assert_eq!((read.lines(), read.count("h1", "once-1")), (1, 1));
    }

    #[test]
    fn a_deed_whose_dialogue_had_begun_is_no_new_step() {
        let before = ledger(&[("once-1", 1)]);
        let asked = ledger(&[("once-1", 1), ("asked 1", 1)]);
        let done = ledger(&[("once-1", 1), ("asked 1", 1), ("dialogue", 1)]);
        let more = ledger(&[("once-1", 2), ("asked 1", 1), ("dialogue", 1)]);
        let begun = [done.begun_since(&before), done.begun_since(&asked)];
        assert_eq!((begun, more.begun_since(&asked)), ([2, 0], 1));
        let nothing = ledger(&[]);
        let begun = [&before, &asked].map(|later| later.begun_since(&nothing));
        assert_eq!(begun, [0, 1], "one step waits for the login");
    }

    #[test]
    fn what_is_missing_doubled_or_new_is_an_offence() {
        let usual = ledger(&[("once-1", 1), ("again-1", 2)]);
        let offences = |lines: &[(&str, u32)]| ledger(lines).offences(&usual, 1).len();
        assert_eq!(offences(&[("once-1", 1), ("again-1", 2)]), 0);
        assert_eq!(offences(&[("once-1", 1), ("again-1", 3)]), 0);
        assert_eq!(offences(&[("once-1", 1), ("again-1", 4)]), 1);
        assert_eq!(offences(&[("once-1", 2), ("again-1", 2)]), 1);
        assert_eq!(offences(&[("again-1", 2)]), 1);
        assert_eq!(offences(&[("once-1", 1), ("again-1", 2), ("other", 1)]), 1);
    }
}
