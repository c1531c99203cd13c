//! Filters that turn text into text.

use super::{Filter, filter, map_text};
use crate::eval::Call;
use crate::python::{capitalize, percent, title};
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("capitalize", &[], |call| map_text(call, capitalize)),
    filter("center", &["width"], center),
    filter("e", &[], |call| map_text(call, escape_html)),
    filter("escape", &[], |call| map_text(call, escape_html)),
    filter("forceescape", &[], |call| map_text(call, escape_html)),
    filter("format", &["*", "**"], format),
    filter("lower", &[], |call| map_text(call, str::to_lowercase)),
    filter("pprint", &["verbose"], pprint),
    filter("quote", &[], quote),
    filter("replace", &["old", "new", "count"], replace),
    filter("safe", &[], |call| Ok(call.subject.clone())),
    filter("split", &["sep", "maxsplit"], split),
    filter("string", &[], string),
    filter("striptags", &[], |call| map_text(call, strip_tags)),
    filter("title", &[], |call| map_text(call, title)),
    filter("trim", &["chars"], trim),
    filter("upper", &[], |call| map_text(call, str::to_uppercase)),
    filter("wordcount", &[], word_count),
    filter("xmlattr", &["autospace"], xml_attributes),
];

fn string(call: &Call<'_>) -> Eval {
    match &call.subject {
        Val::Text(_) => Ok(call.subject.clone()),
        subject => Ok(Val::from(call.session().text_of(subject)?)),
    }
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&#39;")
        .replace('"', "&#34;")
}

fn strip_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn center(call: &Call<'_>) -> Eval {
    let width = call
        .int(0)?
        .and_then(|width| usize::try_from(width).ok())
        .unwrap_or(80)
        .min(1 << 20);
    let text = call.subject_text()?;
    let missing = width.saturating_sub(text.chars().count());
    let left = missing / 2 + (missing & width & 1);
    Ok(Val::from(format!(
        "{}{text}{}",
        " ".repeat(left),
        " ".repeat(missing - left)
    )))
}

fn format(call: &Call<'_>) -> Eval {
    let format = call.subject_text()?;
    let arguments = if call.named.is_empty() {
        Val::tuple(call.rest.clone())
    } else {
        Val::dict(
            call.named
                .iter()
                .map(|(name, value)| (sasrun_model::Key::Text(name.clone()), value.clone()))
                .collect(),
        )
    };
    Ok(Val::from(percent::format(
        call.session(),
        &format,
        &arguments,
    )?))
}

fn pprint(call: &Call<'_>) -> Eval {
    Ok(Val::from(call.session().repr_of(&call.subject)?))
}

/// Quotes for a shell as Python's `shlex.quote`.
fn quote(call: &Call<'_>) -> Eval {
    if matches!(call.subject, Val::Null) {
        return Ok(Val::from("''"));
    }
    map_text(call, |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
        if !text.is_empty() && text.chars().all(plain) {
            text.to_owned()
        } else {
            format!("'{}'", text.replace('\'', "'\"'\"'"))
        }
    })
}

fn replace(call: &Call<'_>) -> Eval {
    let old = call.session().text_of(call.required(0)?)?;
    let new = call.session().text_of(call.required(1)?)?;
    let count = call.int(2)?.and_then(|count| usize::try_from(count).ok());
    map_text(call, |text| match count {
        Some(count) => text.replacen(&old, &new, count),
        None => text.replace(&old, &new),
    })
}

fn split(call: &Call<'_>) -> Eval {
    let text = Val::from(call.subject_text()?);
    let mut arguments = crate::eval::Arguments::default();
    for index in 0..2 {
        if let Some(value) = call.arg(index) {
            arguments.positional.push(value.clone());
        }
    }
    crate::python::methods::call(call.env, &text, "split", arguments)
}

fn trim(call: &Call<'_>) -> Eval {
    let chars = call.text(0)?;
    map_text(call, |text| {
        match &chars {
            Some(chars) => text.trim_matches(|c| chars.contains(c)),
            None => text.trim(),
        }
        .to_owned()
    })
}

fn word_count(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    Ok(Val::from(
        text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .count(),
    ))
}

fn xml_attributes(call: &Call<'_>) -> Eval {
    let session = call.session();
    let mut out = String::new();
    for (key, value) in session.entries(&call.subject)? {
        if matches!(value, Val::Null | Val::Undefined(_)) {
            continue;
        }
        out.push_str(&format!(
            " {}=\"{}\"",
            escape_html(&key.to_string()),
            escape_html(&session.text_of(&value)?)
        ));
    }
    if !call.flag(0, true)? {
        out = out.trim_start().to_owned();
    }
    Ok(Val::from(out))
}
