//! 13.7: every file that a run edited in place has a copy of what it was, and the way back from one to the other.

use std::path::Path;

use anyhow::{Context, Result};
use saslab::paths::StateDir;
use serde_json::Value;

/// One edit as a run tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    host: String,
    path: String,
    backup: String,
    /// Number of the first line that differs, from 1, with the lines before.
    at: Vec<(usize, String)>,
}

/// Edits without a copy, or with one that does not hold what was edited, in a sentence each.
pub fn complaints(events: &Path, lab: &StateDir) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(events).with_context(|| format!("{}", events.display()))?;
    let mut found = Vec::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line)?;
        let Some(edit) = edit(&event) else { continue };
        let place = lab
            .root(&edit.host)
            .join(edit.backup.trim_start_matches('/'));
        let copy = match edit.backup.as_str() {
            "" => None,
            _ => std::fs::read_to_string(place).ok(),
        };
        found.extend(wrong(&edit, copy.as_deref()));
    }
    Ok(found)
}

/// An edit in place, if the event tells of one that was made.
fn edit(event: &Value) -> Option<Edit> {
    let outcome = &event["outcome"];
    if event["event"] != "host_finished" || outcome["status"] != "changed" {
        return None;
    }
    let result = &outcome["result"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let edits = result["edits"].as_array()?;
    Some(Edit {
        host: text(&event["id"]["host"]),
        path: text(&result["path"]),
        backup: text(&result["backup"]),
        at: edits
            .iter()
            .map(|edit| {
                let line = edit["line"].as_u64().unwrap_or(0);
                (usize::try_from(line).unwrap_or(0), text(&edit["before"]))
            })
            .collect(),
    })
}

fn wrong(edit: &Edit, copy: Option<&str>) -> Option<String> {
    let about = format!("13.7: {} on {}", edit.path, edit.host);
    let Some(copy) = copy else {
        return Some(format!("{about} was edited without a copy"));
    };
    if edit.at.is_empty() {
        return Some(format!(
            "{about} was edited, and nobody knows in which lines"
        ));
    }
    let lines: Vec<&str> = copy.lines().collect();
    let differs = edit.at.iter().find(|(number, before)| {
        let wanted: Vec<&str> = before.lines().collect();
        let from = number.saturating_sub(1);
        lines.get(from..from + wanted.len()) != Some(&wanted[..])
    });
    differs.map(|(number, _)| format!("{about}: the copy has other text at line {number}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_way_back_leads_from_the_lines_to_the_copy() {
        let event = json!({
            "event": "host_finished", "id": {"host": "a1", "task": "x"},
            "outcome": {"status": "changed", "result": {
                "path": "/etc/x", "backup": "/etc/x.1", "edits": [{"line": 2, "before": "b", "after": "c\nd"}],
            }},
        });
        let edit = edit(&event).unwrap();
        let cases = [
            (Some("a\nb\n"), None),
            (Some("a\nc\n"), Some("line 2")),
            (Some("a\n"), Some("line 2")),
            (None, Some("without a copy")),
        ];
        for (copy, wanted) in cases {
            let said = wrong(&edit, copy);
            assert_eq!(said.is_some(), wanted.is_some(), "{copy:?}: {said:?}");
            assert!(
                said.unwrap_or_default()
                    .contains(wanted.unwrap_or_default())
            );
        }
        let unknown =
            json!({"event": "host_finished", "outcome": {"status": "ok", "result": {"edits": []}}});
        assert_eq!(super::edit(&unknown), None);
    }
}
