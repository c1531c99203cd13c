//! Filters about what is there and what stands in for it.

use super::{Filter, filter, lazy};
use crate::error::Problem;
use crate::eval::Call;
use crate::values::{Eval, Fault, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("bool", &[], to_bool),
    lazy("d", &["default_value", "boolean"], default),
    lazy("default", &["default_value", "boolean"], default),
    lazy("mandatory", &["msg"], mandatory),
    lazy("ternary", &["true_val", "false_val", "none_val"], ternary),
    lazy("type_debug", &[], type_debug),
];

/// What cannot be known stays so: it may or may not be replaced.
fn default(call: &Call<'_>) -> Eval {
    let otherwise = || call.arg(0).cloned().unwrap_or_else(|| Val::from(""));
    match &call.subject {
        Val::Undefined(_) => Ok(otherwise()),
        Val::Unknown(_) => Ok(call.subject.clone()),
        subject if call.flag(1, false)? && !call.session().truth(subject)? => Ok(otherwise()),
        subject => Ok(subject.clone()),
    }
}

fn mandatory(call: &Call<'_>) -> Eval {
    match &call.subject {
        Val::Undefined(undefined) => {
            let message = match call.text(0)? {
                Some(message) => message,
                None => format!("Mandatory variable '{}' not defined.", undefined.name),
            };
            Err(Fault::problem(Problem::Refused(message)))
        }
        subject => Ok(subject.clone()),
    }
}

fn ternary(call: &Call<'_>) -> Eval {
    if matches!(call.subject, Val::Null)
        && let Some(none) = call.some(2)
    {
        return Ok(none.clone());
    }
    let chosen = usize::from(!call.session().truth(&call.subject)?);
    call.required(chosen).cloned()
}

/// Ansible's reading of truth; anything it does not know is false.
fn to_bool(call: &Call<'_>) -> Eval {
    Ok(match &call.subject {
        Val::Bool(value) => Val::Bool(*value),
        Val::Int(number) => Val::Bool(*number == 1),
        Val::Float(number) => Val::Bool(*number == 1.0),
        Val::Text(text) => Val::Bool(matches!(
            text.to_lowercase().as_str(),
            "yes" | "on" | "true" | "1"
        )),
        _ => Val::Bool(false),
    })
}

fn type_debug(call: &Call<'_>) -> Eval {
    Ok(Val::from(call.subject.type_name()))
}
