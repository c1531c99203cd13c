//! Problems as they are found: by span, turned into diagnostics when all are known.

use std::ops::Range;

use sasrun_model::{Code, Diagnostic, Severity, Sources, Span};

/// One problem of the user's files, before its place is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) span: Span,
    pub(crate) related: Vec<(Span, String)>,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            related: Vec::new(),
            hint: None,
        }
    }

    pub(crate) fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds `did you mean` where a near name is known.
    #[must_use]
    pub(crate) fn meant(mut self, near: Option<&str>) -> Self {
        if let Some(near) = near {
            self.hint = Some(format!("did you mean `{near}`?"));
        }
        self
    }

    #[must_use]
    pub(crate) fn related(mut self, span: Span, why: impl Into<String>) -> Self {
        self.related.push((span, why.into()));
        self
    }

    pub(crate) fn into_diagnostic(self, sources: &Sources) -> Diagnostic {
        // A file without a line is still worth naming.
        let place = sources.place(self.span).or_else(|| {
            let file = sources.file(self.span.file)?;
            Some(sasrun_model::Place {
                path: file.path.display().to_string(),
                line: 1,
                column: 1,
                excerpt: file.text.lines().next().unwrap_or_default().to_owned(),
            })
        });
        Diagnostic {
            severity: self.severity,
            code: self.code,
            message: self.message,
            place,
            related: self
                .related
                .into_iter()
                .filter_map(|(span, why)| Some((sources.place(span)?, why)))
                .collect(),
            hint: self.hint,
        }
    }
}

/// Problems in the order they were found, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    pub(crate) fn add(&mut self, problem: Problem) {
        // A file that is used twice has its problems once.
        if !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    /// Makes warnings of the errors from the given one on: what they are in may never be reached.
    pub(crate) fn soften_since(&mut self, mark: usize) {
        self.soften_among(mark..self.found.len());
    }

    /// Whether there are errors from the given one on.
    pub(crate) fn has_errors_since(&self, mark: usize) -> bool {
        let mut since = self.found.iter().skip(mark);
        since.any(|problem| problem.severity == Severity::Error)
    }

    /// Codes of the errors among the given problems.
    pub(crate) fn codes_among(&self, among: Range<usize>) -> impl Iterator<Item = Code> {
        let among = self.found.get(among).unwrap_or_default();
        among
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .map(|problem| problem.code)
    }

    /// Makes warnings of the errors among the given problems.
    pub(crate) fn soften_among(&mut self, among: Range<usize>) {
        for problem in self.found.get_mut(among).into_iter().flatten() {
            problem.severity = Severity::Warning;
        }
    }

    pub(crate) fn mark(&self) -> usize {
        self.found.len()
    }

    /// Diagnostics by file and line, so that neighbours stand together.
    pub(crate) fn into_diagnostics(self, sources: &Sources) -> Vec<Diagnostic> {
        let mut found = self.found;
        found.sort_by_key(|problem| problem.span);
        found
            .into_iter()
            .map(|problem| problem.into_diagnostic(sources))
            .collect()
    }
}
