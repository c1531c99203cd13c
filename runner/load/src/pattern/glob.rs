//! Globs of names: `*`, `?`, `[seq]` and `[!seq]`.

/// Whether a name matches a glob of `*`, `?`, `[seq]` and `[!seq]`.
pub(super) fn glob_matches(glob: &str, name: &str) -> bool {
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
