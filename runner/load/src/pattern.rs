//! Host patterns: which hosts of an inventory a play or a limit means.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use sasrun_model::{Inventory, Name, Span};

use crate::problem::Problem;
use crate::session::Session;
use crate::{closest, codes};

/// A host pattern, parsed.
#[derive(Debug, Clone, Default)]
pub struct HostPattern {
    terms: Vec<Term>,
}

/// A pattern is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A regular expression does not parse.
    #[error("`{pattern}` is not a regular expression: {cause}")]
    Regex {
        /// The pattern.
        pattern: String,
        /// Why.
        cause: String,
    },
    /// A bracket is not closed or what is in it picks nothing.
    #[error("`{pattern}` has a bracket that is neither an index nor a range")]
    Bracket {
        /// The pattern.
        pattern: String,
    },
    /// There is a mark and no name after it.
    #[error("`{mark}` has no name after it")]
    Empty {
        /// The mark.
        mark: char,
    },
}

/// Hosts that a pattern means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Their names, in the order of the pattern and, within a group, of the inventory. Holds
    /// `localhost` where it was named, even if the inventory lacks it.
    pub hosts: Vec<Name>,
    /// Parts of the pattern that match nothing, each with the nearest name there is.
    pub unmatched: Vec<(String, Option<Name>)>,
}

#[derive(Debug, Clone)]
struct Term {
    /// As written, for messages.
    text: String,
    sign: Sign,
    matcher: Matcher,
    pick: Pick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Add,
    Intersect,
    Exclude,
}

#[derive(Debug, Clone)]
enum Matcher {
    Name(String),
    Glob(String),
    Regex(Arc<fancy_regex::Regex>),
}

/// What is taken of the hosts that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pick {
    All,
    Index(i64),
    /// From and to, both included.
    Range(usize, Option<usize>),
}

/// Names of the controller itself.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

impl HostPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// A regular expression or a bracket cannot be parsed.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_all(&[text])
    }

    /// Parses patterns that count as one, such as the list under `hosts`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_all<S: AsRef<str>>(texts: &[S]) -> Result<Self, PatternError> {
        let mut terms = Vec::new();
        for text in texts {
            for part in split(text.as_ref()) {
                terms.push(term(part)?);
            }
        }
        // Additions first, then intersections, then exclusions, whatever their order.
        terms.sort_by_key(|term| term.sign);
        Ok(Self { terms })
    }

    /// The hosts of an inventory that the pattern means.
    pub fn select(&self, inventory: &Inventory) -> Selection {
        let mut selection = Selection::default();
        let mut hosts: Vec<Name> = Vec::new();
        if self
            .terms
            .first()
            .is_some_and(|term| term.sign != Sign::Add)
        {
            // Only marks: they work on all hosts.
            hosts = inventory.hosts.keys().cloned().collect();
        }
        for term in &self.terms {
            let found = term.hosts(inventory);
            if found.is_empty() && !term.is_all() {
                let near = near_name(&term.text, inventory);
                selection.unmatched.push((term.text.clone(), near));
            }
            let members: HashSet<&Name> = found.iter().collect();
            match term.sign {
                Sign::Intersect => hosts.retain(|host| members.contains(host)),
                Sign::Exclude => hosts.retain(|host| !members.contains(host)),
                Sign::Add => {
                    let known: HashSet<Name> = hosts.iter().cloned().collect();
                    hosts.extend(found.into_iter().filter(|host| !known.contains(host)));
                }
            }
        }
        selection.hosts = hosts;
        selection
    }
}

impl Session<'_> {
    /// A limit, in which a file of patterns, one a line, may stand as `@file`.
    pub(crate) fn limit(&mut self, text: &str) -> Option<HostPattern> {
        let file = self.loader.add_source(Path::new("--limit"), text.into());
        let span = Span {
            file,
            line: 1,
            column: 1,
        };
        let mut patterns: Vec<String> = Vec::new();
        for part in split(text) {
            match part.strip_prefix('@') {
                Some(path) => {
                    let read = self.text(Path::new(path), span)?;
                    let lines = read.text.lines().map(str::trim);
                    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
                    patterns.extend(lines.map(str::to_owned));
                }
                None => patterns.push(part.to_owned()),
            }
        }
        match HostPattern::parse_all(&patterns) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.add(Problem::error(codes::PATTERN, span, error.to_string()));
                None
            }
        }
    }
}

