//! What a run left behind.

use std::time::Duration;

use serde_json::Value;

/// A run that ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; none when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// What `--events` wrote.
    pub events: Vec<Value>,
    pub took: Duration,
}

impl Ended {
    /// Ends the test unless the exit code is this.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.said());
        self
    }

    /// Ends the test unless the text was said, on either stream.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.has_said(text),
            "nothing says {text:?}\n{}",
            self.said()
        );
        self
    }

    /// Ends the test if the text was said.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Self {
        assert!(!self.has_said(text), "it says {text:?}\n{}", self.said());
        self
    }

    /// Whether the text was said, on either stream.
    pub fn has_said(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }

    /// All that was said, for messages.
    pub fn said(&self) -> String {
        format!(
            "exit {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.code,
            shortened(&self.stdout),
            shortened(&self.stderr)
        )
    }
}

/// The beginning and the end of a long text.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    if lines.len() <= 2 * SHOWN {
        return lines.join("\n");
    }
    let (first, last) = (&lines[..SHOWN], &lines[lines.len() - SHOWN..]);
    format!("{}\n[…]\n{}", first.join("\n"), last.join("\n"))
}
