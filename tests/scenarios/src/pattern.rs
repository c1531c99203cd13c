//! How a case names events: `WHAT [@HOST] [KEY=EXPRESSION]...`, for example `installer.component.begin @d1 component=^spin$`.
//!
//! `WHAT` may be a class (`class:effect`). A value is matched as its text, or as its JSON where it is no text.

use fancy_regex::Regex;
use saslab::events::{Class, Event};
use serde_json::Value;

/// Which events are meant.
#[derive(Debug, Clone)]
pub struct Pattern {
    what: String,
    host: Option<String>,
    details: Vec<(String, Regex)>,
}

/// Why a pattern is none.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("{0:?} names no event")]
    Empty(String),
    #[error("{word:?} is neither @HOST nor KEY=EXPRESSION")]
    Word { word: String },
    #[error("{word:?}: {source}")]
    Expression {
        word: String,
        source: Box<fancy_regex::Error>,
    },
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut words = text.split_whitespace();
        let what = words
            .next()
            .ok_or_else(|| PatternError::Empty(text.to_owned()))?
            .to_owned();
        let mut pattern = Self {
            what,
            host: None,
            details: Vec::new(),
        };
        for word in words {
            if let Some(host) = word.strip_prefix('@') {
                pattern.host = Some(host.to_owned());
            } else if let Some((key, expression)) = word.split_once('=') {
                let expression =
                    Regex::new(expression).map_err(|source| PatternError::Expression {
                        word: word.to_owned(),
                        source: Box::new(source),
                    })?;
                pattern.details.push((key.to_owned(), expression));
            } else {
                return Err(PatternError::Word {
                    word: word.to_owned(),
                });
            }
        }
        Ok(pattern)
    }

    /// Whether the event is meant.
    pub fn matches(&self, event: &Event) -> bool {
        let is_named = match self.what.strip_prefix("class:") {
            Some("effect") => event.class == Class::Effect,
            Some("attempt") => event.class == Class::Attempt,
            Some("read") => event.class == Class::Read,
            Some(_) => false,
            None => event.what == self.what,
        };
        is_named
            && self.host.as_ref().is_none_or(|host| *host == event.host)
            && self.details.iter().all(|(key, expression)| {
                let value = match event.details.get(key) {
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => return false,
                };
                expression.is_match(&value).unwrap_or(false)
            })
    }

    /// How many of the events are meant.
    pub fn count(&self, events: &[Event]) -> usize {
        events.iter().filter(|event| self.matches(event)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        serde_json::from_str(
            r#"{"seq":1,"at_ms":0,"host":"d1","class":"effect","what":"opsware-sas.stop","argv":["stop","spin"],"stage":"begin"}"#,
        )
        .unwrap()
    }

    #[test]
    fn an_event_is_meant_by_its_name_its_host_and_its_details() {
        let cases = [
            ("opsware-sas.stop", true),
            ("opsware-sas.stop @d1 stage=begin", true),
            ("opsware-sas.stop @s1", false),
            ("opsware-sas.stop argv=\\[\"stop\"\\]", false),
            ("opsware-sas.stop argv=\"spin\"", true),
            ("opsware-sas.stop none=.", false),
            ("class:effect", true),
            ("class:attempt", false),
        ];
        for (pattern, wanted) in cases {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(&event()),
                wanted,
                "{pattern}"
            );
        }
        for wrong in ["", "x y", "x a=("] {
            Pattern::parse(wrong).unwrap_err();
        }
    }
}
