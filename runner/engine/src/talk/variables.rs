//! Files of variables that a task loads: found, read, and kept as they are written.
//!
//! The module sees them as data; the host keeps them as nodes, so that their templates are
//! resolved only when they are looked at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sasrun_model::{Entry, KeptEffect, Name, Node, NodeKind, Value, Variables};
use sasrun_plugin::{Answer, FileKind, Object, SearchIn};

use super::{Talking, refused};
use crate::looking::Looking;
use crate::task::{HostRun, unrendered};
use crate::variables::{TaskScope, absolute};

impl Talking<'_> {
    pub(super) fn load_variables(&self, options: &Object) -> Answer {
        match self.variable_files(options) {
            Ok(files) => self.loaded(&files, merges(options)),
            Err(message) => refused("not_found", message),
        }
    }

    /// The file that the options name, or those of the directory, in order.
    fn variable_files(&self, options: &Object) -> Result<Vec<PathBuf>, String> {
        let text = |key: &str| options.get(key).and_then(serde_json::Value::as_str);
        let files = &self.host_run.run.files;
        let find = |name: &str| files.find(name, SearchIn::Vars, &self.within());
        if let Some(name) = text("file").or_else(|| text("_raw_params")) {
            return find(name).map(|path| vec![path]);
        }
        let Some(name) = text("dir") else {
            return Err("include_vars needs a file or a directory".to_owned());
        };
        let folder = find(name).map_err(|_| format!("{name} directory does not exist"))?;
        let described = files.describe(&folder, None)?;
        if !described.is_directory {
            return Err(format!("{} is not a directory", folder.display()));
        }
        let choice = Choice::of(self, options)?;
        let mut found = Vec::new();
        for entry in &described.entries {
            if entry.kind != FileKind::Directory && choice.takes(&entry.path)? {
                found.push(folder.join(&entry.path));
            }
        }
        found.sort_by_key(|path| (path.components().count(), path.clone()));
        Ok(found)
    }

    fn loaded(&self, files: &[PathBuf], merges: bool) -> Answer {
        let all = match learn_files(self.host_run, &self.scope, files, merges) {
            Ok(all) => all,
            Err(message) => return refused("other", message),
        };
        self.host_run.keep(KeptEffect::Files {
            paths: files.to_vec(),
            merged: merges,
        });
        let shown: Object = all
            .iter()
            .map(|(name, node)| (name.to_string(), (&unrendered(node)).into()))
            .collect();
        let names: Vec<String> = files
            .iter()
            .map(|path| absolute(path).display().to_string())
            .collect();
        let sealed = |path: &PathBuf| {
            let described = self.host_run.run.files.describe(path, None);
            described.is_ok_and(|file| file.is_vaulted)
        };
        let is_sealed = files.iter().any(sealed);
        Answer::Value {
            value: serde_json::json!({
                "variables": shown,
                "files": names,
                "is_sealed": is_sealed,
            }),
        }
    }
}

/// Reads files of variables, and keeps them at the host for the effect that names them.
pub(crate) fn learn_files(
    host_run: &HostRun<'_>,
    scope: &Arc<TaskScope>,
    files: &[PathBuf],
    merges: bool,
) -> Result<Arc<Variables>, String> {
    let mut all = Variables::new();
    for path in files {
        let written = host_run.run.files.load_variables(path);
        all.extend(written.map_err(|problems| {
            let all = problems.iter().map(ToString::to_string);
            all.collect::<Vec<_>>().join("\n")
        })?);
    }
    if merges {
        merge_into_known(host_run, scope, &mut all);
    }
    let all = Arc::new(all);
    let shared = &host_run.run.shared;
    shared.change_host(host_run.host, |learnt| learnt.loaded = Arc::clone(&all));
    Ok(all)
}

/// Lays dictionaries over those that the host has under the same names.
fn merge_into_known(host_run: &HostRun<'_>, scope: &Arc<TaskScope>, all: &mut Variables) {
    let scope: Arc<dyn sasrun_template::Scope> = Arc::clone(scope) as _;
    for (name, node) in all.iter_mut() {
        let known = host_run.run.templates.variable(name, &scope);
        if let (Ok(Some(known @ Value::Map(_))), NodeKind::Map(_)) = (known, &node.kind) {
            *node = Arc::new(merged(&known, node));
        }
    }
}

