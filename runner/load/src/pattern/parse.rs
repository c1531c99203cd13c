//! Text to the terms of a pattern.

use std::sync::Arc;

use super::{Matcher, PatternError, Pick, Sign, Term};

/// Splits at commas, or where there are none at colons outside of brackets.
pub(super) fn split(text: &str) -> Vec<&str> {
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

pub(super) fn term(text: &str) -> Result<Term, PatternError> {
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
