//! The Mesh State page: a table of roads with their counts in colour.
//!
//! Pure: from rows to markup. Which rows are true is not decided here.

use crate::standin::fault::Markup;

/// One line of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub from: String,
    pub to: String,
    pub cells: Vec<Cell>,
}

/// A count with its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub count: u64,
    pub colour: String,
}

impl Cell {
    pub fn new(count: u64, colour: &str) -> Self {
        Self {
            count,
            colour: colour.to_owned(),
        }
    }
}

/// The markup that a facility uses when the scenario does not say.
pub fn markup_of_facility(id: u32) -> Markup {
    match id % 3 {
        1 => Markup::Font,
        2 => Markup::Style,
        _ => Markup::Hex,
    }
}

/// The whole page; `moment` is shown in its heading.
pub fn render(facility: &str, moment: &str, markup: Markup, rows: &[Row]) -> String {
    let mut text = format!(
        "<html><head><title>Mesh State</title></head><body>\n<h1>Mesh State</h1>\n\
         <p>Facility {facility}, state as of {moment}</p>\n<table border=\"1\">\n\
         <tr><th>From</th><th>To</th><th>Transactions</th></tr>\n"
    );
    for row in rows {
        let cells: Vec<_> = row
            .cells
            .iter()
            .map(|cell| coloured(cell, markup))
            .collect();
        text.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            row.from,
            row.to,
            cells.join("<br>")
        ));
    }
    text.push_str("</table>\n</body></html>\n");
    text
}

fn coloured(cell: &Cell, markup: Markup) -> String {
    let words = format!("{} transactions", cell.count);
    match markup {
        Markup::Font | Markup::ByCore => format!("<font color=\"{}\">{words}</font>", cell.colour),
        Markup::Style => format!("<span style=\"color:{}\">{words}</span>", cell.colour),
        Markup::Hex => format!("<font color=\"{}\">{words}</font>", hex(&cell.colour)),
    }
}

fn hex(colour: &str) -> &str {
    match colour {
        "black" => "#000000",
        "yellow" => "#ffff00",
        "green" => "#008000",
        "red" => "#ff0000",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_in_three_ways() {
        let rows = [Row {
            from: "A".into(),
            to: "B".into(),
            cells: vec![Cell::new(4980, "yellow")],
        }];
        let table = [
            (
                Markup::Font,
                "<font color=\"yellow\">4980 transactions</font>",
            ),
            (
                Markup::Style,
                "<span style=\"color:yellow\">4980 transactions</span>",
            ),
            (
                Markup::Hex,
                "<font color=\"#ffff00\">4980 transactions</font>",
            ),
        ];
        for (markup, wanted) in table {
            let page = render("A", "now", markup, &rows);
            assert!(
                page.contains(&format!("<tr><td>A</td><td>B</td><td>{wanted}</td></tr>")),
                "{page}"
            );
        }
    }

    #[test]
    fn several_counts_of_a_road_stand_in_one_cell() {
        let rows = [Row {
            from: "A".into(),
            to: "B".into(),
            cells: vec![Cell::new(1, "black"), Cell::new(2, "mauve")],
        }];
        let page = render("A", "now", Markup::Hex, &rows);
        assert!(
            page.contains("#000000\">1 transactions</font><br><font color=\"mauve\">2"),
            "{page}"
        );
    }
}
