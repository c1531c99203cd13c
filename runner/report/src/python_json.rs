//! JSON spaced and sorted as Python writes it, for people and scripts that read Ansible's output.

use serde_json::Value;

/// All in one line, keys in order, a space after commas and colons.
pub(crate) fn one_line(value: &Value) -> String {
    let mut text = String::new();
    write(value, None, &mut text);
    text
}

/// Indented by four, keys in order.
pub fn indented(value: &Value) -> String {
    let mut text = String::new();
    write(value, Some(0), &mut text);
    text
}

fn write(value: &Value, depth: Option<usize>, text: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let depth = depth.map(|depth| depth + 1);
            let parts = items.iter().map(|item| (None, item));
            enclosed(['[', ']'], parts, depth, text);
        }
        Value::Object(entries) if !entries.is_empty() => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let depth = depth.map(|depth| depth + 1);
            let parts = entries.into_iter().map(|(key, item)| (Some(key), item));
            enclosed(['{', '}'], parts, depth, text);
        }
        other => text.push_str(&other.to_string()),
    }
}

fn enclosed<'v>(
    [open, close]: [char; 2],
    parts: impl Iterator<Item = (Option<&'v String>, &'v Value)>,
    depth: Option<usize>,
    text: &mut String,
) {
    text.push(open);
    for (index, (key, item)) in parts.enumerate() {
        match depth {
            _ if index == 0 => {}
            Some(_) => text.push(','),
            None => text.push_str(", "),
        }
        new_line(depth, text);
        if let Some(key) = key {
            text.push_str(&Value::from(key.as_str()).to_string());
            text.push_str(": ");
        }
        write(item, depth, text);
    }
    new_line(depth.map(|depth| depth - 1), text);
    text.push(close);
}

fn new_line(depth: Option<usize>, text: &mut String) {
    if let Some(depth) = depth {
        text.push('\n');
        text.push_str(&" ".repeat(depth * 4));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{indented, one_line};

    #[test]
    fn json_is_spaced_and_sorted_as_python_does() {
        let value = json!({"b": [1, {"x": null}], "a": {}, "c": []});
        assert_eq!(
            one_line(&value),
            r#"{"a": {}, "b": [1, {"x": null}], "c": []}"#
        );
        let expected = "{\n    \"a\": {},\n    \"b\": [\n        1,\n        {\n            \
                        \"x\": null\n        }\n    ],\n    \"c\": []\n}";
        assert_eq!(indented(&value), expected);
    }
}
