//! `vars_prompt`: what a play asks a person before it begins.

use std::sync::Arc;

use sasrun_model::{EventKind, Name, Node, Play, Value, Variables};
use sasrun_template::{Binding, Scope, VariableScope};

use super::Run;
use crate::looking::Looking;

/// Tries to type the same twice, after which the run is refused.
const MOST_TRIES: usize = 10;

/// An entry of `vars_prompt`, rendered.
struct Question {
    name: Name,
    text: String,
    default: Option<Value>,
    is_private: bool,
    is_confirmed: bool,
    encrypt: Option<String>,
    salt: Option<Value>,
    salt_size: Option<Value>,
}

impl Run {
    /// The answers to what a play asks; those of a run that goes on are the same again.
    pub(super) async fn prompted(&self, play: &Arc<Play>) -> Result<Variables, String> {
        let mut answers = Variables::new();
        for written in &play.vars_prompt {
            let Some(name) = written.get("name").and_then(Node::as_str) else {
                continue;
            };
            if self.shared.extra.contains_key(name) {
                continue;
            }
            let question = self.question(play, name, written)?;
            let recorded = format!("prompt {name} of {}", play.path);
            let answer = match self.past.answer(&recorded) {
                Some(answer) => answer.into(),
                None => self.ask_for(&question, &recorded).await?,
            };
            answers.insert(question.name, Arc::new(Node::data(answer)));
        }
        Ok(answers)
    }

    fn question(&self, play: &Arc<Play>, name: &str, written: &Node) -> Result<Question, String> {
        let scope = self.play_scope(play, &"localhost".into());
        let value = |key: &str| match written.get(key) {
            None => Ok(None),
            Some(node) => {
                let value = self.templates.resolve(node, &scope);
                let value =
                    value.map_err(|error| format!("{key} of the prompt {name}: {error}"))?;
                Ok::<_, String>(Some(value).filter(|value| !matches!(value, Value::Null)))
            }
        };
        let flag = |key: &str, default: bool| {
            let value = value(key)?.and_then(|value| value.to_boolean());
            Ok::<_, String>(value.unwrap_or(default))
        };
        let text = value("prompt")?.map_or_else(|| name.to_owned(), |v| self.templates.display(&v));
        Ok(Question {
            name: name.into(),
            text,
            default: value("default")?,
            is_private: flag("private", true)?,
            is_confirmed: flag("confirm", false)?,
            encrypt: value("encrypt")?.map(|value| self.templates.display(&value)),
            salt: value("salt")?,
            salt_size: value("salt_size")?,
        })
    }

    /// Asks, and records the answer.
    async fn ask_for(&self, question: &Question, recorded: &str) -> Result<Value, String> {
        let typed = self.typed(question).await?;
        if question.is_private
            && let Some(text) = typed.as_str().filter(|text| !text.is_empty())
        {
            self.secrets.register(text);
        }
        let answer = self.encrypted(question, typed)?;
        self.dispatcher.emit(EventKind::Answered {
            question: recorded.to_owned(),
            answer: (&answer).into(),
        });
        Ok(answer)
    }

    async fn typed(&self, question: &Question) -> Result<Value, String> {
        let text = match &question.default {
            Some(default) => {
                format!("{} [{}]: ", question.text, self.templates.display(default))
            }
            None => format!("{}: ", question.text),
        };
        let echo = !question.is_private;
        for _ in 0..MOST_TRIES {
            let Some(first) = self.console.ask(&text, echo, None).await else {
                let nobody = || {
                    format!(
                        "the play asks for \"{}\" and nobody is there to answer; give it with `-e`",
                        question.name
                    )
                };
                return question.default.clone().ok_or_else(nobody);
            };
            if question.is_confirmed {
                let again = format!("confirm {text}");
                if self.console.ask(&again, echo, None).await.as_ref() != Some(&first) {
                    self.warn("VALUES ENTERED DO NOT MATCH".to_owned());
                    continue;
                }
            }
            return Ok(match &question.default {
                Some(default) if first.is_empty() => default.clone(),
                _ => first.into(),
            });
        }
        Err(format!("no value was given for \"{}\"", question.name))
    }

    /// The answer as a hash, where the play wants one.
    fn encrypted(&self, question: &Question, typed: Value) -> Result<Value, String> {
        let Some(scheme) = &question.encrypt else {
            return Ok(typed);
        };
        let mut variables = VariableScope::new();
        variables.insert("typed", Binding::Data(typed));
        variables.insert("scheme", Binding::Data(scheme.as_str().into()));
        let mut expression = "typed | password_hash(scheme".to_owned();
        for (name, value) in [("salt", &question.salt), ("salt_size", &question.salt_size)] {
            if let Some(value) = value {
                variables.insert(name, Binding::Data(value.clone()));
                expression.push_str(&format!(", {name}={name}"));
            }
        }
        expression.push(')');
        let scope: Arc<dyn Scope> = Arc::new(variables);
        let hash = self.templates.expression(&expression, &scope);
        hash.map_err(|error| format!("the answer to {}: {error}", question.name))
    }
}
