//! What became of one row: the verdict, and what is said with it.

use serde_json::{Value, json};

/// The verdict on one row, the best first: of several servers the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    NotApplicable,
    Match,
    NotChecked,
    Indeterminate,
    Missing,
    Mismatch,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::Match => "match",
            Self::NotChecked => "not_checked",
            Self::Indeterminate => "indeterminate",
            Self::Missing => "missing_in_response",
            Self::Mismatch => "mismatch",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        [
            Self::NotApplicable,
            Self::Match,
            Self::NotChecked,
            Self::Indeterminate,
            Self::Missing,
            Self::Mismatch,
        ]
        .into_iter()
        .find(|verdict| verdict.word() == word)
    }
}

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    pub(super) finding: String,
    pub(super) reason: String,
}

impl Judgement {
    pub(super) fn of(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            verdict,
            finding: String::new(),
            reason: reason.into(),
        }
    }

    pub(super) fn matches() -> Self {
        Self::of(Verdict::Match, "")
    }

    pub(super) fn finding(mut self, finding: &str) -> Self {
        finding.clone_into(&mut self.finding);
        self
    }

    pub(super) fn shown(&self, id: &str) -> Value {
        json!({"id": id, "verdict": self.verdict.word(), "finding": self.finding, "reason": self.reason})
    }
}
