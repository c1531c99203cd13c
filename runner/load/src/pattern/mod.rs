//! Host patterns: which hosts of an inventory a play or a limit means.

mod glob;
mod parse;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use sasrun_model::{Inventory, Name, Span};

use glob::glob_matches;
use parse::{split, term};

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
            let named = inventory.hosts.values().filter(|host| !host.is_implicit);
            hosts = named.map(|host| Arc::clone(&host.name)).collect();
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

impl HostPattern {
    /// Parts of the pattern that no group and no host matches, as Ansible warns of them.
    pub fn without_match(&self, inventory: &Inventory) -> Vec<String> {
        let is_unmatched = |term: &&Term| {
            let has_group = inventory.groups.keys().any(|name| term.matches(name));
            !has_group && term.hosts(inventory).is_empty()
        };
        let unmatched = self.terms.iter().filter(is_unmatched);
        unmatched
            .map(|term| term.text.trim_start_matches(['!', '&']).to_owned())
            .collect()
    }

    /// Plain names in the pattern that are neither a group nor a host.
    pub(crate) fn unknown_names(&self, inventory: &Inventory) -> Vec<String> {
        let names = self.terms.iter().filter_map(|term| match &term.matcher {
            Matcher::Name(name) => Some(name),
            _ => None,
        });
        let is_known = |name: &str| {
            inventory.groups.contains_key(name)
                || inventory.hosts.contains_key(name)
                || LOCAL.contains(&name)
        };
        names.filter(|name| !is_known(name)).cloned().collect()
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
            let members = inventory.members(group);
            let is_all = &**group == "all";
            for host in members
                .into_iter()
                .filter(|host| !(is_all && host.is_implicit))
            {
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
                    let named = inventory.hosts.values();
                    for host in named.filter(|host| !host.is_implicit && self.matches(&host.name)) {
                        if seen.insert(Arc::clone(&host.name)) {
                            found.push(Arc::clone(&host.name));
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
