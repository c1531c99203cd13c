//! Filters that go through a list: `map`, `select` and their kin.

use std::sync::Arc;

use super::{Filter, filter};
use crate::eval::{Arguments, Call};
use crate::syntax::{FilterCallee, TestCallee};
use crate::values::{Eval, SeqKind, Val, order_values};
use crate::{filters, predicates};

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "groupby",
        &["attribute", "default", "case_sensitive"],
        group_by,
    ),
    filter("map", &["*", "**"], map),
    filter("reject", &["*", "**"], |call| select(call, false, false)),
    filter("rejectattr", &["*", "**"], |call| select(call, true, false)),
    filter("select", &["*", "**"], |call| select(call, false, true)),
    filter("selectattr", &["*", "**"], |call| select(call, true, true)),
];

/// Follows a dotted path of attributes and indexes.
pub(crate) fn attribute_path(call: &Call<'_>, item: &Val, path: &Val) -> Eval {
    let session = call.session();
    let Val::Text(path) = path else {
        return session.item(item, path);
    };
    let mut value = item.clone();
    for part in path.split('.') {
        value = match part.parse::<i64>() {
            Ok(index) => session.item(&value, &Val::Int(index))?,
            // An item first: `items`, `keys` and `values` are meant as names of entries here.
            Err(_) => session.item(&value, &Val::from(part))?,
        };
    }
    Ok(value)
}

fn map(call: &Call<'_>) -> Eval {
    if matches!(call.subject, Val::Null) {
        return Ok(Val::list(Vec::new()));
    }
    let items = call.subject_items()?;
    let mut results = Vec::with_capacity(items.len());
    let attribute = call.named.iter().find(|(name, _)| &**name == "attribute");
    if call.rest.is_empty()
        && let Some((_, attribute)) = attribute
    {
        let default = call.named.iter().find(|(name, _)| &**name == "default");
        for item in items {
            let value = attribute_path(call, &item, attribute)?;
            results.push(match (&value, default) {
                (Val::Undefined(_), Some((_, default))) => default.clone(),
                _ => value,
            });
        }
        return Ok(Val::list(results));
    }
    let Some((name, arguments)) = call.rest.split_first() else {
        return Err(call.fail("needs the name of a filter"));
    };
    let name = call.session().text_of(name)?;
    let callee = match filters::find(&name) {
        Some(filter) => FilterCallee::BuiltIn(filter),
        None => FilterCallee::Named(name.into()),
    };
    for item in items {
        let arguments = Arguments {
            positional: arguments.to_vec(),
            named: call.named.clone(),
        };
        results.push(call.env.apply_filter(&callee, item, arguments)?);
    }
    Ok(Val::list(results))
}

fn select(call: &Call<'_>, by_attribute: bool, keep: bool) -> Eval {
    if matches!(call.subject, Val::Null) {
        return Ok(Val::list(Vec::new()));
    }
    let mut arguments = call.rest.iter().cloned();
    let attribute = if by_attribute {
        Some(
            arguments
                .next()
                .ok_or_else(|| call.fail("needs the name of an attribute"))?,
        )
    } else {
        None
    };
    let test = match arguments.next() {
        Some(name) => {
            let name: Arc<str> = call.session().text_of(&name)?.into();
            Some(match predicates::find(&name) {
                Some(predicate) => TestCallee::BuiltIn(predicate),
                None => TestCallee::Named(name),
            })
        }
        None => None,
    };
    let arguments: Vec<Val> = arguments.collect();
    let mut results = Vec::new();
    for item in call.subject_items()? {
        let value = match &attribute {
            Some(attribute) => attribute_path(call, &item, attribute)?,
            None => item.clone(),
        };
        let passes = match &test {
            Some(test) => {
                let arguments = Arguments {
                    positional: arguments.clone(),
                    named: call.named.clone(),
                };
                call.env.apply_test(test, value, arguments)?
            }
            None => call.session().truth(&value)?,
        };
        if passes == keep {
            results.push(item);
        }
    }
    Ok(Val::list(results))
}

fn group_by(call: &Call<'_>) -> Eval {
    let session = call.session();
    let attribute = call.required(0)?.clone();
    let case_sensitive = call.flag(2, false)?;
    let mut keyed = Vec::new();
    for item in call.subject_items()? {
        let mut key = attribute_path(call, &item, &attribute)?;
        if let (Val::Undefined(_), Some(default)) = (&key, call.arg(1)) {
            key = default.clone();
        }
        key.known()?;
        let folded = match &key {
            Val::Text(text) if !case_sensitive => Val::from(text.to_lowercase()),
            other => other.clone(),
        };
        keyed.push((folded, key, item));
    }
    order_values(&mut keyed, |a, b| session.order(&a.0, &b.0))?;
    let mut groups: Vec<(Val, Val, Vec<Val>)> = Vec::new();
    for (folded, key, item) in keyed {
        match groups.last_mut() {
            Some((last, _, items)) if session.equal(last, &folded)? => items.push(item),
            _ => groups.push((folded, key, vec![item])),
        }
    }
    Ok(Val::list(
        groups
            .into_iter()
            .map(|(_, key, items)| Val::seq(vec![key, Val::list(items)], SeqKind::Group))
            .collect(),
    ))
}
