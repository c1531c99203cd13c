//! `vars_files` of a play: which files they name, and what is in them.
//!
//! Names without templates are the same for all hosts and read when the play begins. As soon as one
//! is a template, they are looked for again for each host whenever a task looks at variables, for a
//! name may hang on facts that the host has learnt since. An entry that looks at something not there
//! yet is left out until the host's facts are known.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use sasrun_model::{EventKind, Name, Node, NodeKind, Play, Value, Variables};
use sasrun_template::Scope;

use super::Run;
use super::play::PlayRun;
use crate::variables::{PlayVariables, ScopeParts, TaskScope};

/// What hosts see of files whose names are templates.
#[derive(Debug, Default)]
pub(super) struct FilesOfHosts {
    read: RefCell<HashMap<PathBuf, Arc<Variables>>>,
    chosen: RefCell<HashMap<Name, Chosen>>,
    /// What was told of files that are not there.
    missing: RefCell<HashSet<String>>,
}

/// The files that a host came to, and the play's variables with what is in them.
#[derive(Debug, Clone)]
struct Chosen {
    paths: Vec<PathBuf>,
    base: Arc<PlayVariables>,
    seen: Arc<PlayVariables>,
}

impl Run {
    /// Reads the files of a play whose names are the same for all hosts.
    pub(super) fn common_files(&self, play: &Play) -> Result<Variables, String> {
        let mut files = Variables::new();
        if play.vars_files.iter().all(Node::is_static) {
            for node in &play.vars_files {
                let named = node.to_static_value().unwrap_or(Value::Null);
                let path = found(play, &candidates(named))?;
                files.extend(self.variables_in(&path)?);
            }
        }
        Ok(files)
    }

    fn variables_in(&self, path: &std::path::Path) -> Result<Variables, String> {
        self.files.load_variables(path).map_err(|problems| {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            all.join("\n")
        })
    }
}

impl PlayRun {
    /// What tasks of a host see of the play.
    ///
    /// # Errors
    /// A file cannot be read, or its name looks at something undefined though the host's facts are
    /// known.
    pub(crate) fn variables_of(
        &self,
        run: &Run,
        host: &Name,
    ) -> Result<Arc<PlayVariables>, String> {
        let base = self.variables();
        if self.play.vars_files.iter().all(Node::is_static) {
            return Ok(base);
        }
        let mut seen = Arc::clone(&base);
        let mut paths = Vec::new();
        for node in &self.play.vars_files {
            let Some(path) = self.path_of(run, host, node, &seen)? else {
                continue;
            };
            let read = self.read(run, &path)?;
            let more = Arc::make_mut(&mut seen);
            more.files.extend((*read).clone());
            paths.push(path);
        }
        let mut chosen = self.files_of_hosts.chosen.borrow_mut();
        if let Some(known) = chosen.get(host)
            && known.paths == paths
            && Arc::ptr_eq(&known.base, &base)
        {
            return Ok(Arc::clone(&known.seen));
        }
        let now = Chosen {
            paths,
            base,
            seen: Arc::clone(&seen),
        };
        chosen.insert(Arc::clone(host), now);
        Ok(seen)
    }

    /// The file that an entry names for a host; none as long as that cannot be told.
    fn path_of(
        &self,
        run: &Run,
        host: &Name,
        node: &Node,
        seen: &Arc<PlayVariables>,
    ) -> Result<Option<PathBuf>, String> {
        let scope: Arc<dyn Scope> = Arc::new(TaskScope::new(ScopeParts {
            shared: Arc::clone(&run.shared),
            play: self.facts(),
            play_variables: Arc::clone(seen),
            level: Some(Arc::clone(&self.level)),
            task: None,
            host: Arc::clone(host),
        }));
        let entries = match &node.kind {
            NodeKind::List(entries) => entries.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut names = Vec::new();
        for entry in entries {
            match run.templates.resolve(entry, &scope) {
                Ok(value) => names.extend(candidates(value)),
                Err(error) if error.is_undefined() && run.shared.host(host).facts.is_empty() => {
                    return Ok(None);
                }
                Err(error) => return Err(format!("vars_files: {error}")),
            }
            if let Ok(path) = found(&self.play, &names) {
                return Ok(Some(path));
            }
        }
        // As in Ansible, the play goes on without; here it is told.
        let missing = format!("vars_files: there is no {}", names.join(", "));
        if self
            .files_of_hosts
            .missing
            .borrow_mut()
            .insert(missing.clone())
        {
            run.dispatcher
                .emit(EventKind::Warning { sentence: missing });
        }
        Ok(None)
    }

    fn read(&self, run: &Run, path: &PathBuf) -> Result<Arc<Variables>, String> {
        if let Some(known) = self.files_of_hosts.read.borrow().get(path) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(run.variables_in(path)?);
        let mut all = self.files_of_hosts.read.borrow_mut();
        all.insert(path.clone(), Arc::clone(&read));
        Ok(read)
    }
}

/// Names in the order in which they are tried.
fn candidates(named: Value) -> Vec<String> {
    let texts = |values: &[Value]| {
        let texts = values.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    match named {
        Value::List(names) => texts(&names),
        one => texts(&[one]),
    }
}

/// The first of some names that is there: in `vars/` first, then beside the playbook, as Ansible
/// searches.
fn found(play: &Play, names: &[String]) -> Result<PathBuf, String> {
    let paths = names.iter().flat_map(|name| {
        [
            play.directory.join("vars").join(name),
            play.directory.join(name),
        ]
    });
    let mut paths = paths.filter(|path| path.exists());
    paths.next().ok_or_else(|| {
        let names = names.join(", ");
        format!("none of these variable files is there: {names}")
    })
}
