//! JSON as Python's `json.dumps` writes it: what playbooks have always put into files.

use serde_json::Value;

/// Writes a value with a blank after each comma and colon, and only ASCII letters.
pub(crate) fn dumps(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(dumps).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), dumps(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let mut written = String::new();
    for c in Value::from(text).to_string().chars() {
        if c.is_ascii() {
            written.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            written.push_str(&format!("\\u{unit:04x}"));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn json_looks_as_python_writes_it() {
        let value = json!({"a": [1, true, null, 1.5], "é\"": {}});
        let wanted = "{\"a\": [1, true, null, 1.5], \"\\u00e9\\\"\": {}}";
        assert_eq!(super::dumps(&value), wanted);
    }
}
