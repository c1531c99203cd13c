//! Methods of mappings.

use indexmap::IndexMap;
use sasrun_model::Key;

use crate::eval::{Arguments, Call, CallKind, Env};
use crate::values::{Eval, Val};

fn parameters(name: &str) -> &'static [&'static str] {
    match name {
        "get" | "pop" | "setdefault" | "fromkeys" => &["key", "default"],
        "update" => &["other", "**"],
        _ => &[],
    }
}

/// Calls a method of a mapping.
pub(super) fn call(env: &Env, subject: &Val, name: &str, arguments: Arguments) -> Eval {
    let call = Call::bind(
        env,
        CallKind::Method,
        name,
        parameters(name),
        subject.clone(),
        arguments,
    )?;
    let session = call.session();
    match name {
        "get" => {
            let found = match key(&call)? {
                Some(key) => session.entry(subject, &key)?,
                None => None,
            };
            Ok(found.or_else(|| call.arg(1).cloned()).unwrap_or(Val::Null))
        }
        "keys" => Ok(Val::list(
            session.keys(subject).iter().map(Val::from_key).collect(),
        )),
        "values" => Ok(Val::list(
            session
                .entries(subject)?
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
        )),
        "items" => Ok(Val::list(
            session
                .entries(subject)?
                .into_iter()
                .map(|(key, value)| Val::tuple(vec![Val::from_key(&key), value]))
                .collect(),
        )),
        "copy" => Ok(Val::dict(session.entries(subject)?.into_iter().collect())),
        "fromkeys" => {
            let mut entries = IndexMap::new();
            for item in session.iterate(call.required(0)?)? {
                if let Some(key) = session.key_of(&item) {
                    entries.insert(key, call.arg(1).cloned().unwrap_or(Val::Null));
                }
            }
            Ok(Val::dict(entries))
        }
        _ => change(&call, subject),
    }
}

fn key(call: &Call<'_>) -> Eval<Option<Key>> {
    Ok(call.session().key_of(call.required(0)?))
}

/// Methods that change the mapping.
fn change(call: &Call<'_>, subject: &Val) -> Eval {
    let session = call.session();
    let Val::Dict(dict) = subject else {
        return Err(call.fail("cannot change this mapping"));
    };
    match call.name {
        "update" => {
            let mut added: Vec<(Key, Val)> = Vec::new();
            if let Some(other) = call.some(0) {
                if other.is_mapping() {
                    added = session.entries(other)?;
                } else {
                    for pair in session.iterate(other)? {
                        let pair = session.iterate(&pair)?;
                        if let [key, value] = pair.as_slice()
                            && let Some(key) = session.key_of(key)
                        {
                            added.push((key, value.clone()));
                        }
                    }
                }
            }
            added.extend(
                call.named
                    .iter()
                    .map(|(name, value)| (Key::Text(name.clone()), value.clone())),
            );
            dict.entries.borrow_mut().extend(added);
            Ok(Val::Null)
        }
        "pop" => {
            let key = key(call)?;
            let found = key.and_then(|key| dict.entries.borrow_mut().shift_remove(&key));
            match found.or_else(|| call.arg(1).cloned()) {
                Some(value) => session.force(&value),
                None => Err(call.fail(format!("no key {}", session.repr_of(call.required(0)?)?))),
            }
        }
        "popitem" => match dict.entries.borrow_mut().pop() {
            Some((key, value)) => Ok(Val::tuple(vec![Val::from_key(&key), value])),
            None => Err(call.fail("the mapping is empty")),
        },
        "setdefault" => {
            let Some(key) = key(call)? else {
                return Err(call.fail("a list cannot be a key"));
            };
            if let Some(found) = session.entry(subject, &key)? {
                return Ok(found);
            }
            let value = call.arg(1).cloned().unwrap_or(Val::Null);
            dict.entries.borrow_mut().insert(key, value.clone());
            Ok(value)
        }
        _ => {
            dict.entries.borrow_mut().clear();
            Ok(Val::Null)
        }
    }
}
