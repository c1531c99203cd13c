//! Methods of text.

use std::sync::Arc;

use super::text_format;
use crate::eval::{Arguments, Call, CallKind, Env};
use crate::values::{Eval, Val};

fn parameters(name: &str) -> &'static [&'static str] {
    match name {
        "format" | "format_map" => &["*", "**"],
        "split" | "rsplit" => &["sep", "maxsplit"],
        "strip" | "lstrip" | "rstrip" => &["chars"],
        "splitlines" => &["keepends"],
        "startswith" | "endswith" | "find" | "rfind" | "index" | "rindex" | "count" => {
            &["sub", "start", "end"]
        }
        "replace" => &["old", "new", "count"],
        "center" | "ljust" | "rjust" | "zfill" => &["width", "fillchar"],
        "join" | "partition" | "rpartition" | "removeprefix" | "removesuffix" | "encode"
        | "expandtabs" | "translate" => &["value"],
        _ => &[],
    }
}

/// Calls a method of a text.
pub(super) fn call(env: &Env, text: &Arc<str>, name: &str, arguments: Arguments) -> Eval {
    let subject = Val::Text(Arc::clone(text));
    let call = Call::bind(
        env,
        CallKind::Method,
        name,
        parameters(name),
        subject,
        arguments,
    )?;
    match name {
        "format" | "format_map" => text_format::format(&call, text).map(Val::from),
        "split" | "rsplit" => split(&call, text, name == "rsplit"),
        "strip" | "lstrip" | "rstrip" => strip(&call, text),
        "startswith" | "endswith" => affix(&call, text),
        "find" | "rfind" | "index" | "rindex" => find(&call, text),
        "replace" => replace(&call, text),
        "join" => join(&call, text),
        "center" | "ljust" | "rjust" | "zfill" => pad(&call, text),
        "partition" | "rpartition" => partition(&call, text),
        "count" => {
            let (part, _) = window(&call, text)?;
            let sub = call.text_or(0, "")?;
            Ok(Val::from(if sub.is_empty() {
                part.chars().count() + 1
            } else {
                part.matches(&sub).count()
            }))
        }
        "splitlines" => {
            let keep = call.flag(0, false)?;
            Ok(Val::list(
                text.split_inclusive('\n')
                    .map(|line| {
                        Val::from(if keep {
                            line
                        } else {
                            line.trim_end_matches('\n').trim_end_matches('\r')
                        })
                    })
                    .collect(),
            ))
        }
        "removeprefix" | "removesuffix" => {
            let affix = call.text_or(0, "")?;
            let rest = if name == "removeprefix" {
                text.strip_prefix(&*affix)
            } else {
                text.strip_suffix(&*affix)
            };
            Ok(Val::from(rest.unwrap_or(text)))
        }
        "expandtabs" => Ok(Val::from(
            text.replace(
                '\t',
                &" ".repeat(
                    call.int(0)?
                        .and_then(|n| usize::try_from(n).ok())
                        .unwrap_or(8),
                ),
            ),
        )),
        "encode" | "translate" => Ok(Val::Text(Arc::clone(text))),
        _ => Ok(plain(text, name)),
    }
}

/// Methods without arguments.
fn plain(text: &str, name: &str) -> Val {
    let every = |test: fn(char) -> bool| Val::Bool(!text.is_empty() && text.chars().all(test));
    match name {
        "upper" => Val::from(text.to_uppercase()),
        "lower" | "casefold" => Val::from(text.to_lowercase()),
        "capitalize" => Val::from(capitalize(text)),
        "title" => Val::from(title(text)),
        "swapcase" => Val::from(
            text.chars()
                .flat_map(|c| {
                    if c.is_uppercase() {
                        c.to_lowercase().collect::<Vec<_>>()
                    } else {
                        c.to_uppercase().collect::<Vec<_>>()
                    }
                })
                .collect::<String>(),
        ),
        "isalnum" => every(char::is_alphanumeric),
        "isalpha" => every(char::is_alphabetic),
        "isascii" => Val::Bool(text.is_ascii()),
        "isdigit" | "isdecimal" | "isnumeric" => every(char::is_numeric),
        "isspace" => every(char::is_whitespace),
        "isprintable" => Val::Bool(!text.chars().any(char::is_control)),
        "isidentifier" => Val::Bool(
            text.chars()
                .next()
                .is_some_and(|c| c.is_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_alphanumeric() || c == '_'),
        ),
        "isupper" => {
            Val::Bool(text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase))
        }
        "islower" => {
            Val::Bool(text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase))
        }
        "istitle" => Val::Bool(!text.is_empty() && title(text) == text),
        _ => Val::from(text),
    }
}

/// First letter upper, the rest lower.
pub(crate) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars.as_str().to_lowercase().chars())
            .collect(),
        None => String::new(),
    }
}

/// Every word with its first letter upper, the rest lower.
pub(crate) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

