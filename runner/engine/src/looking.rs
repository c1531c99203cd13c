//! Looking up variables and showing values, in the engine's words.

use std::sync::Arc;

use sasrun_model::{Name, Value};
use sasrun_template::{Binding, Problem, Scope, TemplateError, Templates};

/// What the engine asks of templates besides rendering.
pub(crate) trait Looking {
    /// The value of a variable, rendered; none when nothing has the name.
    fn variable(&self, name: &str, scope: &Arc<dyn Scope>) -> Result<Option<Value>, TemplateError>;

    /// A value as a person reads it: text as it is, everything else as Python writes it.
    fn display(&self, value: &Value) -> String;
}

impl Looking for Templates {
    fn variable(&self, name: &str, scope: &Arc<dyn Scope>) -> Result<Option<Value>, TemplateError> {
        match scope.get(name) {
            None => Ok(None),
            Some(Binding::Data(value)) => Ok(Some(value)),
            Some(Binding::Written(node)) => self.resolve(&node, scope).map(Some),
            Some(Binding::Lazy(_) | Binding::Scope(_)) => self.expression(name, scope).map(Some),
        }
    }

    fn display(&self, value: &Value) -> String {
        self.text(value)
            .unwrap_or_else(|| serde_json::Value::from(value).to_string())
    }
}

/// An error about a value that the engine cannot use.
pub(crate) fn unusable(message: impl Into<String>) -> TemplateError {
    TemplateError {
        problem: Problem::Operation(message.into()),
        at: None,
        through: Vec::<Name>::new(),
    }
}

/// An error because something cannot be known.
pub(crate) fn unknowable(reason: &Arc<str>) -> TemplateError {
    TemplateError {
        problem: Problem::CannotKnow(Arc::clone(reason)),
        at: None,
        through: Vec::<Name>::new(),
    }
}
