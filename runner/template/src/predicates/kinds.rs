//! Tests of what a value is.

use super::{Predicate, lazy, predicate};
use crate::eval::Call;
use crate::values::{Eval, Fault, Val};
use crate::{filters, predicates};

pub(super) const TESTS: &[Predicate] = &[
    predicate("boolean", &[], |call| {
        Ok(matches!(call.subject, Val::Bool(_)))
    }),
    predicate("callable", &[], |call| {
        Ok(matches!(call.subject, Val::Function(_) | Val::Joiner(_)))
    }),
    lazy("defined", &[], defined),
    predicate("escaped", &[], |_| Ok(false)),
    predicate("even", &[], |call| Ok(whole(call)? % 2 == 0)),
    predicate("false", &[], |call| {
        Ok(matches!(call.subject, Val::Bool(false)))
    }),
    predicate("falsy", &["convert_bool"], |call| Ok(!truthy(call)?)),
    predicate("filter", &[], |call| {
        Ok(filters::find(&call.subject_text()?).is_some())
    }),
    predicate("float", &[], |call| {
        Ok(matches!(call.subject, Val::Float(_)))
    }),
    predicate("integer", &[], |call| {
        Ok(matches!(call.subject, Val::Int(_)))
    }),
    predicate("iterable", &[], |call| {
        Ok(call.subject.is_mapping()
            || call.subject.is_sequence()
            || matches!(call.subject, Val::Text(_)))
    }),
    predicate("isnan", &[], |call| {
        Ok(call.subject.as_number().is_some_and(f64::is_nan))
    }),
    predicate("lower", &[], |call| {
        let text = call.subject_text()?;
        Ok(text == text.to_lowercase() && text.chars().any(char::is_lowercase))
    }),
    predicate("mapping", &[], |call| Ok(call.subject.is_mapping())),
    predicate("nan", &[], |call| {
        Ok(call.subject.as_number().is_some_and(f64::is_nan))
    }),
    predicate("none", &[], |call| Ok(matches!(call.subject, Val::Null))),
    predicate("number", &[], |call| Ok(call.subject.as_number().is_some())),
    predicate("odd", &[], |call| Ok(whole(call)? % 2 != 0)),
    predicate("sequence", &[], |call| {
        Ok(call.subject.is_mapping()
            || call.subject.is_sequence()
            || matches!(call.subject, Val::Text(_)))
    }),
    predicate("string", &[], |call| {
        Ok(matches!(call.subject, Val::Text(_)))
    }),
    predicate("test", &[], |call| {
        Ok(predicates::find(&call.subject_text()?).is_some())
    }),
    predicate("true", &[], |call| {
        Ok(matches!(call.subject, Val::Bool(true)))
    }),
    predicate("truthy", &["convert_bool"], truthy),
    lazy("undefined", &[], |call| Ok(!defined(call)?)),
    predicate("upper", &[], |call| {
        let text = call.subject_text()?;
        Ok(text == text.to_uppercase() && text.chars().any(char::is_uppercase))
    }),
    predicate("vault_encrypted", &[], |call| {
        let world = call.session().world();
        Ok(call
            .subject
            .as_str()
            .is_some_and(|text| text.starts_with("$ANSIBLE_VAULT;") || world.was_sealed(text)))
    }),
];

/// An unknown value is defined; whether a part of an unknown value is, cannot be known.
fn defined(call: &Call<'_>) -> Eval<bool> {
    match &call.subject {
        Val::Undefined(_) => Ok(false),
        Val::Unknown(unknown) if unknown.derived => Err(Fault::unknown(&unknown.reason)),
        _ => Ok(true),
    }
}

fn whole(call: &Call<'_>) -> Eval<i64> {
    call.subject
        .as_int()
        .ok_or_else(|| call.fail("needs a whole number"))
}

fn truthy(call: &Call<'_>) -> Eval<bool> {
    if call.flag(0, false)?
        && let Val::Text(text) = &call.subject
    {
        let value = sasrun_model::Value::Text(text.clone());
        if let Some(value) = value.to_boolean() {
            return Ok(value);
        }
    }
    call.session().truth(&call.subject)
}
