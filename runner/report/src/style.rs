//! Colours of the terminal report. Plain when piped.

/// Whether and how text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences are written at all.
    pub is_coloured: bool,
    /// Width of the terminal in columns.
    pub columns: usize,
    /// Whether a person looks at it; what is piped never depends on a width.
    pub is_terminal: bool,
}

/// What a text means; the colour follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
    CannotKnow,
    Warning,
    Added,
    Removed,
    Heading,
    Quiet,
}

impl Style {
    pub(crate) fn paint(self, meaning: Meaning, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let code = match meaning {
            Meaning::Ok | Meaning::Added => "32",
            Meaning::Changed => "33",
            Meaning::Skipped => "36",
            Meaning::Failed | Meaning::Removed => "31",
            Meaning::Unreachable => "1;31",
            Meaning::CannotKnow | Meaning::Warning => "35",
            Meaning::Heading => "1",
            Meaning::Quiet => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
