//! Arguments of calls, and how they meet the parameters of a filter, test, method or function.

use std::sync::Arc;

use super::{Env, Session};
use crate::error::Problem;
use crate::values::{Eval, Fault, Val};

/// Arguments as they were given.
#[derive(Default, Clone)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Val>,
    pub(crate) named: Vec<(Arc<str>, Val)>,
}

/// What is called, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    Filter,
    Test,
    Function,
    Method,
}

/// One call of something built in, with its arguments in the order of its parameters.
pub(crate) struct Call<'e> {
    pub(crate) env: &'e Env,
    kind: CallKind,
    pub(crate) name: &'e str,
    /// What a filter or test is applied to; null for a function.
    pub(crate) subject: Val,
    values: Vec<Option<Val>>,
    /// Positional arguments beyond the parameters, where `*` allows them.
    pub(crate) rest: Vec<Val>,
    /// Named arguments beyond the parameters, where `**` allows them.
    pub(crate) named: Vec<(Arc<str>, Val)>,
}

impl<'e> Call<'e> {
    /// Matches arguments with parameters. A last parameter `*` takes more positional, `**` more named ones.
    pub(crate) fn bind(
        env: &'e Env,
        kind: CallKind,
        name: &'e str,
        parameters: &[&str],
        subject: Val,
        arguments: Arguments,
    ) -> Eval<Self> {
        let open = parameters.contains(&"*");
        let open_named = parameters.contains(&"**");
        let count = parameters
            .iter()
            .filter(|name| !name.starts_with('*'))
            .count();
        let mut call = Self {
            env,
            kind,
            name,
            subject,
            values: vec![None; count],
            rest: Vec::new(),
            named: Vec::new(),
        };
        for (index, value) in arguments.positional.into_iter().enumerate() {
            match call.values.get_mut(index) {
                Some(slot) => *slot = Some(value),
                None if open => call.rest.push(value),
                None => {
                    return Err(call.fail(format!("takes at most {count} arguments")));
                }
            }
        }
        for (key, value) in arguments.named {
            match parameters.iter().position(|name| **name == *key) {
                Some(index) if index < count => {
                    if let Some(slot) = call.values.get_mut(index) {
                        *slot = Some(value);
                    }
                }
                _ if open_named => call.named.push((key, value)),
                _ => return Err(call.fail(format!("has no argument '{key}'"))),
            }
        }
        Ok(call)
    }

    pub(crate) fn session(&self) -> &Session {
        &self.env.session
    }

    /// An error of this call.
    pub(crate) fn fail(&self, message: impl Into<String>) -> Fault {
        let name = self.name.to_owned();
        let message = message.into();
        Fault::problem(match self.kind {
            CallKind::Filter => Problem::Filter { name, message },
            CallKind::Test => Problem::Test { name, message },
            CallKind::Function => Problem::Operation(format!("{name}(): {message}")),
            CallKind::Method => Problem::Operation(format!(".{name}(): {message}")),
        })
    }

    /// An argument that was given.
    pub(crate) fn arg(&self, index: usize) -> Option<&Val> {
        self.values.get(index).and_then(Option::as_ref)
    }

    /// An argument that was given and is not null.
    pub(crate) fn some(&self, index: usize) -> Option<&Val> {
        self.arg(index).filter(|value| !matches!(value, Val::Null))
    }

    /// An argument that must be given.
    pub(crate) fn required(&self, index: usize) -> Eval<&Val> {
        self.arg(index)
            .ok_or_else(|| self.fail(format!("needs argument {}", index + 1)))
    }

    pub(crate) fn text(&self, index: usize) -> Eval<Option<String>> {
        self.some(index)
            .map(|value| self.session().text_of(value))
            .transpose()
    }

    pub(crate) fn text_or(&self, index: usize, default: &str) -> Eval<String> {
        Ok(self.text(index)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(crate) fn int(&self, index: usize) -> Eval<Option<i64>> {
        let Some(value) = self.some(index) else {
            return Ok(None);
        };
        value.known()?;
        let number = match value {
            #[expect(clippy::cast_possible_truncation, reason = "saturates, as wanted")]
            Val::Float(number) => Some(*number as i64),
            Val::Text(text) => text.trim().parse().ok(),
            other => other.as_int(),
        };
        number
            .map(Some)
            .ok_or_else(|| self.fail(format!("argument {} must be a whole number", index + 1)))
    }

    pub(crate) fn flag(&self, index: usize, default: bool) -> Eval<bool> {
        match self.some(index) {
            None => Ok(default),
            Some(value) => self.session().truth(value),
        }
    }

    /// The subject as text.
    pub(crate) fn subject_text(&self) -> Eval<String> {
        self.session().text_of(&self.subject)
    }

    /// The items of the subject.
    pub(crate) fn subject_items(&self) -> Eval<Vec<Val>> {
        if matches!(
            self.subject,
            Val::Null | Val::Bool(_) | Val::Int(_) | Val::Float(_)
        ) {
            return Err(self.fail(format!(
                "'{}' object is not iterable",
                self.subject.type_name()
            )));
        }
        self.session().iterate(&self.subject)
    }
}
