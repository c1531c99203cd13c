//! Lookups that only shape their terms: the loops `with_items`, `with_dict` and their kin.

use indexmap::IndexMap;
use sasrun_model::Key;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Lookup, LookupCall, lookup};
use crate::filters::{pairs_of_subelements, product_of};
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

fn subelements(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let (Some(elements), Some(path)) = (call.terms.first(), call.terms.get(1)) else {
        return Err(call.fail("needs a list and the name of a key"));
    };
    let skip = match call.terms.get(2) {
        Some(flags) if flags.is_mapping() => {
            let flag = call.session().item(flags, &Val::from("skip_missing"))?;
            match flag {
                Val::Undefined(_) => false,
                flag => call.session().to_data(&flag)?.to_boolean().unwrap_or(false),
            }
        }
        _ => false,
    };
    let session = call.session();
    let path_text = session.text_of(path)?;
    let mut pairs = Vec::new();
    for pair in pairs_of_subelements(session, elements, path, skip)? {
        // Unlike the filter, the lookup takes the list out of its element.
        if let Some(element) = session.at(&pair, 0)?
            && let Some(item) = session.at(&pair, 1)?
        {
            let mut entries: IndexMap<Key, Val> = session.entries(&element)?.into_iter().collect();
            entries.shift_remove(&Key::from(&*path_text));
            pairs.push(Val::tuple(vec![Val::dict(entries), item]));
        }
    }
    Ok(pairs)
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
