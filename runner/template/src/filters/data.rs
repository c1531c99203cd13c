//! Filters that read and write JSON and YAML.

use super::{Filter, filter};
use crate::eval::Call;
use crate::python::json::{self, Layout};
use crate::python::yaml;
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("from_json", &["profile"], from_json),
    filter("from_yaml", &[], from_yaml),
    filter("from_yaml_all", &[], from_yaml_all),
    filter("to_json", &["**"], |call| to_json(call, None, false)),
    filter("to_nice_json", &["indent", "sort_keys", "**"], |call| {
        to_json(call, Some("    "), true)
    }),
    filter("to_nice_yaml", &["indent", "**"], |call| {
        to_yaml(call, true)
    }),
    filter("to_yaml", &["*", "**"], |call| to_yaml(call, false)),
    filter("tojson", &["indent"], to_html_json),
];

fn named<'c>(call: &'c Call<'_>, name: &str) -> Option<&'c Val> {
    call.named
        .iter()
        .find(|(key, _)| &**key == name)
        .map(|(_, value)| value)
}

fn flag(call: &Call<'_>, name: &str, default: bool) -> Eval<bool> {
    match named(call, name) {
        Some(Val::Null) | None => Ok(default),
        Some(value) => call.session().truth(value),
    }
}

fn blanks(value: &Val) -> Option<String> {
    match value {
        Val::Text(text) => Some(text.to_string()),
        other => other
            .as_int()
            .map(|count| " ".repeat(usize::try_from(count).unwrap_or(0).min(64))),
    }
}

fn to_json(call: &Call<'_>, nice_indent: Option<&str>, nice: bool) -> Eval {
    let indent = match call.arg(0).or_else(|| named(call, "indent")) {
        Some(value) => blanks(value),
        None => nice_indent.map(str::to_owned),
    };
    let sort_keys = if nice {
        call.flag(1, true)?
    } else {
        flag(call, "sort_keys", false)?
    };
    let (mut item_separator, mut key_separator) = if indent.is_some() {
        (",".to_owned(), ": ".to_owned())
    } else {
        (", ".to_owned(), ": ".to_owned())
    };
    if nice {
        item_separator = ",".to_owned();
    } else if let Some(separators) = named(call, "separators").filter(|value| value.is_sequence()) {
        let given = call.session().iterate(separators)?;
        if let [item, key] = given.as_slice() {
            item_separator = call.session().text_of(item)?;
            key_separator = call.session().text_of(key)?;
        }
    }
    let layout = Layout {
        indent,
        sort_keys,
        ascii: flag(call, "ensure_ascii", true)?,
        item_separator,
        key_separator,
    };
    Ok(Val::from(json::write(
        call.session(),
        &call.subject,
        &layout,
    )?))
}

/// Jinja's own filter, whose result may stand inside HTML.
fn to_html_json(call: &Call<'_>) -> Eval {
    let indent = call.some(0).and_then(blanks);
    let layout = Layout {
        item_separator: if indent.is_some() { "," } else { ", " }.to_owned(),
        key_separator: ": ".to_owned(),
        indent,
        sort_keys: true,
        ascii: true,
    };
    let text = json::write(call.session(), &call.subject, &layout)?;
    Ok(Val::from(
        text.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            .replace('\'', "\\u0027"),
    ))
}

fn from_json(call: &Call<'_>) -> Eval {
    let Val::Text(text) = &call.subject else {
        return Err(call.fail(format!(
            "the JSON must be text, not {}",
            call.subject.type_name()
        )));
    };
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|err| call.fail(err.to_string()))?;
    Ok(Val::from_data(&sasrun_model::Value::from(json)))
}

fn documents(call: &Call<'_>) -> Eval<Option<Vec<Val>>> {
    let Val::Text(text) = &call.subject else {
        return Ok(None);
    };
    let documents = call
        .session()
        .world()
        .parse_yaml(text)
        .map_err(|err| call.fail(err.to_string()))?;
    Ok(Some(documents.iter().map(Val::from_data).collect()))
}

fn from_yaml(call: &Call<'_>) -> Eval {
    match documents(call)? {
        None => Ok(call.subject.clone()),
        Some(documents) if documents.len() > 1 => {
            Err(call.fail("expected a single document in the stream, but found another"))
        }
        Some(documents) => Ok(documents.into_iter().next().unwrap_or(Val::Null)),
    }
}

fn from_yaml_all(call: &Call<'_>) -> Eval {
    if matches!(call.subject, Val::Null) {
        return Ok(Val::list(Vec::new()));
    }
    Ok(documents(call)?.map_or_else(|| call.subject.clone(), Val::list))
}

fn to_yaml(call: &Call<'_>, nice: bool) -> Eval {
    let number = |value: Option<&Val>| {
        value
            .and_then(Val::as_int)
            .and_then(|n| usize::try_from(n).ok())
    };
    let indent = if nice {
        number(call.arg(0)).unwrap_or(4)
    } else {
        number(named(call, "indent")).unwrap_or(2)
    };
    let layout = yaml::Layout {
        indent: if (2..=9).contains(&indent) { indent } else { 2 },
        width: number(named(call, "width")).unwrap_or(80),
        sort_keys: flag(call, "sort_keys", true)?,
        flow: match named(call, "default_flow_style") {
            Some(Val::Null) => yaml::Flow::Leaves,
            Some(value) if call.session().truth(value)? => yaml::Flow::Always,
            Some(_) => yaml::Flow::Never,
            None if nice => yaml::Flow::Never,
            None => yaml::Flow::Leaves,
        },
        unicode: flag(call, "allow_unicode", true)?,
        explicit_start: flag(call, "explicit_start", false)?,
        explicit_end: flag(call, "explicit_end", false)?,
    };
    Ok(Val::from(yaml::write(
        call.session(),
        &call.subject,
        &layout,
    )?))
}
