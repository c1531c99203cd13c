//! Lookups of variables and of the environment.

use fancy_regex::Regex;

use super::{Lookup, LookupCall, lookup};
use crate::python::regex::{self, Flags};
use crate::values::{Eval, Val};

pub(super) const LOOKUPS: &[Lookup] = &[
    lookup("config", config),
    lookup("env", env),
    lookup("inventory_hostnames", inventory_host_names),
    lookup("varnames", names),
    lookup("vars", vars),
];

fn vars(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for name in call.term_texts()? {
        let value = call.env.variable(&name.as_str().into())?;
        found.push(match (value, call.option("default")) {
            (Val::Undefined(_), Some(default)) => default.clone(),
            (Val::Undefined(_), None) => {
                return Err(call.fail(format!("no variable named '{name}' was found")));
            }
            (value, _) => value,
        });
    }
    Ok(found)
}

fn names(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for pattern in call.term_texts()? {
        let pattern: Regex =
            regex::compile(&pattern, Flags::default()).map_err(|message| call.fail(message))?;
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

/// Settings that templates ask for, with Ansible's defaults where the scope says nothing.
fn config(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for name in call.term_texts()? {
        found.push(match name.as_str() {
            "DEFAULT_FORKS" => Val::Int(5),
            "DEFAULT_BECOME_USER" => Val::from("root"),
            "DEFAULT_ROLES_PATH" => Val::list(vec![Val::from("/etc/ansible/roles")]),
            _ => match (
                call.option_text("on_missing", "error")?.as_str(),
                call.option("default"),
            ) {
                (_, Some(default)) => default.clone(),
                ("skip" | "warn", None) => continue,
                _ => return Err(call.fail(format!("unable to find setting '{name}'"))),
            },
        });
    }
    Ok(found)
}

/// Hosts of a pattern: `all`, names of groups and hosts, `:`, `!` and `&`.
fn inventory_host_names(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let session = call.session();
    let groups = call.env.variable(&"groups".into())?;
    groups.known()?;
    let members = |name: &str| -> Eval<Vec<Val>> {
        match session.entry(&groups, &name.into())? {
            Some(group) => session.iterate(&group),
            None => Ok(vec![Val::from(name)]),
        }
    };
    let mut chosen: Vec<Val> = Vec::new();
    for pattern in call
        .term_texts()?
        .iter()
        .flat_map(|term| term.split([':', ',']))
    {
        let pattern = pattern.trim();
        if let Some(name) = pattern.strip_prefix('!') {
            let out = Val::list(members(name)?);
            let mut kept = Vec::new();
            for host in chosen {
                if !session.contains(&out, &host)? {
                    kept.push(host);
                }
            }
            chosen = kept;
        } else if let Some(name) = pattern.strip_prefix('&') {
            let both = Val::list(members(name)?);
            let mut kept = Vec::new();
            for host in chosen {
                if session.contains(&both, &host)? {
                    kept.push(host);
                }
            }
            chosen = kept;
        } else if !pattern.is_empty() {
            for host in members(pattern)? {
                if !session.contains(&Val::list(chosen.clone()), &host)? {
                    chosen.push(host);
                }
            }
        }
    }
    Ok(chosen)
}
