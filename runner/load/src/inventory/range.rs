//! Ranges in the names of hosts: `web[01:50]`, `[a:f]`, with a step.

/// A range is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RangeError {
    #[error("the bracket in `{0}` is not closed")]
    Open(String),
    #[error("`[{0}]` is not a range")]
    NotARange(String),
    #[error("the range `[{0}]` begins behind its end")]
    Backwards(String),
    #[error("the range `[{0}]` has ends of different widths")]
    Widths(String),
    #[error("`{0}` stands for more than {LIMIT} hosts")]
    TooMany(String),
}

/// Hosts that one name may stand for.
const LIMIT: usize = 100_000;

/// Splits a port off a host's name.
pub(crate) fn split_port(name: &str) -> (&str, Option<u16>) {
    let Some((host, port)) = name.rsplit_once(':') else {
        return (name, None);
    };
    let brackets = |mark: char| host.matches(mark).count();
    let mut depth = 0_u32;
    let has_colon = host.chars().any(|c| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ':' && depth == 0
    });
    match port.parse::<u16>() {
        Ok(port) if !has_colon && brackets('[') == brackets(']') => (host, Some(port)),
        _ => (name, None),
    }
}

/// Whether a name has a range that names no end, which is then no range.
pub(crate) fn has_no_end(pattern: &str) -> bool {
    pattern
        .split('[')
        .skip(1)
        .filter_map(|part| part.split_once(']'))
        .any(|(range, _)| range.ends_with(':') && range.matches(':').count() == 1)
}

/// The names that a name with ranges stands for.
pub(crate) fn expand(pattern: &str) -> Result<Vec<String>, RangeError> {
    if let Some(address) = bracketed_address(pattern) {
        return Ok(vec![address.to_owned()]);
    }
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((range, after)) = after.split_once(']') else {
            return Err(RangeError::Open(pattern.to_owned()));
        };
        let values = values(range)?;
        if names.len().saturating_mul(values.len()) > LIMIT {
            return Err(RangeError::TooMany(pattern.to_owned()));
        }
        names = names
            .iter()
            .flat_map(|name| {
                values
                    .iter()
                    .map(move |value| format!("{name}{before}{value}"))
            })
            .collect();
        rest = after;
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

/// `[2001:db8::1]` is an address, not a range.
fn bracketed_address(pattern: &str) -> Option<&str> {
    let inner = pattern.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<std::net::Ipv6Addr>().ok()?;
    Some(inner)
}

fn values(range: &str) -> Result<Vec<String>, RangeError> {
    let not_a_range = || RangeError::NotARange(range.to_owned());
    let parts: Vec<&str> = range.split(':').collect();
    let (from, to, step) = match parts.as_slice() {
        [from, to] => (*from, *to, 1),
        [from, to, step] => (*from, *to, step.parse().map_err(|_| not_a_range())?),
        _ => return Err(not_a_range()),
    };
    let from = if from.is_empty() { "0" } else { from };
    if to.is_empty() || step == 0 {
        return Err(not_a_range());
    }
    let letter = |text: &str| {
        let mut letters = text.chars();
        letters
            .next()
            .filter(|c| c.is_ascii_alphabetic() && letters.next().is_none())
    };
    if let (Some(from), Some(to)) = (letter(from), letter(to)) {
        if from > to {
            return Err(RangeError::Backwards(range.to_owned()));
        }
        let letters = (from..=to).filter(char::is_ascii_alphabetic);
        return Ok(letters.step_by(step).map(String::from).collect());
    }
    let number = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<usize>().ok()).flatten()
    };
    let (Some(first), Some(last)) = (number(from), number(to)) else {
        return Err(not_a_range());
    };
    if first > last {
        return Err(RangeError::Backwards(range.to_owned()));
    }
    if last - first > LIMIT.saturating_mul(step) {
        return Err(RangeError::TooMany(range.to_owned()));
    }
    // A leading nought sets the width.
    let width = if from.starts_with('0') && from.len() > 1 {
        if from.len() != to.len() {
            return Err(RangeError::Widths(range.to_owned()));
        }
        from.len()
    } else {
        0
    };
    let numbers = (first..=last).step_by(step);
    Ok(numbers.map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_expand_as_ansible_does() {
        let cases: [(&str, &[&str]); 8] = [
            ("web", &["web"]),
            ("web[1:3]", &["web1", "web2", "web3"]),
            ("web[08:10].x", &["web08.x", "web09.x", "web10.x"]),
            ("web[1:9:4]", &["web1", "web5", "web9"]),
            ("db-[a:c]", &["db-a", "db-b", "db-c"]),
            ("[a:b][1:2]", &["a1", "a2", "b1", "b2"]),
            ("n[:2]", &["n0", "n1", "n2"]),
            ("[::1]", &["::1"]),
        ];
        for (pattern, expected) in cases {
            assert_eq!(expand(pattern).unwrap(), expected, "{pattern}");
        }
    }

    #[test]
    fn ranges_that_are_none_are_refused() {
        for pattern in [
            "web[1:3",
            "web[3:1]",
            "web[x]",
            "web[1:2:0]",
            "w[001:10]",
            "w[1:]",
            "w[0:999999999]",
        ] {
            assert!(expand(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn ports_are_split_off() {
        assert_eq!(split_port("a:22"), ("a", Some(22)));
        assert_eq!(split_port("a[1:3]:22"), ("a[1:3]", Some(22)));
        assert_eq!(split_port("a[1:3]"), ("a[1:3]", None));
        assert_eq!(split_port("a[1:3].x:22"), ("a[1:3].x", Some(22)));
        assert_eq!(split_port("::1"), ("::1", None));
        assert_eq!(split_port("[::1]:22"), ("[::1]", Some(22)));
    }
}
