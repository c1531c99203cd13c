//! Reads `tnsnames.ora`: parentheses within parentheses, in any layout.
//!
//! A file that a person has edited is read as far as it makes sense: an entry that is broken ends
//! where the next one begins at the left edge.

/// One entry, under all its names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    pub(crate) aliases: Vec<String>,
    pub(crate) service_name: Option<String>,
    pub(crate) sid: Option<String>,
    pub(crate) addresses: Vec<Address>,
}

/// Where a listener is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(char),
}

/// A token and whether it stands at the left edge.
type Placed = (Token, bool);

enum Value {
    Text(String),
    List(Vec<(String, Value)>),
}

/// Reads all entries in order.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let tokens = tokens(text);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
    };
    let mut entries = Vec::new();
    while reader.peek().is_some() {
        match reader.entry() {
            Some(entry) => entries.push(entry),
            None => reader.at += 1,
        }
    }
    entries
}

/// Finds the entry of a connect name; letter case does not matter.
pub(crate) fn find<'a>(entries: &'a [Entry], alias: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| {
        entry
            .aliases
            .iter()
            .any(|known| known.eq_ignore_ascii_case(alias))
    })
}

fn tokens(text: &str) -> Vec<Placed> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let edge = rest.len() == line.len();
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '#' => break,
                c if c.is_whitespace() => rest = after,
                '(' | ')' | '=' | ',' => {
                    tokens.push((Token::Sign(c), edge));
                    rest = after;
                }
                '"' | '\'' => {
                    let (word, behind) = after.split_once(c).unwrap_or((after, ""));
                    tokens.push((Token::Word(word.to_owned()), edge));
                    rest = behind;
                }
                _ => {
                    let end = rest
                        .find(|c: char| c.is_whitespace() || "()=,#".contains(c))
                        .unwrap_or(rest.len());
                    let (word, behind) = rest.split_at(end);
                    tokens.push((Token::Word(word.to_owned()), edge));
                    rest = behind;
                }
            }
        }
    }
    tokens
}

struct Reader<'a> {
    tokens: &'a [Placed],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Placed> {
        self.tokens.get(self.at)
    }

    fn sign(&mut self, sign: char) -> bool {
        let there = matches!(self.peek(), Some((Token::Sign(found), _)) if *found == sign);
        self.at += usize::from(there);
        there
    }

    fn word(&mut self) -> Option<String> {
        match self.peek() {
            Some((Token::Word(word), _)) => {
                let word = word.clone();
                self.at += 1;
                Some(word)
            }
            _ => None,
        }
    }

    /// `alias [, alias] = (…)`; anything else, such as `IFILE = path`, is no entry.
    fn entry(&mut self) -> Option<Entry> {
        let start = self.at;
        let mut aliases = vec![self.word()?];
        while self.sign(',') {
            aliases.push(self.word()?);
        }
        let opens = matches!(
            (self.peek(), self.tokens.get(self.at + 1)),
            (Some((Token::Sign('='), _)), Some((Token::Sign('('), _)))
        );
        if !opens {
            self.at = start;
            return None;
        }
        self.at += 1;
        let mut entry = Entry {
            aliases,
            ..Entry::default()
        };
        for (key, value) in self.list() {
            entry.take(&key, &value);
        }
        Some(entry)
    }

    /// `(key = value) (key = value) …` up to what is no opening parenthesis.
    fn list(&mut self) -> Vec<(String, Value)> {
        let mut items = Vec::new();
        while self.sign('(') {
            let Some(key) = self.word() else {
                // Something like `((…))`: taken as if the outer pair were not there.
                items.extend(self.list());
                self.sign(')');
                continue;
            };
            self.sign('=');
            let value = match self.peek() {
                Some((Token::Sign('('), _)) => Value::List(self.list()),
                _ => Value::Text(self.text()),
            };
            items.push((key, value));
            if !self.sign(')') && self.next_entry() {
                break;
            }
        }
        items
    }

    fn text(&mut self) -> String {
        let mut words = Vec::new();
        while !self.next_entry() {
            match self.word() {
                Some(word) => words.push(word),
                None => break,
            }
        }
        words.join(" ")
    }

    /// Tells whether a new entry begins here although the old one is not closed.
    fn next_entry(&self) -> bool {
        matches!(self.peek(), Some((Token::Word(_), true)))
            && matches!(
                self.tokens.get(self.at + 1),
                Some((Token::Sign('=' | ','), _))
            )
    }
}

