//! One call of the loader: it collects problems until all is read.

use std::sync::Arc;

use sasrun_model::{Diagnostic, Node, Severity, Span};

use crate::codes;
use crate::loader::Loader;
use crate::problem::{Problem, Problems};

pub(crate) struct Session<'l> {
    pub(crate) loader: &'l Loader,
    pub(crate) problems: Problems,
}

impl<'l> Session<'l> {
    pub(crate) fn new(loader: &'l Loader) -> Self {
        Self {
            loader,
            problems: Problems::default(),
        }
    }

    pub(crate) fn add(&mut self, problem: Problem) {
        self.problems.add(problem);
    }

    /// Notes that a value has the wrong kind.
    pub(crate) fn wrong_kind(&mut self, node: &Node, of: &str, expected: &str) {
        let message = format!("{of} takes {expected}, not {}", node.kind_name());
        self.add(Problem::error(codes::SHAPE, node.span, message));
    }

    /// Text of the file that a span is in; empty when it is not kept.
    pub(crate) fn source_of(&self, span: Span) -> Arc<str> {
        let state = self.loader.state();
        let file = state.sources.file(span.file);
        file.map(|file| Arc::clone(&file.text)).unwrap_or_default()
    }

    /// What was loaded, unless there are errors. Warnings go to the loader.
    pub(crate) fn finish<T>(self, loaded: T) -> Result<T, Vec<Diagnostic>> {
        let is_refused = self.problems.has_errors();
        let mut state = self.loader.state();
        let all = self.problems.into_diagnostics(&state.sources);
        let (errors, warnings): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|found| found.severity == Severity::Error);
        for warning in warnings {
            if !state.warnings.contains(&warning) {
                state.warnings.push(warning);
            }
        }
        if is_refused { Err(errors) } else { Ok(loaded) }
    }
}
