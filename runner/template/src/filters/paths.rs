//! Filters on paths of files.

use super::{Filter, filter, map_text};
use crate::eval::Call;
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("basename", &[], |call| {
        map_text(call, |path| split_last(path).1.to_owned())
    }),
    filter("commonpath", &[], common_path),
    filter("dirname", &[], |call| {
        map_text(call, |path| directory(path).to_owned())
    }),
    filter("expanduser", &[], |call| {
        let path = call.subject_text()?;
        Ok(Val::from(call.env.expand_home(&path)))
    }),
    filter("expandvars", &[], expand_variables),
    filter("fileglob", &[], glob),
    filter("normpath", &[], |call| map_text(call, normal)),
    filter("path_join", &[], join),
    filter("realpath", &[], real_path),
    filter("relpath", &["start"], relative),
    filter("splitext", &[], split_extension),
    filter("win_basename", &[], |call| {
        map_text(call, |path| {
            path.rsplit(['\\', '/'])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
    }),
    filter("win_dirname", &[], |call| {
        map_text(call, |path| {
            path.rfind(['\\', '/'])
                .map_or("", |at| path[..at].trim_end_matches(['\\', '/']))
                .to_owned()
        })
    }),
    filter("win_splitdrive", &[], |call| {
        let path = call.subject_text()?;
        let (drive, rest) = match path.find(':') {
            Some(1) => path.split_at(2),
            _ => ("", &*path),
        };
        Ok(Val::tuple(vec![Val::from(drive), Val::from(rest)]))
    }),
];

fn split_last(path: &str) -> (&str, &str) {
    match path.rfind('/') {
        Some(at) => path.split_at(at + 1),
        None => ("", path),
    }
}

fn directory(path: &str) -> &str {
    let head = split_last(path).0;
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head } else { trimmed }
}

fn normal(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn items(call: &Call<'_>) -> Eval<Vec<String>> {
    if !call.subject.is_sequence() {
        return Err(call.fail(format!(
            "expects a sequence, got {} instead",
            call.subject.type_name()
        )));
    }
    call.subject_items()?
        .iter()
        .map(|item| call.session().text_of(item))
        .collect()
}

fn join(call: &Call<'_>) -> Eval {
    if let Val::Text(_) = call.subject {
        return Ok(call.subject.clone());
    }
    let mut path = String::new();
    for part in items(call)? {
        if part.starts_with('/') {
            path = part;
            continue;
        }
        if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str(&part);
    }
    Ok(Val::from(path))
}

fn common_path(call: &Call<'_>) -> Eval {
    let paths = items(call)?;
    let Some(first) = paths.first() else {
        return Err(call.fail("sequence is empty"));
    };
    let absolute = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != absolute) {
        return Err(call.fail("can't mix absolute and relative paths"));
    }
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect()
    };
    let mut common = parts(first);
    for path in &paths {
        let same = common
            .iter()
            .zip(parts(path))
            .take_while(|(a, b)| *a == b)
            .count();
        common.truncate(same);
    }
    let root = if absolute { "/" } else { "" };
    Ok(Val::from(format!("{root}{}", common.join("/"))))
}

fn real_path(call: &Call<'_>) -> Eval {
    let path = call.subject_text()?;
    match call.session().world().real_path(&path) {
        Ok(path) => Ok(Val::from(path)),
        Err(err) => Err(call.fail(err.to_string())),
    }
}

fn absolute(call: &Call<'_>, path: &str) -> String {
    if path.starts_with('/') {
        return normal(path);
    }
    let here = call
        .session()
        .world()
        .real_path(".")
        .unwrap_or_else(|_| "/".to_owned());
    normal(&format!("{here}/{path}"))
}

fn relative(call: &Call<'_>) -> Eval {
    let path = call.subject_text()?;
    let start = call.text_or(0, ".")?;
    let (path, start) = if path.starts_with('/') || start.starts_with('/') {
        (absolute(call, &path), absolute(call, &start))
    } else {
        (normal(&format!("/{path}")), normal(&format!("/{start}")))
    };
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (path, start) = (parts(&path), parts(&start));
    let same = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut result = vec!["..".to_owned(); start.len() - same];
    result.extend(path.into_iter().skip(same));
    Ok(Val::from(if result.is_empty() {
        ".".to_owned()
    } else {
        result.join("/")
    }))
}

fn split_extension(call: &Call<'_>) -> Eval {
    let path = call.subject_text()?;
    let name = split_last(&path).1;
    let leading_dots = name.len() - name.trim_start_matches('.').len();
    let at = match name.rfind('.') {
        Some(dot) if dot >= leading_dots && leading_dots < name.len() => {
            path.len() - name.len() + dot
        }
        _ => path.len(),
    };
    let (root, extension) = path.split_at(at);
    Ok(Val::tuple(vec![Val::from(root), Val::from(extension)]))
}

fn glob(call: &Call<'_>) -> Eval {
    let world = call.session().world();
    let found = world
        .glob(&call.subject_text()?)
        .map_err(|err| call.fail(err.to_string()))?;
    Ok(Val::list(
        found
            .into_iter()
            .filter(|path| world.path_kind(path).is_some_and(|kind| kind.is_file))
            .map(Val::from)
            .collect(),
    ))
}

/// Replaces `$NAME` and `${NAME}`; what is not set stays as it is.
fn expand_variables(call: &Call<'_>) -> Eval {
    let text = call.subject_text()?;
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let after = &rest[1..];
        let (name, length) = match after.strip_prefix('{') {
            Some(braced) => match braced.find('}') {
                Some(end) => (&braced[..end], end + 3),
                None => ("", 1),
            },
            None => {
                let end = after
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(after.len());
                (&after[..end], end + 1)
            }
        };
        match call.session().world().env(name) {
            Some(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
    Ok(Val::from(out))
}