impl Term {
    fn is_all(&self) -> bool {
        matches!(self.text.trim_start_matches(['!', '&']), "all" | "*")
    }

    fn hosts(&self, inventory: &Inventory) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        let mut seen: HashSet<Name> = HashSet::new();
        let mut has_group = false;
        for group in inventory.groups.keys().filter(|name| self.matches(name)) {
            has_group = true;
            for host in inventory.members(group) {
                if seen.insert(Arc::clone(&host.name)) {
                    found.push(Arc::clone(&host.name));
                }
            }
        }
        // A plain name that is a group is not looked for among the hosts.
        if !has_group || !matches!(self.matcher, Matcher::Name(_)) {
            match &self.matcher {
                Matcher::Name(name) => {
                    if let Some(host) = inventory.hosts.get(name.as_str()) {
                        found.push(Arc::clone(&host.name));
                    }
                }
                _ => {
                    for host in inventory.hosts.keys().filter(|name| self.matches(name)) {
                        if seen.insert(Arc::clone(host)) {
                            found.push(Arc::clone(host));
                        }
                    }
                }
            }
        }
        if let (true, Matcher::Name(name)) = (found.is_empty() && !has_group, &self.matcher)
            && LOCAL.contains(&name.as_str())
        {
            found.push(name.as_str().into());
        }
        self.pick.take(found)
    }

    fn matches(&self, name: &str) -> bool {
        match &self.matcher {
            Matcher::Name(wanted) => wanted == name,
            Matcher::Glob(glob) => glob_matches(glob, name),
            // A pathological expression matches nothing rather than hanging.
            Matcher::Regex(regex) => regex.is_match(name).unwrap_or(false),
        }
    }
}

impl Pick {
    fn take(self, hosts: Vec<Name>) -> Vec<Name> {
        match self {
            Pick::All => hosts,
            Pick::Index(index) => {
                let length = i64::try_from(hosts.len()).unwrap_or(i64::MAX);
                let at = if index < 0 { length + index } else { index };
                let at = usize::try_from(at).ok();
                at.and_then(|at| hosts.get(at).cloned())
                    .into_iter()
                    .collect()
            }
            Pick::Range(from, to) => {
                let to = to.unwrap_or(usize::MAX);
                let picked = hosts.into_iter().enumerate();
                picked
                    .filter(|(at, _)| (from..=to).contains(at))
                    .map(|(_, host)| host)
                    .collect()
            }
        }
    }
}

fn near_name(text: &str, inventory: &Inventory) -> Option<Name> {
    let name = text.trim_start_matches(['!', '&']);
    let groups = inventory.groups.keys();
    let names = groups.chain(inventory.hosts.keys());
    closest(name, names.map(|name| &**name)).map(Name::from)
}

/// Splits at commas, or where there are none at colons outside of brackets.
fn split(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = if text.contains(',') {
        text.split(',').collect()
    } else if is_ipv6(text) {
        vec![text]
    } else {
        split_at_colons(text)
    };
    let trimmed = parts.into_iter().map(str::trim);
    trimmed.filter(|part| !part.is_empty()).collect()
}

fn is_ipv6(text: &str) -> bool {
    let name = text.trim().trim_start_matches(['!', '&']);
    name.matches(':').count() > 1 && name.parse::<std::net::Ipv6Addr>().is_ok()
}

