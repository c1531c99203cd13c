//! Differences as unified diffs.

use sasrun_model::Difference;
use similar::{ChangeTag, TextDiff};

use crate::style::{Meaning, Style};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// Draws a difference; nothing when both sides are equal.
pub(crate) fn render(difference: &Difference, style: Style) -> Vec<String> {
    if difference.before == difference.after {
        return Vec::new();
    }
    let header = |mark: &str, text: &str, side: &str| {
        let text = if text.is_empty() { side } else { text };
        format!("{mark} {text}")
    };
    let mut lines = vec![
        style.paint(
            Meaning::Removed,
            &header("---", &difference.before_header, "before"),
        ),
        style.paint(
            Meaning::Added,
            &header("+++", &difference.after_header, "after"),
        ),
    ];
    let diff = TextDiff::from_lines(&difference.before, &difference.after);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        lines.push(style.paint(Meaning::Skipped, &hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let text = change.value().trim_end_matches('\n');
            lines.push(match change.tag() {
                ChangeTag::Delete => style.paint(Meaning::Removed, &format!("-{text}")),
                ChangeTag::Insert => style.paint(Meaning::Added, &format!("+{text}")),
                ChangeTag::Equal => format!(" {text}"),
            });
            if change.missing_newline() {
                lines.push("\\ No newline at end of file".to_owned());
            }
        }
    }
    lines
}
