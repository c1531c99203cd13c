//! Turns values into the type that an argument asks for, as Ansible does.

use serde_json::{Map, Value};

use super::mode::Mode;
use crate::ArgumentType;

/// A value that cannot become what the argument asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is of type {given} and we were unable to convert to {wanted}: {reason}")]
pub(super) struct Mismatch {
    given: &'static str,
    wanted: &'static str,
    /// What is wrong with the value.
    pub(super) reason: String,
}

/// Returns the value as the type of the argument.
pub(super) fn coerce(kind: ArgumentType, value: &Value) -> Result<Value, Mismatch> {
    match kind {
        ArgumentType::String | ArgumentType::Path | ArgumentType::Expression => {
            Ok(Value::String(shown(value)))
        }
        ArgumentType::Boolean => truth(value).map(Value::Bool).ok_or_else(|| {
            let reason = format!(
                "The value '{}' is not a valid boolean. Valid booleans include: yes, no, true, \
                 false, on, off, 1, 0",
                shown(value)
            );
            mismatch(value, "bool", reason)
        }),
        ArgumentType::Integer => integer(value),
        ArgumentType::Float => float(value),
        ArgumentType::List => list(value).map(Value::Array),
        ArgumentType::StringList => {
            let items = list(value)?;
            Ok(items
                .iter()
                .map(|item| Value::String(shown(item)))
                .collect())
        }
        ArgumentType::ExpressionList => Ok(match value {
            Value::Array(items) => items
                .iter()
                .map(|item| Value::String(shown(item)))
                .collect(),
            single => Value::Array(vec![Value::String(shown(single))]),
        }),
        ArgumentType::Dictionary => dictionary(value),
        ArgumentType::Bytes => bytes(value),
        ArgumentType::Mode => match Mode::read(value) {
            Ok(_) => Ok(value.clone()),
            Err(problem) => Err(mismatch(value, "permission bits", problem.to_string())),
        },
        ArgumentType::Raw => Ok(value.clone()),
    }
}

/// Reads a boolean as Ansible does: `yes`, `on`, `1`, `t`, … and their opposites.
pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Reads a size such as `10M` or `1.5 GiB`; a bare number is in bytes.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim().to_uppercase();
    let letters = ["", "K", "M", "G", "T", "P", "E", "Z", "Y"];
    let power = match unit.as_str() {
        "" | "B" | "BYTES" => 0,
        other => {
            let head = other.trim_end_matches("IB").trim_end_matches('B');
            letters.iter().position(|letter| *letter == head)?
        }
    };
    let size = number * 1024_f64.powi(i32::try_from(power).ok()?);
    // The conversion saturates, and no file is as large as that.
    (size.is_finite() && size >= 0.0).then_some(size as u64)
}

fn mismatch(value: &Value, wanted: &'static str, reason: String) -> Mismatch {
    let given = match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    Mismatch {
        given,
        wanted,
        reason,
    }
}

fn integer(value: &Value) -> Result<Value, Mismatch> {
    let whole = match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    };
    whole.map(Value::from).ok_or_else(|| {
        let reason = format!("'{}' cannot be converted to an int", shown(value));
        mismatch(value, "int", reason)
    })
}

fn float(value: &Value) -> Result<Value, Mismatch> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number: &f64| number.is_finite())
        .map(Value::from)
        .ok_or_else(|| {
            let reason = format!("'{}' cannot be converted to a float", shown(value));
            mismatch(value, "float", reason)
        })
}

fn list(value: &Value) -> Result<Vec<Value>, Mismatch> {
    match value {
        Value::Array(items) => Ok(items.clone()),
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => Ok(text.split(',').map(|item| item.trim().into()).collect()),
        Value::Number(_) | Value::Bool(_) => Ok(vec![Value::String(shown(value))]),
        _ => Err(mismatch(value, "list", "it is not a list".to_owned())),
    }
}

fn bytes(value: &Value) -> Result<Value, Mismatch> {
    let size = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => parse_size(text),
        _ => None,
    };
    size.map(Value::from).ok_or_else(|| {
        let reason = format!("'{}' is not a size such as 10M", shown(value));
        mismatch(value, "bytes", reason)
    })
}