fn split_at_colons(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_u32;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn term(text: &str) -> Result<Term, PatternError> {
    let (sign, name) = match text.chars().next() {
        Some('!') => (Sign::Exclude, &text[1..]),
        Some('&') => (Sign::Intersect, &text[1..]),
        _ => (Sign::Add, text),
    };
    if name.is_empty() {
        let mark = if sign == Sign::Exclude { '!' } else { '&' };
        return Err(PatternError::Empty { mark });
    }
    if let Some(expression) = name.strip_prefix('~') {
        // Anchored at the start, as Python's `match` is.
        let regex = fancy_regex::Regex::new(&format!("^(?:{expression})"));
        let regex = regex.map_err(|error| PatternError::Regex {
            pattern: expression.to_owned(),
            cause: error.to_string(),
        })?;
        return Ok(Term {
            text: text.to_owned(),
            sign,
            matcher: Matcher::Regex(Arc::new(regex)),
            pick: Pick::All,
        });
    }
    let (name, pick) = split_pick(name, text)?;
    let matcher = match name {
        "all" => Matcher::Name("all".into()),
        _ if name.contains(['*', '?', '[']) => Matcher::Glob(name.to_owned()),
        _ => Matcher::Name(name.to_owned()),
    };
    Ok(Term {
        text: text.to_owned(),
        sign,
        matcher,
        pick,
    })
}

/// Splits `name[1:3]` into the name and what is picked. Other brackets belong to a glob.
fn split_pick<'t>(name: &'t str, text: &str) -> Result<(&'t str, Pick), PatternError> {
    let bracket = || PatternError::Bracket {
        pattern: text.to_owned(),
    };
    if !name.contains('[') {
        return Ok((name, Pick::All));
    }
    if name.matches('[').count() != name.matches(']').count() {
        return Err(bracket());
    }
    let Some((base, inner)) = name
        .strip_suffix(']')
        .and_then(|open| open.rsplit_once('['))
    else {
        return Ok((name, Pick::All));
    };
    if base.is_empty() {
        return Ok((name, Pick::All));
    }
    if let Ok(index) = inner.parse::<i64>() {
        return Ok((base, Pick::Index(index)));
    }
    let Some((from, to)) = inner.split_once([':', '-']) else {
        return Ok((name, Pick::All));
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if from.is_empty() || !is_number(from) || !is_number(to) {
        // `[a-f]` of a glob.
        return if inner.contains(':') {
            Err(bracket())
        } else {
            Ok((name, Pick::All))
        };
    }
    let from = from.parse().map_err(|_| bracket())?;
    let to = match to {
        "" => None,
        to => Some(to.parse().map_err(|_| bracket())?),
    };
    Ok((base, Pick::Range(from, to)))
}

/// Whether a name matches a glob of `*`, `?`, `[seq]` and `[!seq]`.
pub(crate) fn glob_matches(glob: &str, name: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut g, mut n) = (0, 0);
    // Where to go on when what follows the last star does not fit.
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if glob.get(g) == Some(&'*') {
            retry = Some((g, n));
            g += 1;
            continue;
        }
        if let Some(next) = name.get(n).and_then(|c| one(&glob, g, *c)) {
            g = next;
            n += 1;
            continue;
        }
        match retry {
            Some((star, from)) => {
                retry = Some((star, from + 1));
                g = star + 1;
                n = from + 1;
            }
            None => return false,
        }
    }
    glob.iter().skip(g).all(|c| *c == '*')
}

/// Matches one character at a place of a glob, and gives the place after.
fn one(glob: &[char], at: usize, c: char) -> Option<usize> {
    match glob.get(at)? {
        '?' => Some(at + 1),
        '[' => {
            // A bracket right after the opening one is part of the set.
            let negated = glob.get(at + 1) == Some(&'!');
            let start = at + 1 + usize::from(negated);
            let close = glob.iter().skip(start + 1).position(|c| *c == ']');
            let Some(close) = close.map(|offset| start + 1 + offset) else {
                return (c == '[').then_some(at + 1);
            };
            let set = glob.get(start..close)?;
            (in_set(set, c) != negated).then_some(close + 1)
        }
        other => (*other == c).then_some(at + 1),
    }
}

fn in_set(set: &[char], c: char) -> bool {
    let mut rest = set;
    while let Some((first, after)) = rest.split_first() {
        match after {
            ['-', last, more @ ..] => {
                if (*first..=*last).contains(&c) {
                    return true;
                }
                rest = more;
            }
            _ => {
                if *first == c {
                    return true;
                }
                rest = after;
            }
        }
    }
    false
}
