//! `'{0} {name!r:>10}'.format(…)`.

use sasrun_model::Key;

use super::spec::Spec;
use crate::eval::Call;
use crate::values::{Eval, Fault, Val};

/// Formats as Python's `str.format` does.
pub(super) fn format(call: &Call<'_>, format: &str) -> Eval<String> {
    let mut out = String::with_capacity(format.len());
    let mut automatic = 0;
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(call.fail("single '}' in format string"));
        }
        let end = field_end(rest).ok_or_else(|| call.fail("expected '}' before end of string"))?;
        let field = &rest[..end];
        rest = &rest[end + 1..];
        out.push_str(&write_field(call, field, &mut automatic)?);
    }
    out.push_str(rest);
    Ok(out)
}

/// Where a field ends, nested fields counted.
fn field_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn write_field(call: &Call<'_>, field: &str, automatic: &mut usize) -> Eval<String> {
    let (head, spec) = field.split_once(':').unwrap_or((field, ""));
    let (name, conversion) = head.split_once('!').unwrap_or((head, ""));
    let mut value = find(call, name, automatic)?;
    let session = call.session();
    match conversion {
        "r" | "a" => value = Val::from(session.repr_of(&value)?),
        "s" => value = Val::from(session.text_of(&value)?),
        _ => {}
    }
    let mut spec_text = String::new();
    let mut rest = spec;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, after) = after
            .split_once('}')
            .ok_or_else(|| call.fail("expected '}' before end of string"))?;
        spec_text.push_str(before);
        let inner = find(call, inner, automatic)?;
        spec_text.push_str(&session.text_of(&inner)?);
        rest = after;
    }
    spec_text.push_str(rest);
    if let Val::Moment(moment) = &value
        && !spec_text.is_empty()
    {
        return Ok(moment.strftime(&spec_text));
    }
    Spec::parse(&spec_text)?.write(session, &value)
}

/// Finds `0`, `name`, `a.b` or `a[b]`.
fn find(call: &Call<'_>, name: &str, automatic: &mut usize) -> Eval {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut path) = name.split_at(end);
    let index = if first.is_empty() {
        *automatic += 1;
        Some(*automatic - 1)
    } else {
        first.parse::<usize>().ok()
    };
    let found = match index {
        Some(index) => call.rest.get(index).cloned(),
        None => {
            let named = call.named.iter().find(|(key, _)| **key == *first);
            match (named, call.rest.first()) {
                (Some((_, value)), _) => Some(value.clone()),
                (None, Some(map)) if call.name == "format_map" => {
                    call.session().entry(map, &Key::from(first))?
                }
                _ => None,
            }
        }
    };
    let mut value =
        found.ok_or_else(|| Fault::operation(format!("format: there is no argument '{first}'")))?;
    while !path.is_empty() {
        if let Some(rest) = path.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            value = call.session().attribute(&value, &rest[..end])?;
            path = &rest[end..];
        } else {
            let rest = path.trim_start_matches('[');
            let (index, after) = rest
                .split_once(']')
                .ok_or_else(|| call.fail("missing ']' in format string"))?;
            let index = match index.parse::<i64>() {
                Ok(number) => Val::Int(number),
                Err(_) => Val::from(index),
            };
            value = call.session().item(&value, &index)?;
            path = after;
        }
    }
    Ok(value)
}
