//! Filters that lay text out in lines.

use super::{Filter, filter};
use crate::eval::Call;
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("comment", &["style", "**"], comment),
    filter("indent", &["width", "first", "blank"], indent),
    filter(
        "truncate",
        &["length", "killwords", "end", "leeway"],
        truncate,
    ),
    filter(
        "urlize",
        &["trim_url_limit", "nofollow", "target", "rel"],
        |call| Ok(call.subject.clone()),
    ),
    filter(
        "wordwrap",
        &[
            "width",
            "break_long_words",
            "wrapstring",
            "break_on_hyphens",
        ],
        word_wrap,
    ),
];

fn indent(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    let indentation = match call.arg(0) {
        Some(Val::Text(text)) => text.to_string(),
        _ => " ".repeat(
            call.int(0)?
                .map_or(4, |width| usize::try_from(width).unwrap_or(0))
                .min(1 << 16),
        ),
    };
    let first = call.flag(1, false)?;
    let blank = call.flag(2, false)?;
    // As Jinja: a newline is added before splitting, so that a last one is kept.
    let mut lines = text.split('\n');
    let mut out = String::with_capacity(text.len() + 16);
    let head = lines.next().unwrap_or_default();
    if first && (blank || !head.is_empty()) {
        out.push_str(&indentation);
    }
    out.push_str(head);
    for line in lines {
        out.push('\n');
        if blank || !line.is_empty() {
            out.push_str(&indentation);
        }
        out.push_str(line);
    }
    Ok(Val::from(out))
}

fn truncate(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    let length = call
        .int(0)?
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(255);
    let end = call.text_or(2, "...")?;
    let leeway = call
        .int(3)?
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(5);
    if text.chars().count() <= length + leeway {
        return Ok(Val::from(text));
    }
    let cut: String = text
        .chars()
        .take(length.saturating_sub(end.chars().count()))
        .collect();
    if call.flag(1, false)? {
        return Ok(Val::from(cut + &end));
    }
    let words = cut.rsplit_once(' ').map_or(&*cut, |(words, _)| words);
    Ok(Val::from(format!("{words}{end}")))
}

fn word_wrap(call: &Call<'_>) -> Eval {
    let width = call
        .int(0)?
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(79)
        .max(1);
    let break_long = call.flag(1, true)?;
    let newline = call.text_or(2, "\n")?;
    let text = call.subject_text()?;
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        wrap(paragraph, width, break_long, &mut lines);
    }
    Ok(Val::from(lines.join(&newline)))
}

fn wrap(paragraph: &str, width: usize, break_long: bool, lines: &mut Vec<String>) {
    let mut line = String::new();
    for word in paragraph.split(' ') {
        let mut word = word.to_owned();
        let needed = line.chars().count() + usize::from(!line.is_empty()) + word.chars().count();
        if !line.is_empty() && needed > width {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        while break_long && line.is_empty() && word.chars().count() > width {
            let head: String = word.chars().take(width).collect();
            word = word.chars().skip(width).collect();
            lines.push(head);
        }
        line.push_str(&word);
    }
    lines.push(line);
}

/// The parts a comment is made of.
struct Style {
    newline: String,
    beginning: String,
    prefix: String,
    prefix_count: usize,
    decoration: String,
    postfix: String,
    postfix_count: usize,
    end: String,
}

fn style_of(call: &Call<'_>) -> Eval<Style> {
    let style = call.text_or(0, "plain")?;
    let (beginning, decoration, end) = match style.as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => return Err(call.fail(format!("invalid style '{other}'"))),
    };
    let given = |name: &str| {
        call.named
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value)
    };
    let text = |name: &str, default: &str| -> Eval<String> {
        match given(name) {
            Some(value) => call.session().text_of(value),
            None => Ok(default.to_owned()),
        }
    };
    let count = |name: &str| -> usize {
        given(name)
            .and_then(Val::as_int)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(1)
            .min(1000)
    };
    let decoration = text("decoration", decoration)?;
    let edge = decoration.trim_end().to_owned();
    Ok(Style {
        newline: text("newline", "\n")?,
        beginning: text("beginning", beginning)?,
        prefix: text("prefix", &edge)?,
        prefix_count: count("prefix_count"),
        postfix: text("postfix", &edge)?,
        postfix_count: count("postfix_count"),
        end: text("end", end)?,
        decoration,
    })
}

fn comment(call: &Call<'_>) -> Eval {
    let style = style_of(call)?;
    let text = call.subject_text()?;
    let newline = &style.newline;
    let mut out = String::new();
    if !style.beginning.is_empty() {
        out.push_str(&style.beginning);
        out.push_str(newline);
    }
    if !style.prefix.is_empty() {
        let line = if style.prefix == *newline {
            newline.clone()
        } else {
            format!("{}{newline}", style.prefix)
        };
        out.push_str(&line.repeat(style.prefix_count));
    }
    let decorated = format!(
        "{}{}",
        style.decoration,
        text.replace(newline, &format!("{newline}{}", style.decoration))
    );
    out.push_str(&decorated.replace(
        &format!("{}{newline}", style.decoration),
        &format!("{}{newline}", style.decoration.trim_end()),
    ));
    for _ in 0..style.postfix_count {
        out.push_str(newline);
        out.push_str(&style.postfix);
    }
    if !style.end.is_empty() {
        out.push_str(newline);
        out.push_str(&style.end);
    }
    Ok(Val::from(out))
}
