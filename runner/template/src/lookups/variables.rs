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

/// Settings that templates ask for, by Ansible's names: the variable of the environment that sets
/// them, and their value where none does.
const SETTINGS: &[(&str, &str, Unset)] = &[
    ("DEFAULT_ASK_PASS", "ANSIBLE_ASK_PASS", Unset::Flag(false)),
    ("DEFAULT_BECOME", "ANSIBLE_BECOME", Unset::Flag(false)),
    (
        "DEFAULT_BECOME_METHOD",
        "ANSIBLE_BECOME_METHOD",
        Unset::Text("sudo"),
    ),
    (
        "DEFAULT_BECOME_USER",
        "ANSIBLE_BECOME_USER",
        Unset::Text("root"),
    ),
    ("DEFAULT_FORKS", "ANSIBLE_FORKS", Unset::Number(5)),
    (
        "DEFAULT_GATHERING",
        "ANSIBLE_GATHERING",
        Unset::Text("implicit"),
    ),
    (
        "DEFAULT_HASH_BEHAVIOUR",
        "ANSIBLE_HASH_BEHAVIOUR",
        Unset::Text("replace"),
    ),
    (
        "DEFAULT_LOCAL_TMP",
        "ANSIBLE_LOCAL_TEMP",
        Unset::Text("~/.ansible/tmp"),
    ),
    (
        "DEFAULT_POLL_INTERVAL",
        "ANSIBLE_POLL_INTERVAL",
        Unset::Number(15),
    ),
    (
        "DEFAULT_PRIVATE_ROLE_VARS",
        "ANSIBLE_PRIVATE_ROLE_VARS",
        Unset::Flag(false),
    ),
    ("DEFAULT_REMOTE_USER", "ANSIBLE_REMOTE_USER", Unset::Null),
    (
        "DEFAULT_ROLES_PATH",
        "ANSIBLE_ROLES_PATH",
        Unset::Paths("/etc/ansible/roles"),
    ),
    (
        "DEFAULT_STRATEGY",
        "ANSIBLE_STRATEGY",
        Unset::Text("linear"),
    ),
    ("DEFAULT_TIMEOUT", "ANSIBLE_TIMEOUT", Unset::Number(10)),
    ("DEFAULT_TRANSPORT", "ANSIBLE_TRANSPORT", Unset::Text("ssh")),
    ("DEFAULT_VERBOSITY", "ANSIBLE_VERBOSITY", Unset::Number(0)),
    (
        "HOST_KEY_CHECKING",
        "ANSIBLE_HOST_KEY_CHECKING",
        Unset::Flag(true),
    ),
];

/// The value of a setting that nothing sets.
#[derive(Clone, Copy)]
enum Unset {
    Null,
    Flag(bool),
    Number(i64),
    Text(&'static str),
    Paths(&'static str),
}

impl Unset {
    /// The setting, from the text that sets it or by itself.
    fn value(self, said: Option<String>) -> Val {
        match (self, said) {
            (Unset::Null, None) => Val::Null,
            (Unset::Flag(flag), said) => Val::Bool(
                said.and_then(|text| sasrun_model::Value::from(text.as_str()).to_boolean())
                    .unwrap_or(flag),
            ),
            (Unset::Number(number), said) => Val::Int(
                said.and_then(|text| text.trim().parse().ok())
                    .unwrap_or(number),
            ),
            (Unset::Text(text), None) => Val::from(text),
            (Unset::Paths(paths), said) => {
                let paths = said.unwrap_or_else(|| paths.to_owned());
                Val::list(paths.split(':').map(Val::from).collect())
            }
            (_, Some(text)) => Val::from(text),
        }
    }
}

fn config(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for name in call.term_texts()? {
        if let Some((_, variable, default)) = SETTINGS.iter().find(|(known, ..)| *known == name) {
            let said = call.session().world().env(variable);
            found.push(default.value(said.filter(|text| !text.is_empty())));
            continue;
        }
        match (
            call.option_text("on_missing", "error")?.as_str(),
            call.option("default"),
        ) {
            (_, Some(default)) => found.push(default.clone()),
            ("skip" | "warn", None) => {}
            _ => return Err(call.fail(format!("unable to find setting '{name}'"))),
        }
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
