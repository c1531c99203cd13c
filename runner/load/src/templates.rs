//! Syntax of templates and expressions, reported at their true place in the file.

use sasrun_model::{Entry, Node, NodeKind, Span};

use crate::playbook::may_be_true;
use crate::problem::Problem;
use crate::{SyntaxProblem, TemplateSyntax, codes};

/// Checks every template of a document.
pub(crate) fn check_all(
    syntax: &dyn TemplateSyntax,
    node: &Node,
    source: &str,
    problems: &mut Vec<Problem>,
) {
    match &node.kind {
        NodeKind::Text(text) if text.is_template => {
            if let Err(found) = syntax.check_template(&text.text) {
                problems.push(problem("template", node.span, &text.text, source, found));
            }
        }
        NodeKind::List(items) => {
            for item in items {
                check_all(syntax, item, source, problems);
            }
        }
        NodeKind::Map(entries) => {
            if is_borne(entries) {
                return;
            }
            for entry in entries {
                check_all(syntax, &entry.value, source, problems);
            }
        }
        _ => {}
    }
}

/// Whether a mistake in a task or block is a failure that it ignores itself: it is left for when it
/// is reached. A rescue around it is no leave to be wrong: it is there for what hosts do.
fn is_borne(entries: &[Entry]) -> bool {
    let ignores = entries
        .iter()
        .find(|entry| entry.key.as_str() == Some("ignore_errors"));
    ignores.is_some_and(|ignores| may_be_true(&ignores.value))
}

/// Makes a problem of what the checker found in a text of the file.
pub(crate) fn problem(
    what: &str,
    span: Span,
    text: &str,
    source: &str,
    found: SyntaxProblem,
) -> Problem {
    let at = place_in_scalar(source, span, text, found.line, found.column).unwrap_or(span);
    let message = format!("this {what} cannot be parsed: {}", found.message);
    Problem::error(codes::TEMPLATE, at, message)
}

/// Finds the place in the file of a place in a scalar's text.
///
/// YAML folds lines and drops indentation but keeps all else, so the n-th character that is not
/// white space is the same in both.
pub(crate) fn place_in_scalar(
    source: &str,
    span: Span,
    text: &str,
    line: u32,
    column: u32,
) -> Option<Span> {
    let before = offset_of(text, line, column)?;
    let wanted = text.get(..before)?.chars().filter(|c| !c.is_whitespace());
    let wanted = wanted.count();
    let start: usize = source
        .split_inclusive('\n')
        .take(span.line.checked_sub(1)? as usize)
        .map(str::len)
        .sum();
    let mut cursor = Cursor {
        rest: source.get(start..)?,
        line: span.line,
        column: 1,
    };
    for _ in 1..span.column {
        cursor.step()?;
    }
    cursor.skip_properties();
    let quote = cursor.enter();
    let is_end = text.get(before..)?.trim().is_empty();
    let mut seen = 0;
    loop {
        if is_end && seen == wanted {
            return Some(cursor.position(span));
        }
        let at = cursor.position(span);
        let c = cursor.step()?;
        if c.is_whitespace() {
            continue;
        }
        if seen == wanted {
            return Some(at);
        }
        let is_escape = match quote {
            Some('"') => c == '\\',
            Some('\'') => c == '\'',
            _ => false,
        };
        // An escape stands for one character, which may be white space.
        let escaped = if is_escape { cursor.step() } else { None };
        let is_blank = quote == Some('"') && matches!(escaped, Some('n' | 't' | 'r' | ' ' | '\n'));
        seen += usize::from(!is_blank);
    }
}

fn offset_of(text: &str, line: u32, column: u32) -> Option<usize> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.checked_sub(1)? as usize)
        .map(str::len)
        .sum();
    let rest = text.get(start..)?;
    let within = rest
        .char_indices()
        .nth(column.saturating_sub(1) as usize)
        .map_or(rest.len(), |(at, _)| at);
    Some(start + within)
}

struct Cursor<'s> {
    rest: &'s str,
    line: u32,
    column: u32,
}

impl Cursor<'_> {
    fn step(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn position(&self, span: Span) -> Span {
        Span {
            file: span.file,
            line: self.line,
            column: self.column,
        }
    }

    /// Passes over anchors and tags.
    fn skip_properties(&mut self) {
        while self.rest.starts_with(['!', '&']) {
            while self.rest.starts_with(|c: char| !c.is_whitespace()) {
                self.step();
            }
            while self.rest.starts_with([' ', '\t']) {
                self.step();
            }
        }
    }

    /// Passes over the opening quote or the head of a block, and gives the quote.
    fn enter(&mut self) -> Option<char> {
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                self.step();
                Some(quote)
            }
            Some('|' | '>') => {
                while self.step().is_some_and(|c| c != '\n') {}
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_scalars_of_every_style_are_found() {
        let cases = [
            ("a: x {{ y", (1, 4), "x {{ y", (1, 6), (1, 9)),
            ("a: \"x {{ y\"", (1, 4), "x {{ y", (1, 6), (1, 10)),
            ("a: 'it''s {{ y'", (1, 4), "it's {{ y", (1, 9), (1, 14)),
            (
                "a: |\n  one\n  {{ y\n",
                (1, 4),
                "one\n{{ y\n",
                (2, 4),
                (3, 6),
            ),
            ("a: >-\n  one\n  {{ y\n", (1, 4), "one {{ y", (1, 8), (3, 6)),
            ("a: x ==\nb: y", (1, 4), "x ==", (1, 5), (1, 8)),
            ("a: !t \"\\n{{ y\"", (1, 4), "\n{{ y", (2, 4), (1, 13)),
        ];
        for (source, (line, column), text, (at_line, at_column), expected) in cases {
            let span = Span {
                line,
                column,
                ..Span::default()
            };
            let found = place_in_scalar(source, span, text, at_line, at_column);
            let found = found.map(|span| (span.line, span.column));
            assert_eq!(found, Some(expected), "{source:?}");
        }
    }
}
