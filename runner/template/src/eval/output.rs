//! Where the output of statements goes.

use crate::eval::Session;
use crate::values::{Eval, Val};

/// Collects output. A native sink that receives one value keeps it as it is; more become text.
pub(crate) struct Sink {
    state: State,
    native: bool,
}

enum State {
    Empty,
    One(Val),
    Many(String),
}

impl Sink {
    /// A sink that keeps the type of a lone value.
    pub(crate) fn native() -> Self {
        Self {
            state: State::Empty,
            native: true,
        }
    }

    /// A sink that makes text.
    pub(crate) fn text() -> Self {
        Self {
            state: State::Many(String::new()),
            native: false,
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
                let mut text = session.text_of(&first)?;
                session.write_text(&value, &mut text)?;
                State::Many(text)
            }
            State::Many(mut text) => {
                session.write_text(&value, &mut text)?;
                State::Many(text)
            }
        };
        Ok(())
    }

    pub(crate) fn is_native(&self) -> bool {
        self.native
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
            State::One(value) => session.text_of(&value),
            State::Many(text) => Ok(text),
        }
    }
}
