//! The table of connected gateways on a status page.
//!
//! Pages of that age are loose HTML: this looks for the table's heading and takes the rows behind
//! it. It never takes another table for it, such as that of the links of the whole mesh.

use serde_json::{Map, Value};

/// A row of the table, by the names of its columns in lower case.
pub(crate) type Row = Map<String, Value>;

/// Why there is no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PageError {
    #[error("the page has no table of connected gateways")]
    NoTable,
    #[error("the table of connected gateways has no column of their names")]
    NoNames,
}

/// Names of the column of names.
const NAMES: [&str; 4] = ["node", "gateway", "name", "peer"];

/// Reads the table; a table without rows is no error.
pub(crate) fn connected(page: &str) -> Result<Vec<Row>, PageError> {
    // Letter case is folded byte by byte, so that places fit both texts.
    let folded = page.to_ascii_lowercase();
    let heading = "connected gateways";
    let at = folded.find(heading).ok_or(PageError::NoTable)?;
    let behind = at + heading.len();
    let rest = folded.get(behind..).unwrap_or_default();
    let end = rest.find("</table").ok_or(PageError::NoTable)?;
    // A heading above its table, or within it as a caption.
    let begin = rest
        .find("<table")
        .filter(|begin| *begin < end)
        .unwrap_or(0);
    let table = page.get(behind + begin..behind + end).unwrap_or_default();
    let mut rows = rows(table).into_iter();
    let columns: Vec<String> = rows
        .by_ref()
        .find(|cells| cells.iter().any(|cell| is_name(cell)))
        .ok_or(PageError::NoNames)?
        .iter()
        .map(|cell| cell.to_lowercase())
        .collect();
    Ok(rows
        .map(|cells| {
            columns
                .iter()
                .cloned()
                .zip(cells.into_iter().map(Value::from))
                .collect()
        })
        .collect())
}

/// The gateway's name in a row.
pub(crate) fn name(row: &Row) -> Option<&str> {
    NAMES.iter().find_map(|column| row.get(*column)?.as_str())
}

fn is_name(cell: &str) -> bool {
    NAMES.iter().any(|name| cell.eq_ignore_ascii_case(name))
}

fn rows(table: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut cell: Option<String> = None;
    let mut rest = table;
    while let Some((text, behind)) = rest.split_once('<') {
        if let Some(cell) = &mut cell {
            cell.push_str(text);
        }
        let (tag, after) = behind.split_once('>').unwrap_or((behind, ""));
        let word = tag
            .split(|c: char| c.is_whitespace() || c == '/')
            .find(|word| !word.is_empty());
        let closes = tag.starts_with('/');
        match word.unwrap_or_default().to_ascii_lowercase().as_str() {
            "td" | "th" => {
                finish(&mut rows, &mut cell);
                if !closes {
                    cell = Some(String::new());
                }
            }
            "tr" => {
                finish(&mut rows, &mut cell);
                if !closes {
                    rows.push(Vec::new());
                }
            }
            _ => {}
        }
        rest = after;
    }
    finish(&mut rows, &mut cell);
    rows.retain(|row| !row.is_empty());
    rows
}

fn finish(rows: &mut Vec<Vec<String>>, cell: &mut Option<String>) {
    if let Some(text) = cell.take() {
        let text = text
            .replace("&nbsp;", " ")
            .replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match rows.last_mut() {
            Some(row) => row.push(text),
            None => rows.push(vec![text]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(page: &str) -> Result<Vec<String>, PageError> {
        let rows = connected(page)?;
        Ok(rows.iter().filter_map(name).map(str::to_owned).collect())
    }

    const ROWS: &str = "<tr><th>Node</th><th>Realm</th></tr><tr><td>cgw0-B</td><td>B</td></tr><tr><td>agw0-A</td><td>A-agents</td></tr>";

    #[test]
    fn reads_loose_pages() {
        let expected = vec!["cgw0-B".to_owned(), "agw0-A".to_owned()];
        let pages = [
            format!("<html><table><tr><td><table><tr><td>Gateway</td><td>cgw0-A</td></tr></table></td><td><h3>Connected Gateways</h3>\n<table border=\"1\">{ROWS}</table></td></tr></table></html>"),
            format!("<TABLE><CAPTION>CONNECTED GATEWAYS</CAPTION>{}</TABLE>", ROWS.to_uppercase().replace("CGW0-B", "cgw0-B").replace("AGW0-A", "agw0-A")),
            "<h3>Connected gateways</h3><table><tr><td><b>Node</b><td>Realm<tr><td><a href=x>cgw0-B</a>&nbsp;<td>B<tr><td>agw0-A<td>A</table>".to_owned(),
            format!("<b>Connected Gateways</b><table>{ROWS}</table><h3>Links</h3><table><tr><th>Node</th></tr><tr><td>agw0-C</td></tr></table>"),
        ];
        for page in pages {
            assert_eq!(names(&page).as_ref(), Ok(&expected), "{page}");
        }
    }

    #[test]
    fn other_pages_have_no_table() {
        let cases = [
            ("<html><form>Login</form></html>", Err(PageError::NoTable)),
            (
                "<h3>Link table</h3><table><tr><th>Node</th></tr><tr><td>agw0-A</td></tr></table>",
                Err(PageError::NoTable),
            ),
            (
                "<h3>Connected Gateways</h3><table><tr><td>1</td></tr></table>",
                Err(PageError::NoNames),
            ),
            (
                "<h3>Connected Gateways</h3><table><tr><th>Node</th></tr></table>",
                Ok(vec![]),
            ),
            (
                "<h3>Connected Gateways</h3><table><tr><th>Node</th>",
                Err(PageError::NoTable),
            ),
            ("", Err(PageError::NoTable)),
        ];
        for (page, expected) in cases {
            assert_eq!(names(page), expected, "{page}");
        }
    }
}
