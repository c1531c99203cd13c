//! What is sent to a server, written by its format.

use sasrun_plugin::Failure;
use serde_json::Value;

use crate::python_json;

/// Returns what is sent, and its kind.
pub(super) fn written(format: &str, body: &Value) -> Result<(String, &'static str), Failure> {
    match (format, body) {
        ("json", Value::String(text)) => Ok((text.clone(), "application/json")),
        ("json", value) => Ok((python_json::dumps(value), "application/json")),
        ("form-urlencoded", Value::Object(fields)) => {
            let pairs: Vec<(&str, &Value)> = fields
                .iter()
                .map(|(key, value)| (key.as_str(), value))
                .collect();
            Ok((form(&pairs), "application/x-www-form-urlencoded"))
        }
        ("form-urlencoded", Value::Array(items)) => {
            let pairs: Option<Vec<(&str, &Value)>> = items.iter().map(pair).collect();
            let pairs = pairs.ok_or_else(|| {
                Failure::new(
                    "failed to parse body as form_urlencoded: a list holds pairs of a name and a value",
                )
            })?;
            Ok((form(&pairs), "application/x-www-form-urlencoded"))
        }
        ("form-urlencoded", value) => Ok((plain(value), "application/x-www-form-urlencoded")),
        ("form-multipart", _) => Err(Failure::new(
            "body_format form-multipart is not supported; send the file with src",
        )),
        (_, value) => Ok((plain(value), "application/x-www-form-urlencoded")),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads a field of a form that is written as a list of a name and a value.
fn pair(item: &Value) -> Option<(&str, &Value)> {
    match item.as_array()?.as_slice() {
        [name, value] => Some((name.as_str()?, value)),
        _ => None,
    }
}

/// Writes fields as a form; a list of values is as many fields.
fn form(fields: &[(&str, &Value)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .flat_map(|(key, value)| match value {
            Value::Array(items) => items.iter().map(|item| (key, item)).collect(),
            single => vec![(key, *single)],
        })
        .map(|(key, value)| format!("{}={}", encoded(key), encoded(&plain(value))))
        .collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_are_written_by_their_format() {
        let form = json!({"a b": "x&y", "list": [1, 2]});
        assert_eq!(
            written("form-urlencoded", &form).unwrap().0,
            "a+b=x%26y&list=1&list=2"
        );
        let list = json!([["a", 1], ["b", ["x", "y"]], ["a", 2]]);
        let (text, _) = written("form-urlencoded", &list).unwrap();
        assert_eq!(text, "a=1&b=x&b=y&a=2");
        assert!(written("form-urlencoded", &json!(["a", "b"])).is_err());
        assert_eq!(written("json", &json!({"a": 1})).unwrap().0, "{\"a\": 1}");
        assert_eq!(written("json", &json!("[1]")).unwrap().0, "[1]");
        assert!(written("form-multipart", &form).is_err());
    }
}
