//! The Mesh State page: roads between facilities, their counts, their colours.
//!
//! Only black is good. Everything that is not understood is *unknown*, never black.

use std::collections::BTreeSet;

/// Colour of a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Colour {
    Black,
    /// Published and not received everywhere, or being sent.
    Underway,
    /// A conflict.
    Red,
    Unknown(String),
}

/// One count of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) count: Option<u64>,
    pub(super) colour: Colour,
}

/// What one look at the page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// Every entry is black.
    Black(Vec<Cell>),
    /// Some are still under way.
    Underway(Vec<Cell>),
    /// At least one is a conflict.
    Red(Vec<Cell>),
    /// Nothing can be said: the reason.
    Unknown(String),
}

/// Reads the page; `facilities` are the short names that the mesh has.
pub(super) fn read(page: &str, facilities: &[String]) -> Look {
    let lower = page.to_lowercase();
    if lower.contains("type=\"password\"")
        || lower.contains("type='password'")
        || lower.contains("type=password")
    {
        return Look::Unknown("the answer is a login form".to_owned());
    }
    if !lower.contains("mesh state") {
        return Look::Unknown("the answer is not the Mesh State page".to_owned());
    }
    let cells: Vec<Cell> = rows(page).iter().flat_map(|row| read_row(row)).collect();
    if cells.is_empty() {
        return Look::Unknown("the page has no entries".to_owned());
    }
    let seen: BTreeSet<&str> = cells
        .iter()
        .flat_map(|cell| [cell.from.as_str(), cell.to.as_str()])
        .collect();
    let missing: Vec<&str> = facilities
        .iter()
        .map(String::as_str)
        .filter(|name| !seen.contains(name))
        .collect();
    if !missing.is_empty() {
        return Look::Unknown(format!("the page has no entry of {}", missing.join(", ")));
    }
    judge(cells)
}

fn judge(cells: Vec<Cell>) -> Look {
    if cells.iter().any(|cell| cell.colour == Colour::Red) {
        return Look::Red(cells);
    }
    let strange = cells.iter().find_map(|cell| match &cell.colour {
        Colour::Unknown(colour) => Some(format!(
            "the entry from {} to {} has the unknown colour {colour}",
            cell.from, cell.to
        )),
        _ => None,
    });
    if let Some(reason) = strange {
        return Look::Unknown(reason);
    }
    if cells.iter().all(|cell| cell.colour == Colour::Black) {
        Look::Black(cells)
    } else {
        Look::Underway(cells)
    }
}

/// Contents of the table rows.
fn rows(page: &str) -> Vec<&str> {
    between(page, "<tr", "</tr>")
}

/// Texts between an opening tag (up to its end) and a closing one, in any letter case.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = lower
        .get(at..)
        .and_then(|rest| rest.find(open))
        .map(|start| at + start)
    {
        let Some(begin) = lower
            .get(start..)
            .and_then(|rest| rest.find('>'))
            .map(|end| start + end + 1)
        else {
            break;
        };
        let end = lower
            .get(begin..)
            .and_then(|rest| rest.find(close))
            .map_or(lower.len(), |end| begin + end);
        found.extend(text.get(begin..end));
        at = (end + close.len()).min(lower.len());
    }
    found
}

/// Reads a row: from, to, then one or more coloured counts.
fn read_row(row: &str) -> Vec<Cell> {
    let columns = between(row, "<td", "</td>");
    let [from, to, counts @ ..] = columns.as_slice() else {
        return Vec::new();
    };
    let (from, to) = (plain(from), plain(to));
    counts
        .iter()
        .flat_map(|column| split_breaks(column))
        .filter(|part| !plain(part).is_empty())
        .map(|part| Cell {
            from: from.clone(),
            to: to.clone(),
            count: plain(&part)
                .split_whitespace()
                .find_map(|word| word.replace(',', "").parse().ok()),
            colour: colour(&part),
        })
        .collect()
}

