//! Lookups that only shape their terms: the loops `with_items`, `with_dict` and their kin.

use indexmap::IndexMap;
use sasrun_model::Key;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Lookup, LookupCall, lookup};
use crate::eval::Session;
use crate::filters::product_of;
use crate::values::{Eval, Val};

pub(super) const LOOKUPS: &[Lookup] = &[
    lookup("dict", dict),
    lookup("flattened", |call| {
        let mut out = Vec::new();
        for term in &call.terms {
            flatten(call, term, &mut out)?;
        }
        Ok(out)
    }),
    lookup("indexed_items", |call| {
        Ok(one_level(call)?
            .into_iter()
            .enumerate()
            .map(|(index, item)| Val::tuple(vec![Val::from(index), item]))
            .collect())
    }),
    lookup("items", one_level),
    lookup("list", |call| Ok(call.terms.clone())),
    lookup("nested", nested),
    lookup("cartesian", nested),
    lookup("random_choice", random_choice),
    lookup("subelements", subelements),
    lookup("together", together),
];

/// Lists among the terms taken apart, once.
fn one_level(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    Ok(call.term_lists()?.into_iter().flatten().collect())
}

fn flatten(call: &LookupCall<'_>, value: &Val, out: &mut Vec<Val>) -> Eval<()> {
    match value {
        Val::Null => {}
        Val::Text(text) if matches!(&**text, "None" | "null") => {}
        value if value.is_sequence() => {
            for item in call.session().iterate(value)? {
                call.session().deeper(|| flatten(call, &item, out))?;
            }
        }
        value => out.push(value.clone()),
    }
    Ok(())
}

fn dict(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut items = Vec::new();
    let mut terms = Vec::new();
    for term in &call.terms {
        if term.is_sequence() {
            terms.extend(call.session().iterate(term)?);
        } else {
            terms.push(term.clone());
        }
    }
    for term in terms {
        if !term.is_mapping() {
            return Err(call.fail(format!(
                "the 'dict' lookup plugin expects a dictionary, got '{}'",
                term.type_name()
            )));
        }
        for (key, value) in call.session().entries(&term)? {
            items.push(Val::dict(IndexMap::from([
                (Key::from("key"), Val::from_key(&key)),
                (Key::from("value"), value),
            ])));
        }
    }
    Ok(items)
}

fn nested(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let lists = call.term_lists()?;
    if lists.is_empty() {
        return Err(call.fail("needs at least one list"));
    }
    Ok(product_of(&lists)?.into_iter().map(Val::list).collect())
}

fn together(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let lists = call.term_lists()?;
    if lists.is_empty() {
        return Err(call.fail("with_together requires at least one element in each list"));
    }
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    Ok((0..length)
        .map(|index| {
            Val::list(
                lists
                    .iter()
                    .map(|list| list.get(index).cloned().unwrap_or(Val::Null))
                    .collect(),
            )
        })
        .collect())
}

/// What an optional third term of `subelements` may say.
const FLAGS: &str = "the optional third item must be a dict with flags ('skip_missing',)";

fn subelements(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let wrong = |why: &str| {
        call.fail(format!(
            "subelements lookup expects a list of two or three items, {why}"
        ))
    };
    let (elements, path, flags) = match call.terms.as_slice() {
        [elements, path] => (elements, path, None),
        [elements, path, flags] => (elements, path, Some(flags)),
        _ => return Err(wrong("")),
    };
    let (true, Val::Text(path)) = (elements.is_mapping() || elements.is_sequence(), path) else {
        return Err(wrong(
            "first a dict or a list, second a string pointing to the subkey",
        ));
    };
    let session = call.session();
    let skips_missing = match flags {
        None => false,
        Some(flags) if flags.is_mapping() => match session.entry(flags, &"skip_missing".into())? {
            Some(flag) => session.to_data(&flag)?.to_boolean().unwrap_or(false),
            None => false,
        },
        Some(_) => return Err(wrong(FLAGS)),
    };
    let elements = if !elements.is_mapping() {
        session.iterate(elements)?
    } else if is_skipped(session, elements)? {
        Vec::new()
    } else {
        let entries = session.entries(elements)?;
        entries.into_iter().map(|(_, value)| value).collect()
    };
    let path: Vec<&str> = path.split('.').collect();
    let mut pairs = Vec::new();
    for element in elements {
        element.known()?;
        if !element.is_mapping() {
            let shown = session.text_of(&element)?;
            return Err(call.fail(format!(
                "subelements lookup expects a dictionary, got '{shown}'"
            )));
        }
        if is_skipped(session, &element)? {
            continue;
        }
        let Some((rest, items)) = taken_out(call, &element, &path, skips_missing)? else {
            continue;
        };
        for item in session.iterate(&items)? {
            pairs.push(Val::tuple(vec![rest.clone(), item]));
        }
    }
    Ok(pairs)
}

/// Whether an element is the result of a task that was skipped.
fn is_skipped(session: &Session, element: &Val) -> Eval<bool> {
    Ok(match session.entry(element, &"skipped".into())? {
        Some(Val::Bool(false)) | None => false,
        Some(_) => true,
    })
}

/// The list at a path of an element, and the element without it.
fn taken_out(
    call: &LookupCall<'_>,
    element: &Val,
    path: &[&str],
    skips_missing: bool,
) -> Eval<Option<(Val, Val)>> {
    let session = call.session();
    let Some((key, deeper)) = path.split_first() else {
        return Ok(None);
    };
    let found = session.entry(element, &Key::from(*key))?;
    let Some(found) = found else {
        return match skips_missing {
            true => Ok(None),
            false => Err(call.fail(format!(
                "could not find '{key}' key in iterated item '{}'",
                session.repr_of(element)?
            ))),
        };
    };
    let mut entries: IndexMap<Key, Val> = session.entries(element)?.into_iter().collect();
    let kind = if deeper.is_empty() {
        if found.is_sequence() {
            entries.shift_remove(&Key::from(*key));
            return Ok(Some((Val::dict(entries), found)));
        }
        "list"
    } else if found.is_mapping() {
        let inner = taken_out(call, &found, deeper, skips_missing)?;
        return Ok(inner.map(|(rest, items)| {
            entries.insert(Key::from(*key), rest);
            (Val::dict(entries), items)
        }));
    } else if skips_missing {
        return Ok(None);
    } else {
        "dictionary"
    };
    Err(call.fail(format!(
        "the key {key} should point to a {kind}, got '{}'",
        session.text_of(&found)?
    )))
}

fn random_choice(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let items = one_level(call)?;
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut chance = StdRng::seed_from_u64(call.session().world().random());
    Ok(items
        .get(chance.random_range(0..items.len()))
        .cloned()
        .into_iter()
        .collect())
}