fn merges(options: &Object) -> bool {
    options.get("hash_behaviour").and_then(|v| v.as_str()) == Some("merge")
}

/// A written mapping over a known one; mappings inside both are merged too.
fn merged(known: &Value, over: &Node) -> Node {
    let (Value::Map(known), NodeKind::Map(written)) = (known, &over.kind) else {
        return over.clone();
    };
    let key_of = |entry: &Entry| entry.key.as_str().map(str::to_owned);
    let mut entries: Vec<Entry> = Vec::new();
    for (key, value) in known.iter() {
        let key = key.to_string();
        let replaced = written.iter().find(|e| key_of(e).as_deref() == Some(&*key));
        let value = match replaced {
            Some(entry) => merged(value, &entry.value),
            None => Node::data(value.clone()),
        };
        entries.push(Entry {
            key: Node::data(key.into()),
            value,
        });
    }
    let is_new = |entry: &&Entry| {
        let key = key_of(entry);
        key.is_none_or(|key| !known.iter().any(|(known, _)| known.to_string() == key))
    };
    entries.extend(written.iter().filter(is_new).cloned());
    Node {
        span: over.span,
        kind: NodeKind::Map(entries),
    }
}

/// Which files of a directory are taken.
struct Choice<'a> {
    talking: &'a Talking<'a>,
    depth: u64,
    extensions: Vec<String>,
    skips_unknown: bool,
    matching: Option<String>,
    ignored: Vec<String>,
}

impl<'a> Choice<'a> {
    fn of(talking: &'a Talking<'a>, options: &Object) -> Result<Self, String> {
        let list = |key: &str| match options.get(key) {
            Some(serde_json::Value::Array(items)) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Some(serde_json::Value::String(text)) => {
                text.split_whitespace().map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        let text = |key: &str| options.get(key).and_then(|value| value.as_str());
        Ok(Self {
            talking,
            depth: options.get("depth").and_then(|v| v.as_u64()).unwrap_or(0),
            extensions: list("extensions"),
            skips_unknown: options
                .get("ignore_unknown_extensions")
                .and_then(|value| value.as_bool())
                .unwrap_or(false),
            matching: text("files_matching").map(str::to_owned),
            ignored: list("ignore_files"),
        })
    }

    fn takes(&self, inside: &str) -> Result<bool, String> {
        let path = Path::new(inside);
        let deep = u64::try_from(path.components().count()).unwrap_or(u64::MAX);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if self.depth > 0 && deep > self.depth || name.starts_with('.') || name.ends_with('~') {
            return Ok(false);
        }
        if let Some(pattern) = &self.matching
            && !self.matches(&name, pattern)?
        {
            return Ok(false);
        }
        for pattern in &self.ignored {
            if self.matches(&name, &format!("{pattern}$"))? {
                return Ok(false);
            }
        }
        let end = path.extension().unwrap_or_default().to_string_lossy();
        let is_known = self.extensions.iter().any(|known| *known == end);
        if is_known || self.skips_unknown {
            return Ok(is_known);
        }
        Err(format!(
            "{inside} does not have a valid extension: {}",
            self.extensions.join(", ")
        ))
    }

    /// Whether a regular expression matches at any place of a name.
    fn matches(&self, name: &str, pattern: &str) -> Result<bool, String> {
        let locals = [("name", name), ("pattern", pattern)]
            .map(|(key, value)| (Name::from(key), Value::from(value)));
        let scope: Arc<dyn sasrun_template::Scope> = Arc::new(self.talking.scope.with(locals));
        let templates = &self.talking.host_run.run.templates;
        let truth = templates.expression("name is search(pattern)", &scope);
        let truth = truth.map_err(|error| format!("Invalid regular expression: {error}"))?;
        Ok(truth.is_true())
    }
}
