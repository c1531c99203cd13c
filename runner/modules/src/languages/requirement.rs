//! What a line such as `django[argon2]>=4.2,<5` asks of a package of Python's.

use std::cmp::Ordering;

/// A package and the versions of it that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    /// Name in the one form in which names are compared.
    pub(super) name: String,
    bounds: Vec<(String, String)>,
}

impl Requirement {
    /// Reads a requirement; none if it is an address or a path.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.split(';').next()?.trim();
        if text.contains("://") || text.contains('/') || text.contains(" @ ") {
            return None;
        }
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let rest = rest.trim();
        let rest = match rest.strip_prefix('[') {
            Some(extras) => extras.split_once(']')?.1,
            None => rest,
        };
        let mut bounds = Vec::new();
        for bound in rest
            .trim()
            .trim_matches(['(', ')'])
            .split(',')
            .map(str::trim)
            .filter(|bound| !bound.is_empty())
        {
            let end = bound.find(|c: char| !"=<>!~".contains(c))?;
            let (operator, version) = bound.split_at(end);
            if operator.is_empty() {
                return None;
            }
            bounds.push((operator.to_owned(), version.trim().to_owned()));
        }
        (!name.is_empty()).then(|| Self {
            name: canonical(name),
            bounds,
        })
    }

    /// Tells whether a version will do.
    pub(super) fn takes(&self, version: &str) -> bool {
        self.bounds.iter().all(|(operator, bound)| {
            let order = compare(version, bound.trim_end_matches(".*"));
            match operator.as_str() {
                "==" | "===" if bound.ends_with(".*") => {
                    starts_with(version, bound.trim_end_matches(".*"))
                }
                "==" | "===" => order == Ordering::Equal,
                "!=" if bound.ends_with(".*") => {
                    !starts_with(version, bound.trim_end_matches(".*"))
                }
                "!=" => order != Ordering::Equal,
                ">=" => order != Ordering::Less,
                "<=" => order != Ordering::Greater,
                ">" => order == Ordering::Greater,
                "<" => order == Ordering::Less,
                "~=" => {
                    let stem = bound
                        .rsplit_once('.')
                        .map_or(bound.as_str(), |(stem, _)| stem);
                    order != Ordering::Less && starts_with(version, stem)
                }
                _ => false,
            }
        })
    }
}

/// Writes a name in the form in which names are compared: `Foo._Bar` is `foo-bar`.
pub(super) fn canonical(name: &str) -> String {
    let mut written = String::new();
    for c in name.trim().chars() {
        if "-_.".contains(c) {
            if !written.ends_with('-') {
                written.push('-');
            }
        } else {
            written.extend(c.to_lowercase());
        }
    }
    written
}

fn parts(version: &str) -> (Vec<u64>, String) {
    let version = version.trim().trim_start_matches('v').to_lowercase();
    let version = version.split('+').next().unwrap_or_default();
    let end = version
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(version.len());
    let (release, rest) = version.split_at(end);
    let mut numbers: Vec<u64> = release
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    (numbers, rest.trim_start_matches(['.', '-', '_']).to_owned())
}

/// A version that ends in letters comes before the plain one, but `post` comes after it.
fn compare(left: &str, right: &str) -> Ordering {
    let ((left, left_end), (right, right_end)) = (parts(left), parts(right));
    let rank = |end: &str| match end {
        "" => 1,
        end if end.starts_with("post") => 2,
        _ => 0,
    };
    left.cmp(&right)
        .then_with(|| rank(&left_end).cmp(&rank(&right_end)))
        .then_with(|| left_end.cmp(&right_end))
}

fn starts_with(version: &str, stem: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split('.')
            .map_while(|part| part.parse().ok())
            .collect()
    };
    numbers(version).starts_with(&numbers(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_held() {
        let takes =
            |requirement: &str, version: &str| Requirement::of(requirement).unwrap().takes(version);
        assert!(takes("a", "1"));
        assert!(takes("a[x]>=1.2,<2", "1.10"));
        assert!(!takes("a>=1.2,<2", "2.0"));
        assert!(takes("a==1.0", "1"));
        assert!(takes("a==1.*", "1.7"));
        assert!(takes("a~=1.4.2", "1.4.9"));
        assert!(!takes("a~=1.4.2", "1.5"));
        assert!(!takes("a>=1.0", "1.0rc1"));
        assert!(takes("a>1.0; python_version > '3'", "1.0.post1"));
        assert_eq!(Requirement::of("git+https://x/y"), None);
        assert_eq!(Requirement::of("Foo._Bar").unwrap().name, "foo-bar");
    }
}
