//! Filters with regular expressions.

use fancy_regex::{Captures, Regex};

use super::{Filter, filter};
use crate::eval::Call;
use crate::python::regex::{self, Flags};
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("regex_escape", &["re_type"], escape),
    filter(
        "regex_findall",
        &["regex", "multiline", "ignorecase"],
        find_all,
    ),
    filter(
        "regex_replace",
        &[
            "pattern",
            "replacement",
            "ignorecase",
            "multiline",
            "count",
            "mandatory_count",
        ],
        replace,
    ),
    filter("regex_search", &["regex", "*", "**"], search),
];

fn compile(call: &Call<'_>, pattern: &str, ignore_case: bool, multiline: bool) -> Eval<Regex> {
    let flags = Flags {
        ignore_case,
        multiline,
    };
    regex::compile(pattern, flags).map_err(|message| call.fail(message))
}

/// All matches, as Python finds them.
fn matches<'t>(call: &Call<'_>, pattern: &Regex, text: &'t str) -> Eval<Vec<Captures<'t>>> {
    regex::all_matches(pattern, text).map_err(|message| call.fail(message))
}

fn replace(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    let pattern = compile(
        call,
        &call.text_or(0, "")?,
        call.flag(2, false)?,
        call.flag(3, false)?,
    )?;
    let replacement = call.text_or(1, "")?;
    let limit = call
        .int(4)?
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    let mut count = 0;
    for captures in matches(call, &pattern, &text)? {
        let Some(whole) = captures.get(0) else { break };
        out.push_str(&text[end..whole.start()]);
        regex::expand(&replacement, &captures, &mut out).map_err(|message| call.fail(message))?;
        end = whole.end();
        count += 1;
        if limit > 0 && count == limit {
            break;
        }
    }
    out.push_str(&text[end..]);
    let wanted = call
        .int(5)?
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0);
    if wanted > 0 && wanted != count {
        return Err(call.fail(format!(
            "'{}' should match {wanted} times, but matches {count} times",
            call.text_or(0, "")?
        )));
    }
    Ok(Val::from(out))
}

fn search(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    let named = |name: &str| -> Eval<bool> {
        match call.named.iter().find(|(key, _)| &**key == name) {
            Some((_, value)) => call.session().truth(value),
            None => Ok(false),
        }
    };
    let pattern = call.session().text_of(call.required(0)?)?;
    let pattern = compile(call, &pattern, named("ignorecase")?, named("multiline")?)?;
    let found = pattern
        .captures(&text)
        .map_err(|err| call.fail(err.to_string()))?;
    let Some(captures) = found else {
        return Ok(Val::Null);
    };
    if call.rest.is_empty() {
        return Ok(Val::from(
            captures.get(0).map_or("", |group| group.as_str()),
        ));
    }
    let mut groups = Vec::new();
    for argument in &call.rest {
        let reference = call.session().text_of(argument)?;
        let name = reference
            .strip_prefix("\\g<")
            .and_then(|rest| rest.strip_suffix('>'))
            .or_else(|| reference.strip_prefix('\\'))
            .ok_or_else(|| call.fail("unknown argument"))?;
        let group = match name.parse::<usize>() {
            Ok(index) if index >= captures.len() => {
                return Err(call.fail(format!("no such group {index}")));
            }
            Ok(index) => captures.get(index),
            Err(_) => captures.name(name),
        };
        groups.push(group.map_or(Val::Null, |group| Val::from(group.as_str())));
    }
    Ok(Val::list(groups))
}

fn find_all(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    let pattern = call.session().text_of(call.required(0)?)?;
    let pattern = compile(call, &pattern, call.flag(2, false)?, call.flag(1, false)?)?;
    let mut found = Vec::new();
    for captures in matches(call, &pattern, &text)? {
        let group =
            |index: usize| Val::from(captures.get(index).map_or("", |group| group.as_str()));
        found.push(match captures.len() {
            1 => group(0),
            2 => group(1),
            count => Val::tuple((1..count).map(group).collect()),
        });
    }
    Ok(Val::list(found))
}

fn escape(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    match call.text_or(0, "python")?.as_str() {
        "python" => Ok(Val::from(regex::escape(&text))),
        "posix_basic" => {
            let mut out = String::with_capacity(text.len() + 8);
            for c in text.chars() {
                if "].[^$*\\".contains(c) {
                    out.push('\\');
                }
                out.push(c);
            }
            Ok(Val::from(out))
        }
        other => Err(call.fail(format!("regex type '{other}' is not known"))),
    }
}
