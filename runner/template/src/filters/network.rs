//! Filters on addresses of the web.

use indexmap::IndexMap;
use sasrun_model::Key;

use super::{Filter, filter};
use crate::eval::Call;
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("urldecode", &[], |call| {
        Ok(Val::from(percent_decoded(&call.subject_text()?)))
    }),
    filter("urlencode", &[], encode),
    filter("urlsplit", &["query"], split),
];

/// Writes everything but unreserved letters, and those given, as `%XX`.
fn percent_encoded(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-_.~".contains(c) || (byte.is_ascii() && safe.contains(c))
        {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn percent_decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode(call: &Call<'_>) -> Eval {
    let session = call.session();
    if !call.subject.is_mapping() && !call.subject.is_sequence() {
        return Ok(Val::from(percent_encoded(&call.subject_text()?, "/")));
    }
    let mut pairs = Vec::new();
    if call.subject.is_mapping() {
        for (key, value) in session.entries(&call.subject)? {
            pairs.push((key.to_string(), session.text_of(&value)?));
        }
    } else {
        for pair in call.subject_items()? {
            let pair = session.iterate(&pair)?;
            let [key, value] = pair.as_slice() else {
                return Err(call.fail("needs pairs"));
            };
            pairs.push((session.text_of(key)?, session.text_of(value)?));
        }
    }
    let quote = |text: &str| percent_encoded(text, " ").replace(' ', "+");
    Ok(Val::from(
        pairs
            .iter()
            .map(|(key, value)| format!("{}={}", quote(key), quote(value)))
            .collect::<Vec<_>>()
            .join("&"),
    ))
}

fn split(call: &Call<'_>) -> Eval {
    let url = call.subject_text()?;
    let (scheme, rest) = match url.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            (scheme.to_ascii_lowercase(), rest)
        }
        _ => (String::new(), &*url),
    };
    let (netloc, rest) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user_info, host_port) = match netloc.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, netloc),
    };
    let (username, password) =
        match user_info.map(|info| info.split_once(':').unwrap_or((info, "\0"))) {
            Some((user, "\0")) => (Val::from(user), Val::Null),
            Some((user, password)) => (Val::from(user), Val::from(password)),
            None => (Val::Null, Val::Null),
        };
    let (host, port) = match host_port
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or("")),
        None => host_port.split_once(':').unwrap_or((host_port, "")),
    };
    let port = match port {
        "" => Val::Null,
        port => Val::Int(port.parse().map_err(|_| {
            call.fail(format!(
                "port could not be cast to integer value as '{port}'"
            ))
        })?),
    };
    let hostname = if host.is_empty() {
        Val::Null
    } else {
        Val::from(host.to_lowercase())
    };
    let parts = IndexMap::from([
        (Key::from("fragment"), Val::from(fragment)),
        (Key::from("hostname"), hostname),
        (Key::from("netloc"), Val::from(netloc)),
        (Key::from("password"), password),
        (Key::from("path"), Val::from(path)),
        (Key::from("port"), port),
        (Key::from("query"), Val::from(query)),
        (Key::from("scheme"), Val::from(scheme)),
        (Key::from("username"), username),
    ]);
    match call.text(0)? {
        Some(part) if !part.is_empty() => match parts.get(&Key::from(&*part)) {
            Some(value) => Ok(value.clone()),
            None => Err(call.fail(format!("unknown URL component: {part}"))),
        },
        _ => Ok(Val::dict(parts)),
    }
}
