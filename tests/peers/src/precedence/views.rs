//! What a run showed of the variables, read from its output.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::batch::Batch;
use super::case::Case;
use super::site::Site;

/// Places of a play that look: before the role, in it, in a block, after each kind of task, inside an include, after it.
const POINTS: &[&str] = &["A", "B", "C", "D", "E", "F", "G"];
/// The one from which every level is seen.
const INNERMOST: &str = "F";

/// Values by case, point and variable.
#[derive(Default)]
pub(super) struct Views(BTreeMap<(usize, String), BTreeMap<String, String>>);

/// The first value that is not the same.
pub(super) struct Difference {
    pub variable: String,
    point: &'static str,
    theirs: Option<String>,
    ours: Option<String>,
}

impl Views {
    pub(super) fn read(output: &str) -> Self {
        let mut views = BTreeMap::new();
        for part in output.split("LOOK ").skip(1) {
            let Some((words, _)) = part.split_once(" END") else {
                continue;
            };
            let mut words = words.split(' ');
            let (Some(case), Some(point)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(case) = case.parse() else { continue };
            let values = words
                .filter_map(|word| word.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            views.insert((case, point.to_owned()), values);
        }
        Self(views)
    }

    /// How many values were shown.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    fn at(&self, case: usize, point: &str) -> Option<&BTreeMap<String, String>> {
        self.0.get(&(case, point.to_owned()))
    }

    /// Where another run of the same case shows something else; a point that only one reached counts.
    pub(super) fn difference(&self, other: &Self, case: usize) -> Option<Difference> {
        for point in POINTS {
            let (Some(theirs), Some(ours)) = (self.at(case, point), other.at(case, point)) else {
                return Some(Difference {
                    variable: "(all)".to_owned(),
                    point,
                    theirs: self.at(case, point).map(|_| "it was reached".to_owned()),
                    ours: other.at(case, point).map(|_| "it was reached".to_owned()),
                });
            };
            let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
            for name in names {
                if theirs.get(name) != ours.get(name) {
                    return Some(Difference {
                        variable: name.clone(),
                        point,
                        theirs: theirs.get(name).cloned(),
                        ours: ours.get(name).cloned(),
                    });
                }
            }
        }
        None
    }

    /// Pairs of levels of which one held against the other, low before high.
    pub(super) fn contested(&self, batch: &Batch, case: &Case) -> BTreeSet<(u8, u8)> {
        let mut pairs = BTreeSet::new();
        let Some(values) = self.at(case.number, INNERMOST) else {
            return pairs;
        };
        for (name, value) in values {
            let sites = batch.definitions(case, name);
            let winner = sites
                .iter()
                .find(|site| site.is_written() && site.value() == *value)
                .or_else(|| sites.get(&Site::Facts).filter(|_| value != "-"))
                .or_else(|| {
                    sites
                        .get(&Site::CommandLine)
                        .filter(|site| *value == site.value())
                });
            let Some(winner) = winner.map(|site| site.level()) else {
                continue;
            };
            let losers = sites.iter().map(|site| site.level());
            pairs.extend(
                losers
                    .filter(|level| *level != winner)
                    .map(|level| (level.min(winner), level.max(winner))),
            );
        }
        pairs
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(
            f,
            "{} seen from {}: ansible {}, sasrun {}",
            self.variable,
            self.point,
            show(&self.theirs),
            show(&self.ours)
        )
    }
}
