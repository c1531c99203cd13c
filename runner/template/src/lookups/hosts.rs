//! The lookup `inventory_hostnames`: hosts of patterns, from what `groups` says.

use fancy_regex::Regex;

use super::LookupCall;
use crate::python::regex::{self, Flags};
use crate::values::{Eval, Val};

/// A group and its hosts.
type Group = (String, Vec<String>);

pub(super) fn inventory_host_names(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let groups = groups(call)?;
    let terms = call.term_texts()?;
    let patterns = terms.iter().flat_map(|term| parts(term));
    let (mut chosen, mut other): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for pattern in patterns {
        if pattern.starts_with(['!', '&']) {
            other.push(pattern);
        } else {
            chosen.push(pattern);
        }
    }
    // As in Ansible: what takes away is applied last, and alone it takes away from all.
    other.sort_by_key(|pattern| pattern.starts_with('!'));
    if chosen.is_empty() && !other.is_empty() {
        chosen.push("all");
    }
    let mut hosts: Vec<String> = Vec::new();
    for pattern in chosen {
        for host in members(call, &groups, pattern)? {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    for pattern in other {
        let (sign, pattern) = pattern.split_at(1);
        let named = members(call, &groups, pattern)?;
        hosts.retain(|host| named.contains(host) == (sign == "&"));
    }
    Ok(hosts.into_iter().map(Val::from).collect())
}

fn groups(call: &LookupCall<'_>) -> Eval<Vec<Group>> {
    let session = call.session();
    let listed = call.env.variable(&"groups".into())?;
    listed.known()?;
    let mut groups = Vec::new();
    for name in session.iterate(&listed)? {
        let name = session.text_of(&name)?;
        let hosts = match session.entry(&listed, &name.as_str().into())? {
            Some(hosts) => session.iterate(&hosts)?,
            None => Vec::new(),
        };
        let hosts: Eval<Vec<String>> = hosts.iter().map(|host| session.text_of(host)).collect();
        groups.push((name, hosts?));
    }
    Ok(groups)
}

/// Patterns of one text: commas stand between them, or colons where there is no comma. A colon in
/// brackets is that of a range.
fn parts(term: &str) -> Vec<&str> {
    if term.contains(',') {
        return term.split(',').map(str::trim).collect();
    }
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in term.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                parts.push(term[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(term[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Hosts of one pattern, in the order of the inventory: those of the groups it names, and those it
/// names itself. What is not there is nobody.
fn members(call: &LookupCall<'_>, groups: &[Group], pattern: &str) -> Eval<Vec<String>> {
    let (pattern, part) = match pattern.strip_suffix(']').and_then(|p| p.rsplit_once('[')) {
        Some((name, part)) if !pattern.starts_with('~') && is_range(part) => (name, Some(part)),
        _ => (pattern, None),
    };
    let matcher = Matcher::new(call, pattern)?;
    let mut hosts: Vec<String> = Vec::new();
    let mut add = |host: &String| {
        if !hosts.contains(host) {
            hosts.push(host.clone());
        }
    };
    for (name, members) in groups {
        if matcher.takes(call, name)? {
            members.iter().for_each(&mut add);
        }
    }
    // A name that is a group's is no host's.
    if matcher.is_pattern() || !groups.iter().any(|(name, _)| name == pattern) {
        for host in groups.iter().flat_map(|(_, members)| members) {
            if matcher.takes(call, host)? {
                add(host);
            }
        }
    }
    Ok(match part {
        Some(part) => of_range(hosts, part),
        None => hosts,
    })
}

fn is_range(part: &str) -> bool {
    !part.is_empty()
        && part
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '-' | ':'))
}

/// `0`, `-1`, `1:3`, `1-3`, `2:`: the last one counts.
fn of_range(hosts: Vec<String>, part: &str) -> Vec<String> {
    let place = |text: &str| -> Option<usize> {
        let at: isize = text.parse().ok()?;
        match usize::try_from(at) {
            Ok(at) => Some(at),
            Err(_) => hosts.len().checked_sub(at.unsigned_abs()),
        }
    };
    let middle = part.get(1..).and_then(|rest| rest.find([':', '-']));
    let halves = middle.map(|at| (&part[..at + 1], &part[at + 2..]));
    let (start, end) = match halves {
        Some((start, end)) => (
            place(start).unwrap_or(0),
            place(end).map_or(hosts.len(), |end| end.saturating_add(1)),
        ),
        None => match place(part) {
            Some(at) => (at, at.saturating_add(1)),
            None => return Vec::new(),
        },
    };
    let count = end.saturating_sub(start);
    hosts.into_iter().skip(start).take(count).collect()
}

enum Matcher<'p> {
    Name(&'p str),
    Regex(Regex),
}

impl<'p> Matcher<'p> {
    fn new(call: &LookupCall<'_>, pattern: &'p str) -> Eval<Self> {
        let text = match pattern.strip_prefix('~') {
            Some(regex) => format!("^(?:{regex})"),
            None if pattern.contains(['*', '?', '[']) => wildcards(pattern),
            None => return Ok(Self::Name(pattern)),
        };
        let regex = regex::compile(&text, Flags::default());
        Ok(Self::Regex(regex.map_err(|message| call.fail(message))?))
    }

    fn is_pattern(&self) -> bool {
        matches!(self, Self::Regex(_))
    }

    fn takes(&self, call: &LookupCall<'_>, name: &str) -> Eval<bool> {
        match self {
            Self::Name(pattern) => Ok(*pattern == name),
            Self::Regex(regex) => regex
                .is_match(name)
                .map_err(|error| call.fail(error.to_string())),
        }
    }
}

/// A pattern of the shell as a regular expression.
fn wildcards(pattern: &str) -> String {
    let mut text = String::from("^(?:");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match (c, rest.find(']')) {
            ('*', _) => text.push_str(".*"),
            ('?', _) => text.push('.'),
            ('[', Some(end)) if end > 0 => {
                let inside = rest[..end].replace('\\', "\\\\").replace('[', "\\[");
                let (sign, inside) = match inside.strip_prefix('!') {
                    Some(inside) => ("^", inside),
                    None => ("", inside.as_str()),
                };
                text.push_str(&format!("[{sign}{inside}]"));
                rest = &rest[end + 1..];
            }
            (c, _) => text.push_str(&fancy_regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    text.push_str(")$");
    text
}
