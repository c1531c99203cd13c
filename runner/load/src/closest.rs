//! Finds what a misspelt name was probably meant to be.

/// A letter too many, too few or swapped is likelier than a wrong one.
const SLIP: usize = 2;
const WRONG: usize = 3;

/// A longer word is no name that was misspelt.
const LONGEST: usize = 80;

/// Returns the candidate nearest to a word, if one is near enough to be what was meant.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let limit = (length / 3).clamp(1, 3) * WRONG;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit && *distance < candidate.chars().count() * SLIP
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Weighs insertions, deletions, substitutions and swaps of neighbours between two words.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).map(|at| at * SLIP).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![(i + 1) * SLIP];
        for (j, b) in right.iter().enumerate() {
            let kept = last[j] + if a == b { 0 } else { WRONG };
            let mut cost = kept.min(last[j + 1].min(row[j]) + SLIP);
            if i > 0 && j > 0 && *a == right[j - 1] && *b == left[i - 1] {
                cost = cost.min(before_last[j - 1] + SLIP);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["register", "when", "become", "notify"];
        assert_eq!(closest("regsiter", names), Some("register"));
        assert_eq!(closest("wehn", names), Some("when"));
        assert_eq!(closest("Become", names), Some("become"));
        assert_eq!(closest("taks", ["tags", "tasks"]), Some("tasks"));
        assert_eq!(closest("colour", names), None);
        assert_eq!(closest("x", ["y"]), None);
    }
}
