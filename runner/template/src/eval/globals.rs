//! Functions of the language.

use std::cell::Cell;
use std::rc::Rc;

use indexmap::IndexMap;
use sasrun_model::Key;

use super::{Call, lookup_call};
use crate::error::Problem;
use crate::python::moment::Moment;
use crate::values::{Cycler, Dict, Eval, Fault, Joiner, Val};

/// A function of the language.
pub(crate) struct GlobalFunction {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [&'static str],
    /// Whether arguments may be undefined.
    pub(crate) takes_anything: bool,
    pub(crate) run: fn(&Call<'_>) -> Eval,
}

/// Numbers that `range` may make.
const MAX_RANGE: i64 = 5_000_000;

const FUNCTIONS: &[GlobalFunction] = &[
    function("cycler", &["*"], cycler),
    function("dict", &["from", "**"], dict),
    function("joiner", &["sep"], joiner),
    GlobalFunction {
        name: "lookup",
        parameters: &["plugin", "*", "**"],
        takes_anything: true,
        run: lookup_call::lookup,
    },
    function("namespace", &["from", "**"], namespace),
    function("now", &["utc", "fmt"], now),
    GlobalFunction {
        name: "q",
        parameters: &["plugin", "*", "**"],
        takes_anything: true,
        run: lookup_call::query,
    },
    GlobalFunction {
        name: "query",
        parameters: &["plugin", "*", "**"],
        takes_anything: true,
        run: lookup_call::query,
    },
    function("range", &["start", "stop", "step"], range),
    function("undef", &["hint"], undef),
];

const fn function(
    name: &'static str,
    parameters: &'static [&'static str],
    run: fn(&Call<'_>) -> Eval,
) -> GlobalFunction {
    GlobalFunction {
        name,
        parameters,
        takes_anything: false,
        run,
    }
}

/// Finds a function of the language.
pub(crate) fn find(name: &str) -> Option<&'static GlobalFunction> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

fn cycler(call: &Call<'_>) -> Eval {
    Ok(Val::Cycler(Rc::new(Cycler {
        items: call.rest.clone(),
        at: Cell::new(0),
    })))
}

fn joiner(call: &Call<'_>) -> Eval {
    Ok(Val::Joiner(Rc::new(Joiner {
        separator: call.arg(0).cloned().unwrap_or_else(|| Val::from(", ")),
        used: Cell::new(false),
    })))
}

/// Entries of a mapping or a list of pairs, and named arguments after them.
fn entries(call: &Call<'_>) -> Eval<IndexMap<Key, Val>> {
    let session = call.session();
    let mut entries = IndexMap::new();
    match call.arg(0) {
        None => {}
        Some(value) if value.is_mapping() => entries.extend(session.entries(value)?),
        Some(value) => {
            for pair in session.iterate(value)? {
                let pair = session.iterate(&pair)?;
                let [key, value] = pair.as_slice() else {
                    return Err(call.fail("needs pairs"));
                };
                let key = session
                    .key_of(key)
                    .ok_or_else(|| call.fail("a list cannot be a key"))?;
                entries.insert(key, value.clone());
            }
        }
    }
    for (name, value) in &call.named {
        entries.insert(Key::Text(name.clone()), value.clone());
    }
    Ok(entries)
}

fn dict(call: &Call<'_>) -> Eval {
    Ok(Val::dict(entries(call)?))
}

fn namespace(call: &Call<'_>) -> Eval {
    Ok(Val::Namespace(Rc::new(Dict {
        entries: entries(call)?.into(),
    })))
}

fn range(call: &Call<'_>) -> Eval {
    let first = call.int(0)?.ok_or_else(|| call.fail("needs a number"))?;
    let (start, stop) = match call.int(1)? {
        Some(stop) => (first, stop),
        None => (0, first),
    };
    let step = call.int(2)?.unwrap_or(1);
    if step == 0 {
        return Err(call.fail("step must not be zero"));
    }
    let count = if (step > 0 && start < stop) || (step < 0 && start > stop) {
        (stop.abs_diff(start)).div_ceil(step.unsigned_abs())
    } else {
        0
    };
    if i64::try_from(count).unwrap_or(i64::MAX) > MAX_RANGE {
        return Err(Fault::problem(Problem::TooMuch));
    }
    let mut numbers = Vec::new();
    let mut at = start;
    for _ in 0..count {
        numbers.push(Val::Int(at));
        at = at.saturating_add(step);
    }
    Ok(Val::list(numbers))
}

fn now(call: &Call<'_>) -> Eval {
    let now = call.session().world().now();
    let now = if call.flag(0, false)? {
        now.with_time_zone(jiff::tz::TimeZone::UTC)
    } else {
        now
    };
    match call.text(1)? {
        Some(format) => Ok(Val::from(crate::python::moment::strftime(&now, &format))),
        None => Ok(Val::Moment(Rc::new(Moment::naive(now.datetime())))),
    }
}

fn undef(call: &Call<'_>) -> Eval {
    let hint = call.text_or(0, "Mandatory variable has not been overridden")?;
    Ok(Val::undefined("undef", hint))
}
