//! Whether a name is another one with a slip of the fingers, and surely no name of its own.
//!
//! Stricter than the search for suggestions: `web1` is no slip of `web2`, nor `core_a` of `core_b`.

/// Shorter words differ too easily.
const SHORTEST: usize = 5;
/// A letter may be wrong only in a word as long as this.
const LONG: usize = 8;

/// Whether one word came of the other by one slip: a letter too many or too few, two swapped, one
/// wrong in the middle of a long word, another case, `-` for `_`.
pub(super) fn is_slip(written: &str, known: &str) -> bool {
    if written == known {
        return false;
    }
    let (left, right) = (plain(written), plain(known));
    if left == right {
        return true;
    }
    if left.len().min(right.len()) < SHORTEST {
        return false;
    }
    let start = same(left.iter(), right.iter());
    let end = same(left[start..].iter().rev(), right[start..].iter().rev());
    let (a, b) = (
        &left[start..left.len() - end],
        &right[start..right.len() - end],
    );
    match (a, b) {
        ([one], []) | ([], [one]) => {
            one.is_alphabetic() && is_inside_word(&left, start) && is_inside_word(&right, start)
        }
        ([first, second], [third, fourth]) => {
            first == fourth && second == third && first.is_alphabetic() && second.is_alphabetic()
        }
        ([one], [other]) => {
            one.is_alphabetic()
                && other.is_alphabetic()
                && left.len() >= LONG
                && start > 0
                && end > 0
                && is_inside_word(&left, start + 1)
        }
        _ => false,
    }
}

/// Lower case, with one kind of joint.
fn plain(word: &str) -> Vec<char> {
    let joined = |c: char| if matches!(c, '-' | '.') { '_' } else { c };
    word.to_lowercase().chars().map(joined).collect()
}

fn same<'c>(left: impl Iterator<Item = &'c char>, right: impl Iterator<Item = &'c char>) -> usize {
    left.zip(right).take_while(|(a, b)| a == b).count()
}

/// Whether the place is in or at the end of a part of at least three letters.
fn is_inside_word(word: &[char], at: usize) -> bool {
    let before = word[..at].iter().rev().take_while(|c| c.is_alphabetic());
    let after = word[at..].iter().take_while(|c| c.is_alphabetic());
    before.count() + after.count() >= 3
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn slips_are_told_from_names_of_their_own() {
        let slips = [
            ("destination_core", "destination_cores"),
            ("webservrs", "webservers"),
            ("wbeservers", "webservers"),
            ("webservars", "webservers"),
            ("Webservers", "webservers"),
            ("db-servers", "db_servers"),
            ("satelites", "satellites"),
        ];
        for (written, known) in slips {
            assert!(is_slip(written, known), "{written} {known}");
        }
        let others = [
            ("web1", "web2"),
            ("core_a", "core_b"),
            ("dbservers", "webservers"),
            ("host11", "host1"),
            ("core_ab", "core_a"),
            ("test", "rest"),
            ("webservers", "webservers"),
            ("appservers_x", "appservers_y"),
            ("group1", "group"),
            ("dc_east", "dc_west"),
            ("apps", "app"),
        ];
        for (written, known) in others {
            assert!(!is_slip(written, known), "{written} {known}");
        }
    }
}
