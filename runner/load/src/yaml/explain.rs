//! The probable cause of a syntax error, and the line it is in.
//!
//! The parser names where it gave up, which is often a line below the mistake.

use sasrun_model::{FileId, Node, NodeKind, Span};

use super::compose::LastScalar;
use super::events::{Mark, ParserError};
use crate::codes;
use crate::problem::Problem;

struct Cause {
    at: Mark,
    message: String,
    hint: Option<&'static str>,
}

/// Turns what the parser says into what is wrong.
pub(super) fn explain(text: &str, file: FileId, error: &ParserError, last: LastScalar) -> Problem {
    let cause = find(text, error, last);
    let span = Span {
        file,
        line: cause.at.line + 1,
        column: cause.at.column + 1,
    };
    let problem = Problem::error(codes::SYNTAX, span, cause.message);
    match cause.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// A list or mapping cannot be a key; nearly always it is a template without quotes.
pub(super) fn container_as_key(key: &Node) -> Problem {
    let entries = key.entries();
    let is_template = !entries.is_empty()
        && entries
            .iter()
            .all(|entry| matches!(entry.value.kind, NodeKind::Null));
    if is_template {
        // `{{ name }}` is a mapping whose key is a mapping.
        let span = Span {
            column: key.span.column.saturating_sub(1).max(1),
            ..key.span
        };
        return Problem::error(codes::SYNTAX, span, UNQUOTED).hint(UNQUOTED_TEMPLATE);
    }
    let message = "a list or mapping stands where a key is expected";
    Problem::error(codes::SYNTAX, key.span, message).hint("keys are text; write a value in quotes")
}

const UNQUOTED: &str = "a template stands without quotes";
const UNQUOTED_TEMPLATE: &str =
    "write a value that begins with `{{` in quotes: \"{{ name }}/more\"";

fn find(text: &str, error: &ParserError, last: LastScalar) -> Cause {
    let line = |number: u32| text.lines().nth(number as usize).unwrap_or_default();
    let at = error.at;
    let here = line(at.line);
    let problem = error.problem.as_str();

    if problem.contains("unexpected end of stream") && error.context.contains("quoted scalar") {
        return cause(error.context_at, "a quote is opened and never closed", None);
    }
    if last.is_quoted && last.end.line > last.start.line && at.line <= last.end.line + 1 {
        // A forgotten quote ends at the next one, lines later.
        return cause(
            last.start,
            "a quote is opened here and closed lines later",
            Some("look for the missing quote on this line"),
        );
    }
    if let Some(found) = tab(text, at, problem) {
        return found;
    }
    if let Some(column) = unquoted_template(here) {
        let at = Mark { column, ..at };
        return cause(at, UNQUOTED, Some(UNQUOTED_TEMPLATE));
    }
    if error.context.contains("flow") {
        return in_brackets(text, error);
    }
    by_problem(text, error)
}

/// A list or mapping in brackets that goes wrong before it is closed.
fn in_brackets(text: &str, error: &ParserError) -> Cause {
    let at = error.context_at;
    let opened = text.lines().nth(at.line as usize).unwrap_or_default();
    if let Some(column) = unquoted_template(opened) {
        let at = Mark { column, ..at };
        return cause(at, UNQUOTED, Some(UNQUOTED_TEMPLATE));
    }
    let what = match error.context.contains("sequence") {
        true => "a list opened with `[` is not closed, or a `,` is missing",
        false => "a mapping opened with `{` is not closed, or a `,` is missing",
    };
    cause(at, what, None)
}

fn by_problem(text: &str, error: &ParserError) -> Cause {
    let line = |number: u32| text.lines().nth(number as usize).unwrap_or_default();
    let at = error.at;
    let problem = error.problem.as_str();
    if problem.contains("could not find expected ':'") {
        return missing_colon(error.context_at, line(error.context_at.line));
    }
    if problem.contains("mapping values are not allowed") {
        return unexpected_colon(text, at);
    }
    if problem.contains("cannot start any token") {
        return cause(
            at,
            "a value cannot begin with this character",
            Some("write it in quotes"),
        );
    }
    if problem.contains("unknown escape") || problem.contains("expected hexdecimal") {
        return cause(
            at,
            "an unknown escape in double quotes",
            Some("write `\\\\` for a backslash, or use single quotes"),
        );
    }
    if problem.contains("did not find expected '-'") {
        return cause(
            at,
            "this line is not indented like the list it stands in",
            Some("items of a list begin with `- ` in one column, their keys two further in"),
        );
    }
    if problem.contains("did not find expected key") {
        return unexpected_line(text, error, line(at.line));
    }
    if problem.contains("expected <document start>") {
        return cause(
            at,
            "this line is not indented like the ones before it",
            None,
        );
    }
    cause(at, problem.to_owned(), None)
}

fn cause(at: Mark, message: impl Into<String>, hint: Option<&'static str>) -> Cause {
    Cause {
        at,
        message: message.into(),
        hint,
    }
}

/// A tab where blanks are expected, at the error or in the indentation just above it.
fn tab(text: &str, at: Mark, problem: &str) -> Option<Cause> {
    let first = at.line.saturating_sub(1);
    let lines = text.lines().enumerate().skip(first as usize).take(2);
    let mut found = None;
    for (number, line) in lines {
        let indent = line.len() - line.trim_start().len();
        if let Some(column) = line.get(..indent).and_then(|blank| blank.find('\t')) {
            found = Some(Mark {
                line: u32::try_from(number).ok()?,
                column: u32::try_from(column).ok()?,
            });
            if number as u64 == u64::from(at.line) {
                break;
            }
        }
    }
    let is_tab_error = problem.contains("tab") || problem.contains("cannot start any token");
    let at = found.or_else(|| {
        let here = text.lines().nth(at.line as usize)?;
        let is_here = here.chars().nth(at.column as usize) == Some('\t');
        (is_tab_error && is_here).then_some(at)
    })?;
    Some(cause(
        at,
        "a tab stands where blanks are expected",
        Some("indent with blanks only"),
    ))
}

/// Column of `{{` right after `key: ` or `- `.
fn unquoted_template(line: &str) -> Option<u32> {
    let at = line.find("{{")?;
    let before = line.get(..at)?.trim_end();
    let is_value = before.ends_with(':') || before.ends_with('-');
    is_value
        .then(|| u32::try_from(line.get(..at)?.chars().count()).ok())
        .flatten()
}

fn missing_colon(at: Mark, line: &str) -> Cause {
    let rest: String = line.chars().skip(at.column as usize).collect();
    let glued = rest
        .split_once(':')
        .is_some_and(|(key, value)| is_word(key) && !value.is_empty() && !value.starts_with(' '));
    if glued {
        return cause(
            at,
            "a blank is missing after the colon",
            Some("write `key: value`"),
        );
    }
    cause(
        at,
        "this line is neither `key: value` nor part of the value above",
        Some("a key is followed by a colon and a blank"),
    )
}

fn is_word(text: &str) -> bool {
    let text = text.trim_start_matches("- ");
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_.-".contains(c))
}

/// A colon where no key can be: the line above lacks its blank, this line is indented too far, or
/// the value holds a colon.
fn unexpected_colon(text: &str, at: Mark) -> Cause {
    let lines: Vec<&str> = text.lines().take(at.line as usize + 1).collect();
    let here = lines.last().copied().unwrap_or_default();
    let before_colon: String = here.chars().take(at.column as usize).collect();
    if before_colon.contains(": ") {
        return cause(
            at,
            "a second `: ` stands in this value",
            Some("write the value in quotes"),
        );
    }
    let above = lines.iter().enumerate().rev().skip(1).find(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    if let Some((number, above)) = above {
        let trimmed = above.trim_start();
        let content = trimmed.trim_start_matches("- ");
        let glued = content.split_once(':').is_some_and(|(key, value)| {
            is_word(key) && !value.is_empty() && !value.starts_with(' ')
        });
        let is_bare = !content.trim().contains(char::is_whitespace) && !content.ends_with(':');
        let column = above.chars().count() - content.chars().count();
        let place = Mark {
            line: u32::try_from(number).unwrap_or(at.line),
            column: u32::try_from(column).unwrap_or(0),
        };
        if glued && !content.contains(": ") {
            return cause(
                place,
                "a blank is missing after the colon",
                Some("write `key: value`"),
            );
        }
        if is_bare {
            return cause(
                place,
                "a colon is missing after this key",
                Some("write `key:`"),
            );
        }
    }
    if let Some(odd) = odd_line(text, at.line, at.line.saturating_sub(1)) {
        return cause(odd, NOT_LIKE_NEIGHBOURS, Some(CHECK_INDENT));
    }
    let place = Mark {
        column: indent_of(here),
        ..at
    };
    cause(
        place,
        "a key is not allowed here",
        Some("check that this line is indented like its neighbours, and that the value above ends"),
    )
}

const NOT_LIKE_NEIGHBOURS: &str = "this line is not indented like its neighbours";
const CHECK_INDENT: &str = "the lines below do not fit under it; indent by two blanks each level";

/// The line that breaks the file's habit of indenting by two, where the line at which reading
/// stopped keeps it: the nearest above it, not above `first`.
fn odd_line(text: &str, stopped: u32, first: u32) -> Option<Mark> {
    let is_text = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let lines: Vec<&str> = text.lines().collect();
    let written = lines.iter().filter(|line| is_text(line));
    let odd = written.clone().filter(|line| indent_of(line) % 2 == 1);
    let has_habit = odd.count() * 8 <= written.count().max(8);
    let stopped_line = lines.get(stopped as usize)?;
    if !has_habit || indent_of(stopped_line) % 2 == 1 {
        return None;
    }
    (first..stopped).rev().find_map(|number| {
        let line = lines.get(number as usize).filter(|line| is_text(line))?;
        let indent = indent_of(line);
        (indent % 2 == 1).then_some(Mark {
            line: number,
            column: indent,
        })
    })
}

fn indent_of(line: &str) -> u32 {
    let blanks = line.chars().take_while(|c| *c == ' ').count();
    u32::try_from(blanks).unwrap_or(0)
}

/// A line that is not part of the mapping it stands in.
fn unexpected_line(text: &str, error: &ParserError, here: &str) -> Cause {
    if let Some(odd) = odd_line(text, error.at.line, error.context_at.line) {
        return cause(odd, NOT_LIKE_NEIGHBOURS, Some(CHECK_INDENT));
    }
    let content = here.trim_start();
    if content.starts_with("- ") {
        return cause(
            error.at,
            "an item of a list stands where a key is expected",
            Some("check that this line is indented like its neighbours"),
        );
    }
    let after_quote = here
        .chars()
        .take(error.at.column as usize)
        .any(|c| c == '"' || c == '\'');
    if after_quote {
        return cause(
            error.at,
            "text follows a value in quotes",
            Some("put the whole value in quotes, and double or escape the quotes inside it"),
        );
    }
    cause(
        error.at,
        "this line is not indented like the mapping it stands in",
        Some("check that this line is indented like its neighbours"),
    )
}
