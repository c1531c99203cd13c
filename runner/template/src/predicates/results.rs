//! Tests of what a task gave.

use sasrun_model::Key;

use super::{Predicate, predicate};
use crate::eval::Call;
use crate::values::Eval;

pub(super) const TESTS: &[Predicate] = &[
    predicate("change", &[], changed),
    predicate("changed", &[], changed),
    predicate("failed", &[], |call| entry(call, "failed", false)),
    predicate("failure", &[], |call| entry(call, "failed", false)),
    predicate("finished", &[], |call| entry(call, "finished", true)),
    predicate("reachable", &[], |call| {
        Ok(!entry(call, "unreachable", false)?)
    }),
    predicate("skip", &[], |call| entry(call, "skipped", false)),
    predicate("skipped", &[], |call| entry(call, "skipped", false)),
    predicate("started", &[], |call| entry(call, "started", true)),
    predicate("succeeded", &[], |call| Ok(!entry(call, "failed", false)?)),
    predicate("success", &[], |call| Ok(!entry(call, "failed", false)?)),
    predicate("successful", &[], |call| Ok(!entry(call, "failed", false)?)),
    predicate("timedout", &[], |call| {
        require_mapping(call)?;
        let session = call.session();
        match session.entry(&call.subject, &Key::from("timedout"))? {
            Some(value) if session.truth(&value)? => {
                let period = session.item(&value, &crate::values::Val::from("period"))?;
                session.truth(&period)
            }
            _ => Ok(false),
        }
    }),
    predicate("unreachable", &[], |call| entry(call, "unreachable", false)),
];

fn require_mapping(call: &Call<'_>) -> Eval<()> {
    if call.subject.is_mapping() {
        return Ok(());
    }
    Err(call.fail(format!(
        "the '{}' test expects a dictionary, not {}",
        call.name,
        call.subject.type_name()
    )))
}

fn entry(call: &Call<'_>, name: &str, if_missing: bool) -> Eval<bool> {
    require_mapping(call)?;
    match call.session().entry(&call.subject, &Key::from(name))? {
        Some(value) => call.session().truth(&value),
        None => Ok(if_missing),
    }
}

fn changed(call: &Call<'_>) -> Eval<bool> {
    require_mapping(call)?;
    let session = call.session();
    if let Some(value) = session.entry(&call.subject, &Key::from("changed"))? {
        return session.truth(&value);
    }
    let Some(results) = session.entry(&call.subject, &Key::from("results"))? else {
        return Ok(false);
    };
    if !results.is_sequence() {
        return Ok(false);
    }
    for result in session.iterate(&results)? {
        if let Some(value) = session.entry(&result, &Key::from("changed"))?
            && session.truth(&value)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}
