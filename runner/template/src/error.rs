//! What can be wrong with a template, with its place inside the template's text.

use std::sync::Arc;

use sasrun_model::Name;

/// What kind of mistake a template text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxKind {
    /// The text cannot be read.
    Syntax,
    /// A filter that nobody offers.
    UnknownFilter,
    /// A test that nobody offers.
    UnknownTest,
}

/// A mistake in the text of a template, found without evaluating it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxProblem {
    /// Its kind.
    pub kind: SyntaxKind,
    /// What is wrong: a fragment in lower case.
    pub message: String,
    /// Line inside the template text, from 1.
    pub line: u32,
    /// Column inside that line, from 1, in characters.
    pub column: u32,
}

/// A place inside a template text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// Name of the template, where it has one (a template file).
    pub template: Option<Name>,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Text of that line.
    pub excerpt: String,
}

/// Why a template gave no value.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateError {
    /// What went wrong.
    pub problem: Problem,
    /// Where in the innermost template.
    pub at: Option<Box<At>>,
    /// Variables through which the template was reached, outermost first.
    pub through: Vec<Name>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A variable, attribute or item that is not there was used.
    #[error("{message}{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
    Undefined {
        /// Name of what is missing.
        name: String,
        /// Sentence that says so.
        message: String,
        /// Near names.
        hint: Option<String>,
    },
    /// The text cannot be read.
    #[error("{0}")]
    Syntax(SyntaxProblem),
    /// A filter refused its input.
    #[error("filter {name}: {message}")]
    Filter {
        /// The filter.
        name: String,
        /// Why.
        message: String,
    },
    /// A test refused its input.
    #[error("test {name}: {message}")]
    Test {
        /// The test.
        name: String,
        /// Why.
        message: String,
    },
    /// A lookup failed.
    #[error("lookup {name}: {message}")]
    Lookup {
        /// The lookup.
        name: String,
        /// Why.
        message: String,
    },
    /// An operator, call or method was given what it cannot use.
    #[error("{0}")]
    Operation(String),
    /// A variable is defined by itself.
    #[error("variable is defined by itself: {}", .0.iter().map(|name| &**name).collect::<Vec<_>>().join(" -> "))]
    Cycle(Vec<Name>),
    /// The result depends on a value that cannot be known now.
    #[error("cannot know: {0}")]
    CannotKnow(Arc<str>),
    /// The author demanded a value (`mandatory`, `undef`), or a condition has no truth value.
    #[error("{0}")]
    Refused(String),
    /// The template works longer or makes more than is allowed.
    #[error("template takes too many steps or makes too much text")]
    TooMuch,
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)?;
        if let Some((last, rest)) = self.through.split_last() {
            write!(f, " (in variable {last}")?;
            for name in rest.iter().rev() {
                write!(f, ", of {name}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateError {}

impl TemplateError {
    /// Whether the only reason is a value that cannot be known.
    pub fn cannot_know(&self) -> Option<&Arc<str>> {
        match &self.problem {
            Problem::CannotKnow(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether something was undefined.
    pub fn is_undefined(&self) -> bool {
        matches!(self.problem, Problem::Undefined { .. })
    }
}