fn split_breaks(column: &str) -> Vec<String> {
    column
        .replace("<BR", "<br")
        .split("<br")
        .map(|part| part.trim_start_matches(['/', ' ', '>']).to_owned())
        .collect()
}

/// Text without its tags.
fn plain(markup: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for character in markup.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            other if !inside => text.push(other),
            _ => {}
        }
    }
    text.replace("&nbsp;", " ").trim().to_owned()
}

/// Colour of a piece of markup: an attribute `color`, or `color:` of a style.
///
/// Text without any colour is what a browser shows black, but the page is not trusted so far.
fn colour(markup: &str) -> Colour {
    let lower = markup.to_ascii_lowercase();
    let Some(at) = lower.find("color") else {
        return Colour::Unknown("(none given)".to_owned());
    };
    let value: String = lower
        .get(at + "color".len()..)
        .unwrap_or_default()
        .trim_start_matches([' ', '=', ':', '"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '#')
        .collect();
    match value.as_str() {
        "black" | "#000000" | "#000" => Colour::Black,
        "yellow" | "#ffff00" | "#ff0" | "green" | "#008000" | "#00ff00" | "#0f0" => {
            Colour::Underway
        }
        "red" | "#ff0000" | "#f00" => Colour::Red,
        _ => Colour::Unknown(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cells: &[(&str, &str, &str)]) -> String {
        let mut text = "<html><h1>Mesh State</h1><table border=\"1\"><tr><th>From</th><th>To</th><th>n</th></tr>\n".to_owned();
        for (from, to, markup) in cells {
            text += &format!("<tr><td>{from}</td><td>{to}</td><td>{markup}</td></tr>\n");
        }
        text + "</table></html>"
    }

    fn facilities() -> Vec<String> {
        vec!["A".into(), "B".into()]
    }

    fn kind(look: &Look) -> &'static str {
        match look {
            Look::Black(_) => "black",
            Look::Underway(_) => "underway",
            Look::Red(_) => "red",
            Look::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn markup_of_every_kind_is_read() {
        let black = ("B", "A", "<font color=black>0 transactions</font>");
        let table = [
            ("<font color=\"black\">12 transactions</font>", "black"),
            ("<span style=\"color:black\">0 transactions</span>", "black"),
            ("<FONT COLOR='#000000'>0 transactions</FONT>", "black"),
            (
                "<font color=\"yellow\">4,980 transactions</font>",
                "underway",
            ),
            (
                "<span style=\"color: green\">3 transactions</span>",
                "underway",
            ),
            ("<font color=\"#ff0000\">1 transactions</font>", "red"),
            (
                "<font color=\"black\">1 x</font><br><font color=\"red\">2 x</font>",
                "red",
            ),
            ("<font color=\"mauve\">1 transactions</font>", "unknown"),
            ("12 transactions", "unknown"),
        ];
        for (markup, wanted) in table {
            let look = read(&page(&[("A", "B", markup), black]), &facilities());
            assert_eq!(kind(&look), wanted, "{markup}: {look:?}");
        }
        let Look::Underway(cells) = read(
            &page(&[("A", "B", "<font color=\"yellow\">4,980 transactions</font>")]),
            &facilities(),
        ) else {
            panic!("not underway")
        };
        assert_eq!(
            (cells[0].from.as_str(), cells[0].to.as_str(), cells[0].count),
            ("A", "B", Some(4980))
        );
    }

    #[test]
    fn what_is_no_mesh_state_is_unknown() {
        let black = "<font color=black>0 transactions</font>";
        let table = [
            String::new(),
            "<html><form><input type=\"password\" name=p></form>Mesh State</html>".to_owned(),
            "<html><h1>500 Internal Server Error</h1></html>".to_owned(),
            page(&[]),
            page(&[("A", "C", black)]),
            "<h1>Mesh State</h1><tr><td>A<td>".to_owned(),
        ];
        for text in table {
            assert_eq!(kind(&read(&text, &facilities())), "unknown", "{text}");
        }
    }
}