impl Entry {
    fn take(&mut self, key: &str, value: &Value) {
        match (key.to_ascii_uppercase().as_str(), value) {
            ("SERVICE_NAME", Value::Text(text)) => {
                self.service_name.get_or_insert_with(|| text.clone());
            }
            ("SID", Value::Text(text)) => {
                self.sid.get_or_insert_with(|| text.clone());
            }
            ("ADDRESS", Value::List(items)) => self.addresses.extend(address(items)),
            (_, Value::List(items)) => {
                for (key, value) in items {
                    self.take(key, value);
                }
            }
            _ => {}
        }
    }
}

fn address(items: &[(String, Value)]) -> Option<Address> {
    let text = |wanted: &str| {
        items.iter().find_map(|(key, value)| match value {
            Value::Text(text) if key.eq_ignore_ascii_case(wanted) => Some(text.clone()),
            _ => None,
        })
    };
    Some(Address {
        host: text("HOST")?,
        port: text("PORT")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY_LINES: &str = "\
# connect names of this facility
truth =
  (DESCRIPTION =
    (ADDRESS_LIST =
      (ADDRESS = (PROTOCOL = TCP)(HOST = truth.example.com)(PORT = 1521))
    )
    (CONNECT_DATA =
      (SERVICE_NAME = truth.world) # the service
    )
  )
";

    #[test]
    fn reads_every_layout() {
        let one_line = "truth=(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=truth.example.com)(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=truth.world)))";
        let lower = one_line.to_lowercase();
        let quoted = one_line.replace("truth.world", "\"truth.world\"");
        let at_edge = "truth =\n(DESCRIPTION =\n(ADDRESS = (PROTOCOL = TCP)(HOST = truth.example.com)\n(PORT = 1521))\n(CONNECT_DATA =\n(SERVICE_NAME =\ntruth.world)))\n";
        let crlf = MANY_LINES.replace('\n', "\r\n");
        for text in [MANY_LINES, one_line, &lower, &quoted, at_edge, &crlf] {
            let entries = entries(text);
            assert_eq!(entries.len(), 1, "{text}");
            let entry = find(&entries, "Truth").unwrap();
            assert_eq!(entry.service_name.as_deref(), Some("truth.world"), "{text}");
            let address = Address {
                host: "truth.example.com".into(),
                port: 1521,
            };
            assert_eq!(entry.addresses, [address], "{text}");
        }
    }

    #[test]
    fn several_aliases_and_other_facilities() {
        let text = format!(
            "IFILE = /etc/other.ora\n{MANY_LINES}\ntruth_b, B_TRUTH =\n (DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=10.0.0.1)(PORT=20002))(CONNECT_DATA=(SID=trutb)))\nc=(DESCRIPTION_LIST=(LOAD_BALANCE=off)(DESCRIPTION=(ADDRESS=(HOST=h1)(PORT=20003))(ADDRESS=(HOST=h2)(PORT=20003))(CONNECT_DATA=(SERVICE_NAME=c))))\n"
        );
        let entries = entries(&text);
        let names: Vec<_> = entries
            .iter()
            .map(|entry| entry.aliases.join(" "))
            .collect();
        assert_eq!(names, ["truth", "truth_b B_TRUTH", "c"]);
        let b = find(&entries, "b_truth").unwrap();
        assert_eq!(
            (b.sid.as_deref(), b.addresses[0].port),
            (Some("trutb"), 20002)
        );
        assert_eq!(find(&entries, "c").unwrap().addresses.len(), 2);
        assert!(find(&entries, "d").is_none());
    }

    #[test]
    fn a_broken_entry_does_not_swallow_the_next() {
        let text = "a = (DESCRIPTION = (ADDRESS = (HOST = h)(PORT = 1521)\nb = (DESCRIPTION = (CONNECT_DATA = (SERVICE_NAME = s)))\n";
        let entries = entries(text);
        assert_eq!(entries.len(), 2);
        assert_eq!(
            find(&entries, "b").unwrap().service_name.as_deref(),
            Some("s")
        );
    }

    #[test]
    fn never_hangs_on_nonsense() {
        for text in [
            "",
            ")",
            "((((",
            "a=",
            "=(",
            "a,=(",
            "a=((b=c)))",
            "a=(b=\"c",
            "'",
            "a b c = (",
            "(a=(b=(c=",
            "a = (()",
        ] {
            entries(text);
        }
    }
}
