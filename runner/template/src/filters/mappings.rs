//! Filters on mappings.

use indexmap::IndexMap;
use sasrun_model::Key;

use super::{Filter, filter};
use crate::eval::{Call, Session};
use crate::values::{Eval, Fault, Val, order_values};

pub(super) const FILTERS: &[Filter] = &[
    filter("attr", &["name"], |call| {
        let name = call.text_or(0, "")?;
        call.session().attribute(&call.subject, &name)
    }),
    filter("combine", &["*", "**"], combine),
    filter("dict2items", &["key_name", "value_name"], to_items),
    filter("dictsort", &["case_sensitive", "by", "reverse"], sort),
    filter("extract", &["container", "morekeys"], extract),
    filter("items", &[], |call| {
        if matches!(call.subject, Val::Undefined(_)) {
            return Ok(Val::list(Vec::new()));
        }
        Ok(Val::list(
            entries(call)?
                .into_iter()
                .map(|(key, value)| Val::tuple(vec![Val::from_key(&key), value]))
                .collect(),
        ))
    }),
    filter("items2dict", &["key_name", "value_name"], from_items),
    filter("rekey_on_member", &["key", "duplicates"], rekey),
    filter("subelements", &["subelements", "skip_missing"], |call| {
        let skip = call.flag(1, false)?;
        let pairs = pairs_of_subelements(call.session(), &call.subject, call.required(0)?, skip)?;
        Ok(Val::list(pairs))
    }),
];

fn entries(call: &Call<'_>) -> Eval<Vec<(Key, Val)>> {
    if !call.subject.is_mapping() {
        return Err(call.fail(format!(
            "requires a dictionary, got {} instead",
            call.subject.type_name()
        )));
    }
    call.session().entries(&call.subject)
}

fn to_items(call: &Call<'_>) -> Eval {
    let key_name = Key::from(&*call.text_or(0, "key")?);
    let value_name = Key::from(&*call.text_or(1, "value")?);
    Ok(Val::list(
        entries(call)?
            .into_iter()
            .map(|(key, value)| {
                Val::dict(IndexMap::from([
                    (key_name.clone(), Val::from_key(&key)),
                    (value_name.clone(), value),
                ]))
            })
            .collect(),
    ))
}

fn from_items(call: &Call<'_>) -> Eval {
    if !call.subject.is_sequence() {
        return Err(call.fail(format!(
            "requires a list, got {} instead",
            call.subject.type_name()
        )));
    }
    let session = call.session();
    let key_name = Key::from(&*call.text_or(0, "key")?);
    let value_name = Key::from(&*call.text_or(1, "value")?);
    let mut dict = IndexMap::new();
    for item in call.subject_items()? {
        let key = session.entry(&item, &key_name)?;
        let value = session.entry(&item, &value_name)?;
        let (Some(key), Some(value)) = (key, value) else {
            return Err(call.fail(format!(
                "requires each dictionary in the list to contain the keys '{key_name}' and '{value_name}'"
            )));
        };
        key.known()?;
        let key = session
            .key_of(&key)
            .ok_or_else(|| call.fail("a list cannot be a key"))?;
        dict.insert(key, value);
    }
    Ok(Val::dict(dict))
}

fn sort(call: &Call<'_>) -> Eval {
    let session = call.session();
    let case_sensitive = call.flag(0, false)?;
    let by_value = match call.text_or(1, "key")?.as_str() {
        "key" => false,
        "value" => true,
        _ => return Err(call.fail("can only sort by 'key' or 'value'")),
    };
    let mut pairs = entries(call)?;
    let sort_key = |(key, value): &(Key, Val)| {
        let value = if by_value {
            value.clone()
        } else {
            Val::from_key(key)
        };
        match &value {
            Val::Text(text) if !case_sensitive => Val::from(text.to_lowercase()),
            _ => value,
        }
    };
    order_values(&mut pairs, |a, b| session.order(&sort_key(a), &sort_key(b)))?;
    if call.flag(2, false)? {
        pairs.reverse();
    }
    Ok(Val::list(
        pairs
            .into_iter()
            .map(|(key, value)| Val::tuple(vec![Val::from_key(&key), value]))
            .collect(),
    ))
}

