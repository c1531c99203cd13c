//! What is wrong with the user's files, said so that it can be mended.

use serde::{Deserialize, Serialize};

/// Stable code of a kind of problem, such as `E021`; documented on one page.
pub type Code = &'static str;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Refuses the run.
    Error,
    /// Told once, and the run goes on.
    Warning,
}

/// A place in a file, with the line it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path as the user would write it.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Text of the line.
    pub excerpt: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// One problem of the user's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind.
    pub code: Code,
    /// What is wrong: a fragment in lower case, no full stop.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Other places that belong to it, each with a word on why.
    pub related: Vec<(Place, String)>,
    /// The way out.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: Code, message: impl Into<String>, place: Option<Place>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            place,
            related: Vec::new(),
            hint: None,
        }
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>, place: Option<Place>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message, place)
        }
    }

    /// Adds the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{} [{}]", self.message, self.code)
    }
}