fn dictionary(value: &Value) -> Result<Value, Mismatch> {
    let text = match value {
        Value::Object(_) => return Ok(value.clone()),
        Value::String(text) => text.trim(),
        _ => return Err(mismatch(value, "dict", "it is not a dictionary".to_owned())),
    };
    if text.starts_with('{') {
        return match serde_json::from_str(text) {
            Ok(object @ Value::Object(_)) => Ok(object),
            _ => {
                let reason = "unable to evaluate string as dictionary".to_owned();
                Err(mismatch(value, "dict", reason))
            }
        };
    }
    pairs(text).map(Value::Object).ok_or_else(|| {
        let reason = "dictionary requested, could not parse JSON or key=value".to_owned();
        mismatch(value, "dict", reason)
    })
}

/// Reads `a=1,b="two words"`: pairs parted by commas or spaces, with quotes and backslashes.
fn pairs(text: &str) -> Option<Map<String, Value>> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let (mut quote, mut escaped) = (None, false);
    for c in text.chars() {
        match (escaped, quote, c) {
            (true, ..) => {
                field.push(c);
                escaped = false;
            }
            (_, _, '\\') => escaped = true,
            (_, Some(open), _) if open == c => quote = None,
            (_, None, '\'' | '"') => quote = Some(c),
            (_, None, ',' | ' ') => fields.push(std::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    fields.push(field);
    fields
        .iter()
        .filter(|field| !field.is_empty())
        .map(|field| {
            let (key, value) = field.split_once('=')?;
            Some((key.to_owned(), Value::from(value)))
        })
        .collect()
}

/// Shows a value as text the way Python's `str` does, for that is what playbooks expect.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => python_form(other),
    }
}

fn python_form(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let escaped = text.replace('\\', "\\\\").replace('\n', "\\n");
            if escaped.contains('\'') && !escaped.contains('"') {
                format!("\"{escaped}\"")
            } else {
                format!("'{}'", escaped.replace('\'', "\\'"))
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python_form).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    format!(
                        "{}: {}",
                        python_form(&key.as_str().into()),
                        python_form(value)
                    )
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use ArgumentType as T;

    #[test]
    fn values_become_what_the_argument_asks_for() {
        for (kind, given, wanted) in [
            (T::Boolean, json!("yes"), json!(true)),
            (T::Boolean, json!("Off"), json!(false)),
            (T::Boolean, json!(1), json!(true)),
            (T::Integer, json!("5"), json!(5)),
            (T::Integer, json!(5.0), json!(5)),
            (T::Float, json!("2.5"), json!(2.5)),
            (T::String, json!(true), json!("True")),
            (T::String, json!(7), json!("7")),
            (T::String, json!(["a", 1]), json!("['a', 1]")),
            (T::List, json!("a, b"), json!(["a", "b"])),
            (T::StringList, json!([1, "b"]), json!(["1", "b"])),
            (T::StringList, json!(7), json!(["7"])),
            (T::ExpressionList, json!("a == 1, 2"), json!(["a == 1, 2"])),
            (T::ExpressionList, json!([true]), json!(["True"])),
            (T::Dictionary, json!("{\"a\": [1]}"), json!({"a": [1]})),
            (
                T::Dictionary,
                json!("a=1,b='x y'"),
                json!({"a": "1", "b": "x y"}),
            ),
            (T::Bytes, json!("1.5K"), json!(1536)),
            (T::Bytes, json!("2 MiB"), json!(2_097_152)),
            (T::Mode, json!("0644"), json!("0644")),
        ] {
            assert_eq!(coerce(kind, &given), Ok(wanted), "{kind:?} of {given}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for (kind, given) in [
            (T::Boolean, json!("perhaps")),
            (T::Boolean, json!(2)),
            (T::Integer, json!("5.5")),
            (T::Integer, json!([1])),
            (T::Float, json!("x")),
            (T::List, json!({"a": 1})),
            (T::Dictionary, json!("plain")),
            (T::Dictionary, json!("{'a'")),
            (T::Bytes, json!("10Q")),
            (T::Mode, json!("u=rq")),
        ] {
            assert!(coerce(kind, &given).is_err(), "{kind:?} of {given}");
        }
    }
}
