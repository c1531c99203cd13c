//! Methods of lists and tuples.

use crate::eval::{Arguments, Call, CallKind, Env};
use crate::values::{Eval, Val, order_values};

fn parameters(name: &str) -> &'static [&'static str] {
    match name {
        "append" | "extend" | "remove" | "count" | "pop" => &["item"],
        "index" => &["item", "start", "stop"],
        "insert" => &["index", "item"],
        "sort" => &["key", "reverse"],
        _ => &[],
    }
}

/// Calls a method of a list or tuple.
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
        "copy" => Ok(Val::list(session.iterate(subject)?)),
        "count" => {
            let wanted = call.required(0)?;
            let mut count = 0;
            for item in session.iterate(subject)? {
                if session.equal(&item, wanted)? {
                    count += 1;
                }
            }
            Ok(Val::Int(count))
        }
        "index" => match position(&call, subject)? {
            Some(index) => Ok(Val::from(index)),
            None => Err(call.fail(format!(
                "{} is not in list",
                session.repr_of(call.required(0)?)?
            ))),
        },
        _ => change(&call, subject),
    }
}

fn position(call: &Call<'_>, subject: &Val) -> Eval<Option<usize>> {
    let wanted = call.required(0)?;
    let start = call
        .int(1)?
        .and_then(|start| usize::try_from(start).ok())
        .unwrap_or(0);
    for (index, item) in call
        .session()
        .iterate(subject)?
        .iter()
        .enumerate()
        .skip(start)
    {
        if call.session().equal(item, wanted)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Where an index of Python points to, clamped to the list.
fn clamped(index: i64, length: usize) -> usize {
    if index < 0 {
        length.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX))
    } else {
        usize::try_from(index).unwrap_or(usize::MAX).min(length)
    }
}

/// Methods that change the list.
fn change(call: &Call<'_>, subject: &Val) -> Eval {
    let session = call.session();
    let Val::Seq(seq) = subject else {
        return Err(call.fail("cannot change this list"));
    };
    match call.name {
        "append" => seq.items.borrow_mut().push(call.required(0)?.clone()),
        "extend" => {
            let added = session.iterate(call.required(0)?)?;
            seq.items.borrow_mut().extend(added);
        }
        "insert" => {
            let index = call.int(0)?.unwrap_or(0);
            let item = call.required(1)?.clone();
            let mut items = seq.items.borrow_mut();
            let at = clamped(index, items.len());
            items.insert(at, item);
        }
        "pop" => {
            let removed = {
                let mut items = seq.items.borrow_mut();
                let length = items.len();
                let at = clamped(call.int(0)?.unwrap_or(-1), length);
                if at >= length {
                    return Err(call.fail("pop index out of range"));
                }
                items.remove(at)
            };
            return session.force(&removed);
        }
        "remove" => match position(call, subject)? {
            Some(index) => {
                seq.items.borrow_mut().remove(index);
            }
            None => return Err(call.fail("the item is not in the list")),
        },
        "reverse" => seq.items.borrow_mut().reverse(),
        "sort" => {
            let mut items = session.iterate(subject)?;
            order_values(&mut items, |a, b| session.order(a, b))?;
            if call.flag(1, false)? {
                items.reverse();
            }
            *seq.items.borrow_mut() = items;
        }
        _ => seq.items.borrow_mut().clear(),
    }
    Ok(Val::Null)
}
