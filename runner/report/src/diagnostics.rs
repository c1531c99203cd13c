//! Diagnostics with an excerpt, a caret, the cause and the way out.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use sasrun_model::{Diagnostic, Place, Severity};

use crate::style::Style;

/// Draws all diagnostics, in the order of their places.
pub fn render(diagnostics: &[Diagnostic], style: Style) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by(|a, b| key(a).cmp(&key(b)));
    let renderer = if style.is_coloured {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(style.columns);
    let drawn = sorted.iter().map(|diagnostic| one(diagnostic, &renderer));
    let mut text = drawn.collect::<Vec<_>>().join("\n\n");
    text.push('\n');
    text
}

fn key(diagnostic: &Diagnostic) -> (Option<(&str, u32, u32)>, &str) {
    let place = diagnostic.place.as_ref();
    (
        place.map(|place| (place.path.as_str(), place.line, place.column)),
        &diagnostic.message,
    )
}

fn one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code);
    let mut report = vec![match &diagnostic.place {
        Some(place) => title.element(snippet(place, AnnotationKind::Primary, "")),
        None => Group::with_title(title),
    }];
    for (place, word) in &diagnostic.related {
        let title = Level::NOTE.secondary_title(word.as_str());
        report.push(title.element(snippet(place, AnnotationKind::Context, "")));
    }
    if let Some(hint) = &diagnostic.hint {
        report.push(Group::with_title(
            Level::HELP.secondary_title(hint.as_str()),
        ));
    }
    renderer.render(&report).to_string()
}

fn snippet<'a>(
    place: &'a Place,
    kind: AnnotationKind,
    label: &'a str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let column = place.column.max(1) as usize - 1;
    let start = place
        .excerpt
        .char_indices()
        .nth(column)
        .map_or(place.excerpt.len(), |(at, _)| at);
    let rest = place.excerpt.get(start..).unwrap_or_default();
    let word = rest
        .find(|c: char| c.is_whitespace() || c == ':' || c == ',')
        .unwrap_or(rest.len());
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let annotation = kind.span(start..start + word.max(first)).label(label);
    Snippet::source(place.excerpt.as_str())
        .line_start(place.line as usize)
        .path(place.path.as_str())
        .annotation(annotation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_names_its_place_and_the_way_out() {
        let place = Place {
            path: "site.yml".into(),
            line: 4,
            column: 7,
            excerpt: "    - servce: name=x".into(),
        };
        let diagnostic = Diagnostic::error("E021", "unknown module \"servce\"", Some(place))
            .hint("did you mean \"service\"?");
        let text = render(
            &[diagnostic],
            Style {
                is_coloured: false,
                columns: 80,
                is_terminal: false,
            },
        );
        assert!(
            text.contains("error[E021]: unknown module \"servce\""),
            "{text}"
        );
        assert!(text.contains("site.yml:4:7"), "{text}");
        assert!(text.contains("^^^^^^"), "{text}");
        assert!(text.contains("did you mean \"service\"?"), "{text}");
    }

    #[test]
    fn a_place_past_the_end_of_its_line_is_no_trouble() {
        let place = Place {
            path: "x.yml".into(),
            line: 1,
            column: 99,
            excerpt: "é".into(),
        };
        render(
            &[Diagnostic::error("E001", "odd", Some(place))],
            Style {
                is_coloured: true,
                columns: 0,
                is_terminal: true,
            },
        );
    }
}
