//! Tests that set a value beside another.

use super::{Predicate, predicate};
use crate::eval::Call;
use crate::python::regex::{self, Flags};
use crate::values::{Eval, Val};

const EQUAL: fn(&Call<'_>) -> Eval<bool> =
    |call| call.session().equal(&call.subject, call.required(0)?);
const NOT_EQUAL: fn(&Call<'_>) -> Eval<bool> =
    |call| Ok(!call.session().equal(&call.subject, call.required(0)?)?);
const LESS: fn(&Call<'_>) -> Eval<bool> = |call| {
    Ok(call
        .session()
        .order(&call.subject, call.required(0)?)?
        .is_lt())
};
const LESS_OR_EQUAL: fn(&Call<'_>) -> Eval<bool> = |call| {
    Ok(call
        .session()
        .order(&call.subject, call.required(0)?)?
        .is_le())
};
const GREATER: fn(&Call<'_>) -> Eval<bool> = |call| {
    Ok(call
        .session()
        .order(&call.subject, call.required(0)?)?
        .is_gt())
};
const GREATER_OR_EQUAL: fn(&Call<'_>) -> Eval<bool> = |call| {
    Ok(call
        .session()
        .order(&call.subject, call.required(0)?)?
        .is_ge())
};
const REGEX: &[&str] = &["pattern", "ignorecase", "multiline", "match_type"];

pub(super) const TESTS: &[Predicate] = &[
    predicate("!=", &["other"], NOT_EQUAL),
    predicate("<", &["other"], LESS),
    predicate("<=", &["other"], LESS_OR_EQUAL),
    predicate("==", &["other"], EQUAL),
    predicate(">", &["other"], GREATER),
    predicate(">=", &["other"], GREATER_OR_EQUAL),
    predicate("all", &[], |call| {
        for item in call.subject_items()? {
            if !call.session().truth(&item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }),
    predicate("any", &[], |call| {
        for item in call.subject_items()? {
            if call.session().truth(&item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }),
    predicate("contains", &["value"], |call| {
        call.session().contains(&call.subject, call.required(0)?)
    }),
    predicate("divisibleby", &["num"], divisible),
    predicate("eq", &["other"], EQUAL),
    predicate("equalto", &["other"], EQUAL),
    predicate("ge", &["other"], GREATER_OR_EQUAL),
    predicate("greaterthan", &["other"], GREATER),
    predicate("gt", &["other"], GREATER),
    predicate("in", &["seq"], |call| {
        call.session().contains(call.required(0)?, &call.subject)
    }),
    predicate("is_abs", &[], absolute),
    predicate("abs", &[], absolute),
    predicate("directory", &[], |call| {
        on_disk(call, |kind| kind.is_directory)
    }),
    predicate("exists", &[], |call| {
        // What a broken link names is not there, though the link is.
        on_disk(call, |kind| {
            !kind.is_link || kind.is_file || kind.is_directory
        })
    }),
    predicate("file", &[], |call| on_disk(call, |kind| kind.is_file)),
    predicate("is_dir", &[], |call| {
        on_disk(call, |kind| kind.is_directory)
    }),
    predicate("is_file", &[], |call| on_disk(call, |kind| kind.is_file)),
    predicate("is_link", &[], |call| on_disk(call, |kind| kind.is_link)),
    predicate("is_mount", &[], |call| on_disk(call, |kind| kind.is_mount)),
    predicate("issubset", &["b"], |call| {
        subset(call, &call.subject, call.required(0)?)
    }),
    predicate("issuperset", &["b"], |call| {
        subset(call, call.required(0)?, &call.subject)
    }),
    predicate("le", &["other"], LESS_OR_EQUAL),
    predicate("lessthan", &["other"], LESS),
    predicate("is_same_file", &["b"], same_file),
    predicate("link", &[], |call| on_disk(call, |kind| kind.is_link)),
    predicate("link_exists", &[], |call| on_disk(call, |_| true)),
    predicate("lt", &["other"], LESS),
    predicate("match", REGEX, |call| matches(call, "match")),
    predicate("mount", &[], |call| on_disk(call, |kind| kind.is_mount)),
    predicate("ne", &["other"], NOT_EQUAL),
    predicate("regex", REGEX, |call| {
        let how = call.text_or(3, "search")?;
        matches(call, &how)
    }),
    predicate("same_file", &["b"], same_file),
    predicate("sameas", &["other"], same),
    predicate("search", REGEX, |call| matches(call, "search")),
    predicate("subset", &["b"], |call| {
        subset(call, &call.subject, call.required(0)?)
    }),
    predicate("superset", &["b"], |call| {
        subset(call, call.required(0)?, &call.subject)
    }),
    predicate("uri", &["schemes"], is_uri),
    predicate("url", &["schemes"], |call| {
        let text = call.subject_text()?;
        let is_located = text.contains("://") && !text.ends_with("://");
        Ok(is_uri(call)? && (is_located || scheme_of(&text) == "file"))
    }),
    predicate("urn", &[], |call| {
        Ok(call.subject_text()?.starts_with("urn:"))
    }),
    predicate("vaulted_file", &[], is_vaulted_file),
];

fn same_file(call: &Call<'_>) -> Eval<bool> {
    let world = call.session().world();
    let real = |path: &str| {
        world
            .real_path(path)
            .map_err(|err| call.fail(err.to_string()))
    };
    Ok(real(&call.subject_text()?)? == real(&call.text_or(0, "")?)?)
}

/// Whether the file, found as tasks find files, is in a vault.
fn is_vaulted_file(call: &Call<'_>) -> Eval<bool> {
    let name = call.subject_text()?;
    let path = call.env.find_file("files", &name)?.unwrap_or(name);
    let sealed = call.session().world().is_sealed_file(&path);
    sealed.map_err(|err| call.fail(format!("cannot read {path}: {err}")))
}

fn divisible(call: &Call<'_>) -> Eval<bool> {
    let number = call.int(0)?.unwrap_or(0);
    match call
        .subject
        .as_int()
        .and_then(|value| value.checked_rem(number))
    {
        Some(rest) => Ok(rest == 0),
        None => Err(call.fail("needs whole numbers, and no division by zero")),
    }
}

fn absolute(call: &Call<'_>) -> Eval<bool> {
    Ok(call.subject_text()?.starts_with('/'))
}

fn on_disk(call: &Call<'_>, test: fn(crate::world::PathKind) -> bool) -> Eval<bool> {
    let path = call.subject_text()?;
    Ok(call.session().world().path_kind(&path).is_some_and(test))
}

fn subset(call: &Call<'_>, part: &Val, whole: &Val) -> Eval<bool> {
    let session = call.session();
    for item in session.iterate(part)? {
        if !session.contains(whole, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Identity: for what templates can hold, the same kind and equal.
fn same(call: &Call<'_>) -> Eval<bool> {
    let other = call.required(0)?;
    Ok(call.subject.type_name() == other.type_name()
        && call.session().equal(&call.subject, other)?)
}

fn matches(call: &Call<'_>, how: &str) -> Eval<bool> {
    let text = call.subject_text()?;
    let pattern = call.text_or(0, "")?;
    let flags = Flags {
        ignore_case: call.flag(1, false)?,
        multiline: call.flag(2, false)?,
    };
    let pattern = match how {
        // An inline flag must stay in front.
        "match" => format!("\\A(?:{pattern})"),
        "fullmatch" => format!("\\A(?:{pattern})\\Z"),
        _ => pattern,
    };
    let regex = regex::compile(&pattern, flags).map_err(|message| call.fail(message))?;
    regex
        .is_match(&text)
        .map_err(|err| call.fail(err.to_string()))
}

/// What stands before the first colon, if it can be a scheme.
fn scheme_of(text: &str) -> &str {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    match text.split_once(':') {
        Some((scheme, _)) if is_scheme(scheme) => scheme,
        _ => "",
    }
}

/// Any text can be read as a URI; only wanted schemes tell them apart.
fn is_uri(call: &Call<'_>) -> Eval<bool> {
    let text = call.subject_text()?;
    match call.some(0) {
        Some(schemes) => call
            .session()
            .contains(schemes, &Val::from(scheme_of(&text))),
        None => Ok(true),
    }
}
