//! Where the output of statements goes.

use crate::eval::Session;
use crate::values::{Eval, Val};

/// Collects output. A native sink that receives one value keeps it as it is; more become text.
pub(crate) struct Sink {
    state: State,
}

enum State {
    Empty,
    One(Val),
    Many(String),
}

impl Sink {
    /// Whether nothing was put out.
    pub(crate) fn is_untouched(&self) -> bool {
        matches!(self.state, State::Empty)
    }

    /// A sink that keeps the type of a lone value.
    pub(crate) fn native() -> Self {
        Self {
            state: State::Empty,
        }
    }

    /// A sink that makes text.
    pub(crate) fn text() -> Self {
        Self {
            state: State::Many(String::new()),
        }
    }

    pub(crate) fn push(&mut self, session: &Session, value: Val) -> Eval<()> {
        value.known()?;
        if matches!(value, Val::Null) {
            return Ok(());
        }
        self.state = match std::mem::replace(&mut self.state, State::Empty) {
            State::Empty => State::One(value),
            State::One(first) => {
                let mut text = session.text_of(&session.finalized(&first)?)?;
                session.write_text(&session.finalized(&value)?, &mut text)?;
                State::Many(text)
            }
            State::Many(mut text) => {
                session.write_text(&session.finalized(&value)?, &mut text)?;
                State::Many(text)
            }
        };
        Ok(())
    }

    /// What was collected; nothing at all is null for a native sink.
    pub(crate) fn finish(self) -> Val {
        match self.state {
            State::Empty => Val::Null,
            State::One(value) => value,
            State::Many(text) => Val::from(text),
        }
    }

    pub(crate) fn into_text(self, session: &Session) -> Eval<String> {
        match self.state {
            State::Empty => Ok(String::new()),
            State::One(value) => session.text_of(&session.finalized(&value)?),
            State::Many(text) => Ok(text),
        }
    }
}

impl Session {
    /// The value as it may stand in a result: tuples become lists, and what is omitted is left out of containers.
    fn finalized(&self, value: &Val) -> Eval {
        Ok(match value {
            Val::Seq(_) => {
                let mut items = Vec::new();
                for item in self.iterate(value)? {
                    if !matches!(item, Val::Omit) {
                        items.push(self.finalized(&item)?);
                    }
                }
                Val::list(items)
            }
            Val::Dict(_) => {
                let mut entries = indexmap::IndexMap::new();
                for (key, item) in self.entries(value)? {
                    if !matches!(item, Val::Omit) {
                        entries.insert(key, self.finalized(&item)?);
                    }
                }
                Val::dict(entries)
            }
            other => other.clone(),
        })
    }
}
