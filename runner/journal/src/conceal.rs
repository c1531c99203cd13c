//! What of an event is not written into the journal as it is: secrets, and what is large.
//!
//! U+0001 begins a mark inside a text: `sealed:N;` stands for a piece of text that lies sealed
//! beside the journal, `number:N;` for a number there, `whole:N;` for JSON
//! there that only a replay may see, `spool:SHA256:BYTES;` for JSON in a file of its own, and `;` alone for U+0001 itself, so that no text of a host can be taken for a mark.

use std::ops::Range;

use serde_json::{Map, Value};

/// The character that begins a mark.
pub(crate) const MARK: char = '\u{1}';
/// JSON longer than this goes to a file of its own.
pub(crate) const SPOOLED_ABOVE_BYTES: usize = 64 * 1024;

/// Finds what must not be written in the clear.
pub trait FindSecrets: Send + Sync {
    /// The places of secrets in a text, in order, apart from each other.
    fn ranges(&self, text: &str) -> Vec<Range<usize>>;
}

/// Knows of no secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl FindSecrets for NoSecrets {
    fn ranges(&self, _: &str) -> Vec<Range<usize>> {
        Vec::new()
    }
}

/// Where pieces go that are not written into the journal.
pub(crate) trait Aside {
    /// Why it cannot take them.
    type Error;

    /// Seals a text; gives its number.
    fn seal(&mut self, text: &str) -> Result<u64, Self::Error>;

    /// Puts JSON into a file of its own; gives the SHA-256 that names it.
    fn spool(&mut self, json: &str) -> Result<String, Self::Error>;
}

/// Replaces what an event must not show.
pub(crate) struct Conceal<'a, A> {
    pub secrets: &'a dyn FindSecrets,
    pub aside: &'a mut A,
}

impl<A: Aside> Conceal<'_, A> {
    /// Conceals in all texts of a header.
    pub(crate) fn header(&mut self, header: &mut Value) -> Result<(), A::Error> {
        let Some(fields) = header.as_object_mut() else {
            return Ok(());
        };
        for (name, value) in fields {
            match name.as_str() {
                "mode" | "run" => {}
                "inputs" => self.inputs(value)?,
                _ => self.texts(value)?,
            }
        }
        Ok(())
    }

    fn inputs(&mut self, inputs: &mut Value) -> Result<(), A::Error> {
        let inputs = inputs.as_array_mut().into_iter().flatten();
        for path in inputs.filter_map(|input| input.get_mut("path")) {
            self.texts(path)?;
        }
        Ok(())
    }

    /// Conceals in an event. Its words of fixed meaning stay, whatever the secrets are.
    pub(crate) fn event(&mut self, event: &mut Value) -> Result<(), A::Error> {
        let Some(fields) = event.as_object_mut() else {
            return Ok(());
        };
        for (name, value) in fields {
            match name.as_str() {
                "event" | "class" | "mode" => {}
                "outcome" => self.outcome(value)?,
                "answer" => self.data(value)?,
                "kept" => self.kept(value)?,
                "input" => {
                    if let Some(path) = value.get_mut("path") {
                        self.texts(path)?;
                    }
                }
                _ => self.texts(value)?,
            }
        }
        Ok(())
    }

    /// What only a replay needs. Where it holds an outcome that must not be shown, all of it is
    /// sealed.
    fn kept(&mut self, kept: &mut Value) -> Result<(), A::Error> {
        if kept.get("outcome").is_none() {
            return self.data(kept);
        }
        let number = self.aside.seal(&kept.to_string())?;
        *kept = format!("{MARK}whole:{number};").into();
        Ok(())
    }

    fn outcome(&mut self, outcome: &mut Value) -> Result<(), A::Error> {
        let Some(fields) = outcome.as_object_mut() else {
            return Ok(());
        };
        for (name, value) in fields {
            match name.as_str() {
                "status" => {}
                "result" | "diff" => self.data(value)?,
                _ => self.texts(value)?,
            }
        }
        Ok(())
    }

    /// Conceals in data, its keys and numbers too; puts it aside when it is large.
    fn data(&mut self, data: &mut Value) -> Result<(), A::Error> {
        self.everything(data)?;
        let json = data.to_string();
        if json.len() > SPOOLED_ABOVE_BYTES {
            let name = self.aside.spool(&json)?;
            *data = format!("{MARK}spool:{name}:{};", json.len()).into();
        }
        Ok(())
    }

    fn everything(&mut self, value: &mut Value) -> Result<(), A::Error> {
        match value {
            Value::Number(number) => {
                let text = number.to_string();
                if !self.secrets.ranges(&text).is_empty() {
                    let number = self.aside.seal(&text)?;
                    *value = format!("{MARK}number:{number};").into();
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.everything(item)?;
                }
            }
            Value::Object(fields) => {
                let mut concealed = Map::with_capacity(fields.len());
                for (name, mut value) in std::mem::take(fields) {
                    self.everything(&mut value)?;
                    concealed.insert(self.text(&name)?.unwrap_or(name), value);
                }
                *fields = concealed;
            }
            other => self.texts(other)?,
        }
        Ok(())
    }

    fn texts(&mut self, value: &mut Value) -> Result<(), A::Error> {
        match value {
            Value::String(text) => {
                if let Some(concealed) = self.text(text)? {
                    *text = concealed;
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.texts(item)?;
                }
            }
            Value::Object(fields) => {
                for value in fields.values_mut() {
                    self.texts(value)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A text with marks in place of secrets; none when it can stay as it is.
    fn text(&mut self, text: &str) -> Result<Option<String>, A::Error> {
        let secrets = self.secrets.ranges(text);
        if secrets.is_empty() && !text.contains(MARK) {
            return Ok(None);
        }
        let mut concealed = String::with_capacity(text.len());
        let mut at = 0;
        for range in secrets {
            // A finder that gives places that are none hides nothing and breaks nothing.
            let (Some(before), Some(secret)) = (text.get(at..range.start), text.get(range.clone()))
            else {
                continue;
            };
            escape(before, &mut concealed);
            let number = self.aside.seal(secret)?;
            concealed.push_str(&format!("{MARK}sealed:{number};"));
            at = range.end;
        }
        escape(text.get(at..).unwrap_or_default(), &mut concealed);
        Ok(Some(concealed))
    }
}

fn escape(text: &str, to: &mut String) {
    for character in text.chars() {
        to.push(character);
        if character == MARK {
            to.push(';');
        }
    }
}
