//! `lookup()`, `query()` and the loops `with_…` that use lookups.

use std::sync::Arc;

use super::{Call, Env};
use crate::error::Problem;
use crate::lookups::{self, LookupCall};
use crate::values::{Eval, Fault, FaultKind, Val};

/// `lookup('name', terms…)`: one value, or texts joined by commas.
pub(super) fn lookup(call: &Call<'_>) -> Eval {
    run(call, false)
}

/// `query('name', terms…)`: always a list.
pub(super) fn query(call: &Call<'_>) -> Eval {
    run(call, true)
}

fn run(call: &Call<'_>, as_list: bool) -> Eval {
    let name = call
        .text(0)?
        .ok_or_else(|| call.fail("needs the name of a lookup"))?;
    let mut as_list = as_list;
    let mut errors = String::from("strict");
    let mut options = Vec::new();
    for (key, value) in &call.named {
        match &**key {
            "wantlist" => as_list = call.session().truth(value)?,
            "errors" => errors = call.session().text_of(value)?,
            _ => options.push((Arc::clone(key), value.clone())),
        }
    }
    let found = match run_lookup(call.env, &name, call.rest.clone(), options) {
        Ok(found) => found,
        Err(fault) => match fault.kind() {
            FaultKind::Error(_) if errors == "ignore" || errors == "warn" => {
                return Ok(if as_list {
                    Val::list(Vec::new())
                } else {
                    Val::Null
                });
            }
            _ => return Err(fault),
        },
    };
    if as_list {
        return Ok(Val::list(found));
    }
    let all_text = found.iter().all(|value| matches!(value, Val::Text(_)));
    Ok(match found.as_slice() {
        [one] => one.clone(),
        [] => Val::list(found),
        _ if all_text => Val::from(
            found
                .iter()
                .filter_map(Val::as_str)
                .collect::<Vec<_>>()
                .join(","),
        ),
        _ => Val::list(found),
    })
}

/// Runs a lookup by name.
pub(crate) fn run_lookup(
    env: &Env,
    name: &str,
    terms: Vec<Val>,
    options: Vec<(Arc<str>, Val)>,
) -> Eval<Vec<Val>> {
    for value in terms.iter().chain(options.iter().map(|(_, value)| value)) {
        value.known()?;
    }
    let call = LookupCall {
        env,
        name,
        terms,
        options,
    };
    if let Some(lookup) = lookups::find(name) {
        return (lookup.run)(&call);
    }
    let Some(function) = env.session().shared.extensions.lookups.get(name) else {
        return Err(call.fail("there is no such lookup"));
    };
    let session = env.session();
    session.count_asked();
    let mut positional = Vec::with_capacity(call.terms.len());
    for term in &call.terms {
        positional.push(session.to_data(term)?);
    }
    let mut named = sasrun_model::Map::new();
    for (key, value) in &call.options {
        named.insert(
            sasrun_model::Key::Text(Arc::clone(key)),
            session.to_data(value)?,
        );
    }
    if let Some(reason) = positional
        .iter()
        .chain(named.values())
        .find_map(sasrun_model::Value::cannot_know)
    {
        return Err(Fault::unknown(reason));
    }
    let found = function(&positional, &named).map_err(|err| {
        Fault::problem(Problem::Lookup {
            name: name.to_owned(),
            message: err.message,
        })
    })?;
    session.iterate(&Val::from_data(&found))
}

impl Env {
    /// Directories in which files of a kind (`files`, `templates`, `vars`) are looked for, nearest first.
    pub(crate) fn search_path(&self, kind: &str) -> Eval<Vec<String>> {
        let session = self.session();
        let mut bases = Vec::new();
        match session.variable(&self.scope, "ansible_search_path")? {
            Some(paths) => {
                for path in session.iterate(&paths)? {
                    bases.push(session.text_of(&path)?);
                }
            }
            None => {
                for name in ["role_path", "playbook_dir"] {
                    if let Some(path) = session.variable(&self.scope, name)? {
                        bases.push(session.text_of(&path)?);
                    }
                }
            }
        }
        if bases.is_empty() {
            bases.push(".".to_owned());
        }
        let mut paths = Vec::with_capacity(bases.len() * 2);
        for base in bases {
            paths.push(format!("{base}/{kind}"));
            paths.push(base);
        }
        Ok(paths)
    }

    /// Finds a file of a kind as tasks do.
    pub(crate) fn find_file(&self, kind: &str, name: &str) -> Eval<Option<String>> {
        let world = self.session().world();
        let name = self.expand_home(name);
        if name.starts_with('/') {
            return Ok(world.path_kind(&name).map(|_| name.clone()));
        }
        Ok(self
            .search_path(kind)?
            .into_iter()
            .map(|directory| {
                if directory == "." {
                    name.clone()
                } else {
                    format!("{directory}/{name}")
                }
            })
            .find(|path| world.path_kind(path).is_some()))
    }

    /// The path with `~` replaced by the home directory.
    pub(crate) fn expand_home(&self, path: &str) -> String {
        match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                match self.session().world().env("HOME") {
                    Some(home) => format!("{}{rest}", home.trim_end_matches('/')),
                    None => path.to_owned(),
                }
            }
            _ => path.to_owned(),
        }
    }
}
