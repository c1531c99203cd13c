//! How the looks at the page add up: black several times in a row, red at once, or no movement.

use super::REFUSED;
use super::page::{Cell, Colour, Look};

/// What to do after a look.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Done(Vec<Cell>),
    Stop(String),
    Again,
}

/// The looks so far.
pub(super) struct Patience {
    wanted: u64,
    pub(super) black_in_a_row: u64,
    pub(super) looks: u64,
    pub(super) last: Vec<Cell>,
    /// Entries under way as they were when they last moved.
    moved: Vec<(Cell, u64)>,
    last_unknown: Option<String>,
}

/// Looks without movement after which an entry counts as stuck.
const STILL_LOOKS: u64 = 3;

impl Patience {
    /// Begins with no look.
    pub(super) fn new(wanted: u64) -> Self {
        Self {
            wanted,
            black_in_a_row: 0,
            looks: 0,
            last: Vec::new(),
            moved: Vec::new(),
            last_unknown: None,
        }
    }

    /// Takes in one look.
    pub(super) fn see(&mut self, look: Look) -> Step {
        self.looks += 1;
        match look {
            Look::Black(cells) => {
                self.black_in_a_row += 1;
                self.remember(cells);
                if self.black_in_a_row >= self.wanted {
                    Step::Done(self.last.clone())
                } else {
                    Step::Again
                }
            }
            Look::Underway(cells) => {
                self.black_in_a_row = 0;
                self.remember(cells);
                Step::Again
            }
            Look::Red(cells) => {
                let red: Vec<String> = cells
                    .iter()
                    .filter(|cell| cell.colour == Colour::Red)
                    .map(|cell| format!("from {} to {}", cell.from, cell.to))
                    .collect();
                self.remember(cells);
                Step::Stop(format!(
                    "a transaction is in conflict {}: resolve it with the Multimaster Tools",
                    red.join(", ")
                ))
            }
            Look::Unknown(reason) => {
                self.black_in_a_row = 0;
                if reason.starts_with(REFUSED) {
                    return Step::Stop(format!(
                        "{reason}; the page wants browser.p12 or spin-developer.p12, or spin's own"
                    ));
                }
                self.last_unknown = Some(reason);
                Step::Again
            }
        }
    }

    fn remember(&mut self, cells: Vec<Cell>) {
        self.last_unknown = None;
        let mut moved = Vec::new();
        for cell in cells.iter().filter(|cell| cell.colour != Colour::Black) {
            let since = self
                .moved
                .iter()
                .find(|(known, _)| known == cell)
                .map_or(self.looks, |(_, since)| *since);
            moved.push((cell.clone(), since));
        }
        self.moved = moved;
        self.last = cells;
    }

    /// Roads that have not moved for several looks: from, to, count.
    pub(super) fn stuck(&self) -> Vec<(String, String, Option<u64>)> {
        self.moved
            .iter()
            .filter(|(_, since)| self.looks.saturating_sub(*since) >= STILL_LOOKS)
            .map(|(cell, _)| (cell.from.clone(), cell.to.clone(), cell.count))
            .collect()
    }

    /// Why it did not come to an end, for people.
    pub(super) fn standstill(&self) -> String {
        let stuck = self.stuck();
        if !stuck.is_empty() {
            let roads: Vec<String> = stuck
                .iter()
                .map(|(from, to, _)| format!("from {from} to {to}"))
                .collect();
            return format!(
                "nothing moves {}; look at the vault and rvrdscript there",
                roads.join(", ")
            );
        }
        match &self.last_unknown {
            Some(reason) => format!("the last look was unknown: {reason}"),
            None => "the counts still move".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(count: u64, colour: Colour) -> Cell {
        Cell {
            from: "A".into(),
            to: "B".into(),
            count: Some(count),
            colour,
        }
    }

    fn look(word: &str) -> Look {
        match word.split_once(' ').unwrap_or((word, "0")) {
            ("black", _) => Look::Black(vec![cell(0, Colour::Black)]),
            ("yellow", count) => {
                Look::Underway(vec![cell(count.parse().unwrap(), Colour::Underway)])
            }
            ("red", _) => Look::Red(vec![cell(1, Colour::Red)]),
            ("refused", _) => Look::Unknown(format!("{REFUSED}: no")),
            _ => Look::Unknown("500".into()),
        }
    }

    /// Looks, and what comes of them: done or stopped after so many, or neither.
    const CASES: &[(&[&str], &str)] = &[
        (&["black", "black", "black"], "done 3"),
        (
            &["yellow 4980", "yellow 80", "black", "black", "black"],
            "done 5",
        ),
        (&["black", "black", "yellow 1", "black", "black"], "open"),
        (
            &["black", "black", "yellow 1", "black", "black", "black"],
            "done 6",
        ),
        (&["black", "black", "error", "black", "black"], "open"),
        (&["yellow 1", "red", "black"], "stop 2"),
        (&["refused"], "stop 1"),
        (&["error", "error", "error", "error"], "open"),
    ];

    #[test]
    fn only_an_unbroken_row_of_black_is_success() {
        for (looks, wanted) in CASES {
            let mut patience = Patience::new(3);
            let mut end = "open".to_owned();
            for (at, word) in looks.iter().enumerate() {
                match patience.see(look(word)) {
                    Step::Done(_) => end = format!("done {}", at + 1),
                    Step::Stop(_) => end = format!("stop {}", at + 1),
                    Step::Again => continue,
                }
                break;
            }
            assert_eq!(end, *wanted, "{looks:?}");
        }
    }

    #[test]
    fn a_road_that_does_not_move_is_named() {
        let mut patience = Patience::new(3);
        for count in [5, 5, 5, 5] {
            patience.see(look(&format!("yellow {count}")));
        }
        assert_eq!(patience.stuck(), [("A".into(), "B".into(), Some(5))]);
        assert!(patience.standstill().contains("from A to B"));
        patience.see(look("yellow 4"));
        assert!(patience.stuck().is_empty());
    }
}
