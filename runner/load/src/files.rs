//! Reading files, and finding them.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use sasrun_model::{FileId, Node, Span};

use crate::problem::Problem;
use crate::session::Session;
use crate::yaml::{self, bounds};
use crate::{codes, inventory, templates};

/// A file as it was read: its documents and its problems.
#[derive(Debug)]
pub(crate) struct ReadFile {
    pub(crate) file: FileId,
    pub(crate) documents: Vec<Node>,
    pub(crate) problems: Vec<Problem>,
    /// What the file was like, to see whether it changed.
    state: Option<(u64, SystemTime)>,
}

/// What a file holds, for whether its text can be templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Text that is rendered.
    Templates,
    /// Variables: text that is rendered, and that is a secret where the file was encrypted.
    Variables,
    /// Text that is only looked at.
    Data,
}

/// Text of a file, read as UTF-8.
pub(crate) struct ReadText {
    pub(crate) text: String,
    pub(crate) is_secret: bool,
}

/// Begin of every encrypted text.
const VAULT_MARK: &str = "$ANSIBLE_VAULT;";

impl Session<'_> {
    /// Reads the documents of a file. None when it cannot be read at all; the problem is noted.
    pub(crate) fn documents(
        &mut self,
        path: &Path,
        asked_at: Span,
        holds: Holds,
    ) -> Option<Arc<ReadFile>> {
        let state = std::fs::metadata(path)
            .ok()
            .and_then(|known| Some((known.len(), known.modified().ok()?)));
        let cached = self.loader.state().files.get(path).cloned();
        let read = match cached {
            Some(read) if read.state.is_some() && read.state == state => read,
            _ => {
                let text = self.text(path, asked_at)?;
                let mut read = self.compose(path, &text, holds);
                read.state = state;
                let read = Arc::new(read);
                let mut state = self.loader.state();
                state.files.insert(path.to_owned(), Arc::clone(&read));
                read
            }
        };
        for problem in &read.problems {
            self.problems.add(problem.clone());
        }
        Some(read)
    }

    /// Composes text that is a file's, without keeping it.
    pub(crate) fn compose(&self, path: &Path, read: &ReadText, holds: Holds) -> ReadFile {
        // The text of a secret file is not kept: excerpts of it must not be shown.
        let kept: Arc<str> = if read.is_secret {
            "".into()
        } else {
            read.text.as_str().into()
        };
        let file = self.loader.add_source(path, Arc::clone(&kept));
        let unseal = |text: &str| self.loader.unseal(text);
        let composed = yaml::compose(&read.text, file, &unseal);
        let composed = match composed.documents.is_empty() {
            // Some JSON is no YAML, such as that indented by tabs.
            true => {
                inventory::from_json(&read.text, file).map_or(composed, |document| yaml::Composed {
                    documents: vec![document],
                    problems: Vec::new(),
                })
            }
            false => composed,
        };
        let mut problems = composed.problems;
        if read.is_secret && holds == Holds::Variables {
            self.loader.hide(&composed.documents);
        }
        if let (true, Some(syntax)) = (holds != Holds::Data, &self.loader.syntax) {
            for document in &composed.documents {
                templates::check_all(&**syntax, document, &kept, &mut problems);
            }
        }
        ReadFile {
            file,
            documents: composed.documents,
            problems,
            state: None,
        }
    }

    /// Reads a file's text, decrypted if need be. None when it cannot be; the problem is noted.
    pub(crate) fn text(&mut self, path: &Path, asked_at: Span) -> Option<ReadText> {
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let span = self.span_for(path, asked_at);
                let message = format!("cannot read {}: {error}", path.display());
                self.add(Problem::error(codes::FILE, span, message));
                return None;
            }
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                self.not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to());
                return None;
            }
        };
        let text = match text.strip_prefix('\u{feff}') {
            Some(without_mark) => without_mark.to_owned(),
            None => text,
        };
        if !text.starts_with(VAULT_MARK) {
            return Some(ReadText {
                text,
                is_secret: false,
            });
        }
        match self.loader.open(&text) {
            Ok(text) => Some(ReadText {
                text,
                is_secret: true,
            }),
            Err(error) => {
                let span = self.whole_file(path);
                self.add(Problem::error(codes::VAULT, span, error.to_string()));
                None
            }
        }
    }

    fn not_utf8(&mut self, path: &Path, bytes: &[u8], valid_bytes: usize) {
        let before = bytes.get(..valid_bytes).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let lossy = String::from_utf8_lossy(bytes).into_owned();
        let last_line = before.rsplit(|byte| *byte == b'\n').next();
        let column = String::from_utf8_lossy(last_line.unwrap_or_default())
            .chars()
            .count();
        let file = self.loader.add_source(path, lossy.into());
        let span = Span {
            file,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        };
        self.add(Problem::error(
            codes::ENCODING,
            span,
            "this byte is not UTF-8 text",
        ));
    }

    /// A place for a problem with a file: where it was asked for, else the file itself.
    pub(crate) fn span_for(&mut self, path: &Path, asked_at: Span) -> Span {
        if asked_at.is_known() {
            return asked_at;
        }
        self.whole_file(path)
    }

    /// The span of a file as a whole, for files whose text is not to be shown.
    pub(crate) fn whole_file(&mut self, path: &Path) -> Span {
        let file = self.loader.add_source(path, "".into());
        Span {
            file,
            line: 0,
            column: 0,
        }
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let known = std::fs::metadata(path)?;
    if known.is_dir() {
        return Err(std::io::Error::other("it is a directory"));
    }
    if known.len() > bounds::FILE_BYTES {
        let bound = bounds::FILE_BYTES >> 20;
        return Err(std::io::Error::other(format!("it is over {bound} MiB")));
    }
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(bounds::FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The folder of a file, `.` for a bare name.
pub(crate) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Joins a path to the folder it is relative to, without `./` and `folder/../`, so that a file has
/// one name however it is reached.
pub(crate) fn join(directory: &Path, path: &str) -> PathBuf {
    let mut joined = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if ends_in_folder(&joined) => {
                joined.pop();
            }
            other => joined.push(other),
        }
    }
    joined
}

/// Whether a path ends in a name that `..` takes back: a link leads elsewhere.
fn ends_in_folder(path: &Path) -> bool {
    let is_name = matches!(path.components().next_back(), Some(Component::Normal(_)));
    is_name && !path.is_symlink()
}

/// The first of some paths that is a file.
pub(crate) fn first_file(candidates: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    candidates.into_iter().find(|path| path.is_file())
}

/// Names of the entries of a folder, sorted; none when it cannot be read.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
