//! Reading back what was concealed: sealed pieces, and what lies in files of its own.

use serde_json::{Map, Value};

use crate::conceal::MARK;

/// What stands for a secret where it is not to be shown.
const STARS: &str = "********";

/// Where pieces lie that are not in the journal.
pub(crate) trait Beside {
    /// The sealed piece of a text; none when secrets are not to be shown.
    ///
    /// # Errors
    /// It should be there and is not.
    fn sealed(&self, number: u64) -> Result<Option<&str>, String>;

    /// The sealed JSON that only a replay may see; none when secrets are not to be shown.
    ///
    /// # Errors
    /// It should be there and is not.
    fn sealed_whole(&self, number: u64) -> Result<Option<&str>, String>;

    /// JSON of a file of its own.
    ///
    /// # Errors
    /// It is not there, or not what it should be.
    fn spooled(&self, name: &str, length_bytes: usize) -> Result<String, String>;
}

/// Puts everything back in a value of JSON.
pub(crate) fn reveal(value: &mut Value, beside: &dyn Beside) -> Result<(), String> {
    match value {
        Value::String(text) if text.contains(MARK) => *value = revealed(text, beside)?,
        Value::Array(items) => {
            for item in items {
                reveal(item, beside)?;
            }
        }
        Value::Object(fields) => {
            let has_marks = fields.keys().any(|name| name.contains(MARK));
            if has_marks {
                let mut clear = Map::with_capacity(fields.len());
                for (name, value) in std::mem::take(fields) {
                    clear.insert(text_of(&name, beside)?, value);
                }
                *fields = clear;
            }
            for value in fields.values_mut() {
                reveal(value, beside)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What a text with marks stands for: a text, a number, or anything that was large.
fn revealed(text: &str, beside: &dyn Beside) -> Result<Value, String> {
    let whole = text
        .strip_prefix(MARK)
        .and_then(|rest| rest.strip_suffix(';'));
    if let Some(number) = whole.and_then(|mark| mark.strip_prefix("number:")) {
        let number = number.parse().map_err(|_| wrong(text))?;
        return match beside.sealed(number)? {
            Some(json) => serde_json::from_str(json).map_err(|_| wrong(text)),
            None => Ok(STARS.into()),
        };
    }
    if let Some(number) = whole.and_then(|mark| mark.strip_prefix("whole:")) {
        let number = number.parse().map_err(|_| wrong(text))?;
        return match beside.sealed_whole(number)? {
            Some(json) => serde_json::from_str(json).map_err(|_| wrong(text)),
            None => Ok(Value::Null),
        };
    }
    if let Some(spooled) = whole.and_then(|mark| mark.strip_prefix("spool:")) {
        let (name, length) = spooled.split_once(':').ok_or_else(|| wrong(text))?;
        let length = length.parse().map_err(|_| wrong(text))?;
        let json = beside.spooled(name, length)?;
        let mut value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        reveal(&mut value, beside)?;
        return Ok(value);
    }
    text_of(text, beside).map(Value::from)
}

fn text_of(text: &str, beside: &dyn Beside) -> Result<String, String> {
    let mut parts = text.split(MARK);
    let mut clear = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (mark, rest) = part.split_once(';').ok_or_else(|| wrong(text))?;
        if mark.is_empty() {
            clear.push(MARK);
        } else {
            let number = mark.strip_prefix("sealed:").and_then(|n| n.parse().ok());
            let number = number.ok_or_else(|| wrong(text))?;
            clear.push_str(beside.sealed(number)?.unwrap_or(STARS));
        }
        clear.push_str(rest);
    }
    Ok(clear)
}

fn wrong(text: &str) -> String {
    let begin: String = text.chars().take(40).collect();
    format!("a mark in it cannot be read: {begin:?}")
}