/// How `combine` merges.
struct Merge {
    recursive: bool,
    lists: ListMerge,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ListMerge {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendRemovingPresent,
    PrependRemovingPresent,
}

fn combine(call: &Call<'_>) -> Eval {
    let session = call.session();
    let mut merge = Merge {
        recursive: false,
        lists: ListMerge::Replace,
    };
    for (name, value) in &call.named {
        match &**name {
            "recursive" => merge.recursive = session.truth(value)?,
            "list_merge" => {
                merge.lists = match session.text_of(value)?.as_str() {
                    "replace" => ListMerge::Replace,
                    "keep" => ListMerge::Keep,
                    "append" => ListMerge::Append,
                    "prepend" => ListMerge::Prepend,
                    "append_rp" => ListMerge::AppendRemovingPresent,
                    "prepend_rp" => ListMerge::PrependRemovingPresent,
                    other => return Err(call.fail(format!("list_merge '{other}' is not known"))),
                };
            }
            _ => {
                return Err(
                    call.fail("'recursive' and 'list_merge' are the only valid keyword arguments")
                );
            }
        }
    }
    let mut dictionaries = Vec::new();
    for term in std::iter::once(&call.subject).chain(&call.rest) {
        if term.is_sequence() {
            dictionaries.extend(session.iterate(term)?);
        } else {
            dictionaries.push(term.clone());
        }
    }
    // As in Ansible, null is as good as nothing.
    dictionaries.retain(|dictionary| !matches!(dictionary, Val::Null));
    let mut result: Option<Val> = None;
    for dictionary in dictionaries {
        dictionary.known()?;
        if !dictionary.is_mapping() {
            return Err(call.fail(format!(
                "failed to combine variables, expected dicts but got a '{}'",
                dictionary.type_name()
            )));
        }
        result = Some(match result {
            None => dictionary,
            Some(low) => merged(session, &low, &dictionary, &merge)?,
        });
    }
    Ok(result.unwrap_or_else(|| Val::dict(IndexMap::new())))
}

fn merged(session: &Session, low: &Val, high: &Val, merge: &Merge) -> Eval {
    let mut dict: IndexMap<Key, Val> = session.entries(low)?.into_iter().collect();
    for (key, value) in session.entries(high)? {
        let value = match dict.get(&key) {
            Some(before) if merge.recursive && before.is_mapping() && value.is_mapping() => {
                session.deeper(|| merged(session, before, &value, merge))?
            }
            Some(before)
                if merge.lists != ListMerge::Replace
                    && before.is_sequence()
                    && value.is_sequence() =>
            {
                merged_lists(session, before, &value, merge.lists)?
            }
            _ => value,
        };
        dict.insert(key, value);
    }
    Ok(Val::dict(dict))
}

fn merged_lists(session: &Session, low: &Val, high: &Val, how: ListMerge) -> Eval {
    let (low, high) = (session.iterate(low)?, session.iterate(high)?);
    let without = |items: &[Val], others: &[Val]| -> Eval<Vec<Val>> {
        let others = Val::list(others.to_vec());
        let mut kept = Vec::new();
        for item in items {
            if !session.contains(&others, item)? {
                kept.push(item.clone());
            }
        }
        Ok(kept)
    };
    Ok(Val::list(match how {
        ListMerge::Replace => high,
        ListMerge::Keep => low,
        ListMerge::Append => [low, high].concat(),
        ListMerge::Prepend => [high, low].concat(),
        ListMerge::AppendRemovingPresent => [without(&low, &high)?, high].concat(),
        ListMerge::PrependRemovingPresent => {
            let rest = without(&low, &high)?;
            [high, rest].concat()
        }
    }))
}

fn extract(call: &Call<'_>) -> Eval {
    let session = call.session();
    let mut keys = vec![call.subject.clone()];
    match call.some(1) {
        Some(more) if more.is_sequence() => keys.extend(session.iterate(more)?),
        Some(more) => keys.push(more.clone()),
        None => {}
    }
    let mut value = call.required(0)?.clone();
    for key in keys {
        value = session.item(&value, &key)?;
    }
    Ok(value)
}

/// Pairs of each element and each item of one of its lists.
fn pairs_of_subelements(
    session: &Session,
    elements: &Val,
    path: &Val,
    skip_missing: bool,
) -> Eval<Vec<Val>> {
    let elements = if elements.is_mapping() {
        session
            .entries(elements)?
            .into_iter()
            .map(|(_, value)| value)
            .collect()
    } else if elements.is_sequence() {
        session.iterate(elements)?
    } else {
        return Err(Fault::operation(
            "obj must be a list of dicts or a nested dict",
        ));
    };
    let path: Vec<String> = if path.is_sequence() {
        session
            .iterate(path)?
            .iter()
            .map(|part| session.text_of(part))
            .collect::<Eval<_>>()?
    } else {
        session
            .text_of(path)?
            .split('.')
            .map(str::to_owned)
            .collect()
    };
    let mut pairs = Vec::new();
    for element in elements {
        let mut values = element.clone();
        let mut is_missing = false;
        for part in &path {
            match session.entry(&values, &Key::from(&**part))? {
                Some(found) => values = found,
                None if skip_missing => {
                    is_missing = true;
                    break;
                }
                None => {
                    return Err(Fault::operation(format!(
                        "could not find '{part}' key in iterated item {}",
                        session.repr_of(&element)?
                    )));
                }
            }
        }
        if is_missing {
            continue;
        }
        values.known()?;
        if !values.is_sequence() {
            return Err(Fault::operation(format!(
                "the key {} should point to a list",
                path.join(".")
            )));
        }
        for value in session.iterate(&values)? {
            pairs.push(Val::tuple(vec![element.clone(), value]));
        }
    }
    Ok(pairs)
}

fn rekey(call: &Call<'_>) -> Eval {
    let session = call.session();
    let member = call.required(0)?;
    let overwrite = match call.text_or(1, "error")?.as_str() {
        "error" => false,
        "overwrite" => true,
        other => {
            return Err(call.fail(format!(
                "duplicates parameter to rekey_on_member has unknown value '{other}'"
            )));
        }
    };
    let items = if call.subject.is_mapping() {
        entries(call)?.into_iter().map(|(_, value)| value).collect()
    } else if call.subject.is_sequence() {
        call.subject_items()?
    } else {
        return Err(call.fail("Type is not a valid list, set, or dict"));
    };
    let mut dict = IndexMap::new();
    for item in items {
        if !item.is_mapping() {
            return Err(call.fail("List item is not a valid dict"));
        }
        let key = session.item(&item, member)?;
        if matches!(key, Val::Undefined(_)) {
            let name = session.text_of(member)?;
            return Err(call.fail(format!("Key '{name}' was not found.")));
        }
        key.known()?;
        let key = session
            .key_of(&key)
            .ok_or_else(|| call.fail("a list cannot be a key"))?;
        if !overwrite && dict.contains_key(&key) {
            return Err(call.fail(format!("key '{key}' is not unique, cannot convert to dict")));
        }
        dict.insert(key, item);
    }
    Ok(Val::dict(dict))
}
