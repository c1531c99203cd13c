//! Lookups of variables and of the environment.

use fancy_regex::Regex;

use super::{Lookup, LookupCall, lookup};
use crate::python::regex::{self, Flags};
use crate::values::{Eval, Val};

pub(super) const LOOKUPS: &[Lookup] = &[
    lookup("env", env),
    lookup("varnames", names),
    lookup("vars", vars),
];

fn vars(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for term in &call.terms {
        let Val::Text(name) = term else {
            return Err(call.fail(format!(
                "Variable name must be 'str' not '{}'.",
                term.type_name()
            )));
        };
        let value = call.env.variable(name)?;
        found.push(match (value, call.option("default")) {
            (Val::Undefined(_), Some(default)) => default.clone(),
            (Val::Undefined(_), None) => {
                return Err(call.fail(format!("No variable named '{name}' was found.")));
            }
            (value, _) => value,
        });
    }
    Ok(found)
}

fn names(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for term in call.terms_apart()? {
        let Val::Text(pattern) = &term else {
            return Err(call.fail(format!(
                "Invalid setting identifier, {} is not text but {}",
                call.session().text_of(&term)?,
                term.type_name()
            )));
        };
        let pattern: Regex = regex::compile(pattern, Flags::default()).map_err(|message| {
            call.fail(format!(
                "Unable to use \"{pattern}\" as a search parameter: {message}"
            ))
        })?;
        for name in call.env.scope.names() {
            if pattern
                .is_match(&name)
                .map_err(|err| call.fail(err.to_string()))?
            {
                found.push(Val::Text(name));
            }
        }
    }
    Ok(found)
}

fn env(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for name in call.term_texts()? {
        let value = call
            .session()
            .world()
            .env(name.split_whitespace().next().unwrap_or_default());
        found.push(match (value, call.option("default")) {
            (Some(value), _) => Val::from(value),
            (None, Some(default)) => default.clone(),
            (None, None) => Val::from(""),
        });
    }
    Ok(found)
}
