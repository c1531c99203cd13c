//! Where things stand in the user's files.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Place;

/// Number of a file in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u32);

/// The place of a value: file, line and column, both counted from 1 (in characters). Line 0 means
/// that the value has no place, such as one made by the runner itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl Span {
    /// Whether the span names a place at all.
    pub fn is_known(self) -> bool {
        self.line > 0
    }
}

/// One file of the user's, as it was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path as the user would write it.
    pub path: PathBuf,
    /// Its text; empty for files that hold secrets.
    pub text: Arc<str>,
}

/// Every file that was read, so that spans can be shown.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Adds a file and gives its number.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile {
            path: path.into(),
            text: text.into(),
        });
        id
    }

    /// Finds a file by its number.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files, in the order they were read.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Turns a span into a place that can be shown without the sources. None for a span that names
    /// none.
    pub fn place(&self, span: Span) -> Option<Place> {
        let file = self.file(span.file).filter(|_| span.is_known())?;
        let line_text = file
            .text
            .lines()
            .nth(span.line as usize - 1)
            .unwrap_or_default();
        Some(Place {
            path: file.path.display().to_string(),
            line: span.line,
            column: span.column,
            excerpt: line_text.to_owned(),
        })
    }
}