fn split(call: &Call<'_>, text: &str, from_right: bool) -> Eval {
    let limit = match call.int(1)? {
        Some(limit) if limit >= 0 => usize::try_from(limit).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let pieces = limit.saturating_add(1);
    let parts: Vec<String> = match call.text(0)? {
        Some(separator) if separator.is_empty() => return Err(call.fail("empty separator")),
        Some(separator) if from_right => {
            let mut parts: Vec<String> = text
                .rsplitn(pieces, &separator)
                .map(str::to_owned)
                .collect();
            parts.reverse();
            parts
        }
        Some(separator) => text.splitn(pieces, &separator).map(str::to_owned).collect(),
        None => split_blanks(text, limit, from_right),
    };
    Ok(Val::list(parts.into_iter().map(Val::from).collect()))
}

/// Splits at runs of blanks.
fn split_blanks(text: &str, limit: usize, from_right: bool) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = if from_right {
        text.trim_end()
    } else {
        text.trim_start()
    };
    while !rest.is_empty() {
        let cut = if parts.len() == limit {
            None
        } else if from_right {
            rest.char_indices()
                .rev()
                .find(|(_, c)| c.is_whitespace())
                .map(|(at, c)| (at, at + c.len_utf8()))
        } else {
            rest.char_indices()
                .find(|(_, c)| c.is_whitespace())
                .map(|(at, c)| (at, at + c.len_utf8()))
        };
        let Some((end, next)) = cut else {
            parts.push(
                if from_right {
                    rest.trim_start()
                } else {
                    rest.trim_end()
                }
                .to_owned(),
            );
            break;
        };
        if from_right {
            parts.push(rest[next..].to_owned());
            rest = rest[..end].trim_end();
        } else {
            parts.push(rest[..end].to_owned());
            rest = rest[next..].trim_start();
        }
    }
    if from_right {
        parts.reverse();
    }
    parts
}

fn strip(call: &Call<'_>, text: &str) -> Eval {
    let chars = call.text(0)?;
    let matches = |c: char| match &chars {
        Some(chars) => chars.contains(c),
        None => c.is_whitespace(),
    };
    Ok(Val::from(match call.name {
        "lstrip" => text.trim_start_matches(matches),
        "rstrip" => text.trim_end_matches(matches),
        _ => text.trim_matches(matches),
    }))
}

/// The part of the text between the arguments `start` and `end`, and where it begins in characters.
fn window(call: &Call<'_>, text: &str) -> Eval<(String, usize)> {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let bound = |value: Option<i64>, default: i64| {
        let value = value.unwrap_or(default);
        let value = if value < 0 {
            (value + length).max(0)
        } else {
            value.min(length)
        };
        usize::try_from(value).unwrap_or(0)
    };
    let start = bound(call.int(1)?, 0);
    let end = bound(call.int(2)?, length);
    let part = text
        .chars()
        .skip(start)
        .take(end.saturating_sub(start))
        .collect();
    Ok((part, start))
}

fn affix(call: &Call<'_>, text: &str) -> Eval {
    let (part, _) = window(call, text)?;
    let wanted = call.required(0)?;
    let candidates = if wanted.is_sequence() {
        call.session().iterate(wanted)?
    } else {
        vec![wanted.clone()]
    };
    for candidate in candidates {
        let Some(candidate) = candidate.as_str() else {
            return Err(call.fail(format!("needs text, not {}", candidate.type_name())));
        };
        let found = if call.name == "startswith" {
            part.starts_with(candidate)
        } else {
            part.ends_with(candidate)
        };
        if found {
            return Ok(Val::Bool(true));
        }
    }
    Ok(Val::Bool(false))
}

fn find(call: &Call<'_>, text: &str) -> Eval {
    let (part, start) = window(call, text)?;
    let sub = call.text_or(0, "")?;
    let found = if call.name.starts_with('r') {
        part.rfind(&sub)
    } else {
        part.find(&sub)
    };
    match found {
        Some(at) => Ok(Val::from(
            part.get(..at).unwrap_or_default().chars().count() + start,
        )),
        None if call.name.ends_with("index") => Err(call.fail("substring not found")),
        None => Ok(Val::Int(-1)),
    }
}

fn replace(call: &Call<'_>, text: &str) -> Eval {
    let old = call.text_or(0, "")?;
    let new = call.text_or(1, "")?;
    Ok(Val::from(match call.int(2)? {
        Some(count) if count >= 0 => {
            text.replacen(&old, &new, usize::try_from(count).unwrap_or(usize::MAX))
        }
        _ => text.replace(&old, &new),
    }))
}

fn join(call: &Call<'_>, text: &str) -> Eval {
    let mut out = String::new();
    for (index, item) in call
        .session()
        .iterate(call.required(0)?)?
        .iter()
        .enumerate()
    {
        if index > 0 {
            out.push_str(text);
        }
        match item {
            Val::Text(item) => out.push_str(item),
            other => {
                // What an item lacks is told before what it is not.
                other.known()?;
                return Err(call.fail(format!("item {index} is {}, not str", other.type_name())));
            }
        }
    }
    Ok(Val::from(out))
}

fn pad(call: &Call<'_>, text: &str) -> Eval {
    let width = call
        .int(0)?
        .and_then(|width| usize::try_from(width).ok())
        .unwrap_or(0);
    let missing = width.min(1 << 20).saturating_sub(text.chars().count());
    let fill = call.text_or(1, if call.name == "zfill" { "0" } else { " " })?;
    let filled = |count: usize| fill.repeat(count);
    Ok(Val::from(match call.name {
        "ljust" => format!("{text}{}", filled(missing)),
        "rjust" => format!("{}{text}", filled(missing)),
        "zfill" => match text.strip_prefix(['-', '+']) {
            Some(digits) => format!("{}{}{digits}", &text[..1], filled(missing)),
            None => format!("{}{text}", filled(missing)),
        },
        _ => {
            // Python puts the odd blank on the left only if the width is odd.
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", filled(left), filled(missing - left))
        }
    }))
}

fn partition(call: &Call<'_>, text: &str) -> Eval {
    let separator = call.text_or(0, "")?;
    let from_right = call.name == "rpartition";
    let found = if from_right {
        text.rsplit_once(&*separator)
    } else {
        text.split_once(&*separator)
    };
    let parts = match found {
        Some((before, after)) => [before, &separator, after],
        None if from_right => ["", "", text],
        None => [text, "", ""],
    };
    Ok(Val::tuple(
        parts.iter().map(|part| Val::from(*part)).collect(),
    ))
}
