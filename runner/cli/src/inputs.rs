//! Files that a run uses, each with its hash: what a resumed run must find unchanged.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sasrun_load::Loader;
use sasrun_model::{Input, InputKind};
use sha2::{Digest, Sha256};

/// Collects the files that were used, each once.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    playbooks: Vec<PathBuf>,
    inventories: Vec<PathBuf>,
    seen: HashSet<PathBuf>,
    /// How many of the loader's files were looked at.
    loaded: usize,
    new: Vec<Input>,
}

impl Inputs {
    /// A collection that knows which files are playbooks and inventories.
    pub(crate) fn new(playbooks: &[PathBuf], inventories: &[String]) -> Self {
        let state = State {
            playbooks: playbooks.iter().map(|path| absolute(path)).collect(),
            inventories: inventories
                .iter()
                .map(|source| absolute(Path::new(source)))
                .collect(),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes plugins, whose hashes are known.
    pub(crate) fn plugins(&self, hashes: &BTreeMap<String, String>) {
        let mut state = self.state();
        for (path, sha256) in hashes {
            if state.seen.insert(PathBuf::from(path)) {
                state.new.push(Input {
                    kind: InputKind::Plugin,
                    path: path.clone(),
                    sha256: sha256.clone(),
                });
            }
        }
    }

    /// Notes what the loader read since this was called last.
    pub(crate) fn loaded(&self, loader: &Loader) {
        let sources = loader.sources();
        let mut state = self.state();
        let new = sources.files().get(state.loaded..).unwrap_or_default();
        let paths: Vec<PathBuf> = new.iter().map(|file| absolute(&file.path)).collect();
        state.loaded = sources.files().len();
        for path in paths {
            let kind = state.kind_of(&path);
            state.note(kind, path);
        }
        // Inventories that are programs are not read, and their folders not named.
        for path in state.inventories.clone() {
            state.note(InputKind::Inventory, path);
        }
    }

    /// Notes a file or folder that is about to be used.
    pub(crate) fn used(&self, kind: InputKind, path: &Path) {
        self.state().note(kind, absolute(path));
    }

    /// Notes that the run itself wrote a file: from now on it is what was written.
    pub(crate) fn written(&self, path: &Path) {
        let path = absolute(path);
        let mut state = self.state();
        if state.seen.remove(&path) {
            state.note(InputKind::File, path);
        }
    }

    /// Drops what is new and known already, unchanged.
    pub(crate) fn forget_known(&self, known: &[Input]) {
        self.state().new.retain(|input| !known.contains(input));
    }

    /// Takes what is new since the last call.
    pub(crate) fn take_new(&self) -> Vec<Input> {
        std::mem::take(&mut self.state().new)
    }
}

impl State {
    fn note(&mut self, kind: InputKind, path: PathBuf) {
        if self.seen.contains(&path) {
            return;
        }
        // What is no file, such as hosts separated by commas, has no content that could change.
        if let Ok(sha256) = sha256_of(&path) {
            self.new.push(Input {
                kind,
                path: path.display().to_string(),
                sha256,
            });
        }
        self.seen.insert(path);
    }

    fn kind_of(&self, path: &Path) -> InputKind {
        let is_below = |folder: &str| {
            path.parent()
                .into_iter()
                .flat_map(Path::components)
                .any(|part| part == Component::Normal(folder.as_ref()))
        };
        if self.playbooks.iter().any(|playbook| playbook == path) {
            InputKind::Playbook
        } else if is_below("roles") {
            InputKind::Role
        } else if ["group_vars", "host_vars", "vars"]
            .into_iter()
            .any(is_below)
        {
            InputKind::Variables
        } else if self.inventories.iter().any(|from| path.starts_with(from)) {
            InputKind::Inventory
        } else if is_below("tasks") || is_below("handlers") {
            InputKind::Tasks
        } else if path
            .extension()
            .is_none_or(|ending| ending != "yml" && ending != "yaml")
        {
            InputKind::Variables
        } else {
            InputKind::Tasks
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Hash of a file's content, or of the list of all files below a folder with theirs.
pub(crate) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    if path.is_dir() {
        below(path, Path::new(""), &mut hasher)?;
    } else {
        io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    }
    let digits = hasher.finalize();
    Ok(digits.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn below(root: &Path, inside: &Path, hasher: &mut Sha256) -> io::Result<()> {
    let mut names: Vec<_> = std::fs::read_dir(root.join(inside))?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort();
    for name in names {
        let relative = inside.join(&name);
        let whole = root.join(&relative);
        let known = std::fs::symlink_metadata(&whole)?;
        let content = if known.is_dir() {
            "folder".to_owned()
        } else if known.is_symlink() {
            format!("link {}", std::fs::read_link(&whole)?.display())
        } else if known.is_file() {
            sha256_of(&whole)?
        } else {
            "special".to_owned()
        };
        hasher.update(relative.as_os_str().as_encoded_bytes());
        hasher.update([0]);
        hasher.update(content.as_bytes());
        hasher.update([0]);
        if known.is_dir() {
            below(root, &relative, hasher)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_once_and_with_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "abc").unwrap();
        let inputs = Inputs::default();
        inputs.used(InputKind::File, &path);
        inputs.used(InputKind::File, &path);
        inputs.used(InputKind::File, &folder.path().join("none"));
        let new = inputs.take_new();
        let [one] = new.as_slice() else {
            panic!("{new:?}");
        };
        assert!(one.sha256.starts_with("ba7816bf8f01cfea"), "{}", one.sha256);
        assert_eq!(inputs.take_new(), []);
    }

    #[test]
    fn a_change_anywhere_below_a_folder_is_another_hash() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let path = folder.path().join("in/a");
        std::fs::write(&path, "abc").unwrap();
        let before = sha256_of(folder.path()).unwrap();
        assert_eq!(sha256_of(folder.path()).unwrap(), before);
        std::fs::write(&path, "abd").unwrap();
        assert_ne!(sha256_of(folder.path()).unwrap(), before);
    }
}
