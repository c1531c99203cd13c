//! YAML that is data: what templates read with `from_yaml`. Never a template, never encrypted.

use std::sync::Arc;

use sasrun_model::{FileId, Key, Map, Node, NodeKind, Value};

use crate::{VaultError, yaml};

/// Text is not YAML: a sentence that says where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DataError {
    /// What is wrong.
    pub message: String,
}

/// Reads the documents of a YAML text as data.
///
/// # Errors
/// The text is not YAML.
pub fn parse_data(text: &str) -> Result<Vec<Value>, DataError> {
    let mut values = Vec::new();
    for document in split_documents(text) {
        let composed = yaml::compose(&document, FileId::default(), &|_| Err(VaultError::NoSecret));
        if let Some(problem) = composed
            .problems
            .iter()
            .find(|problem| problem.severity == sasrun_model::Severity::Error)
        {
            let place = format!("line {}, column {}", problem.span.line, problem.span.column);
            return Err(DataError {
                message: format!("{place}: {}", problem.message),
            });
        }
        values.extend(composed.documents.iter().map(data));
    }
    Ok(values)
}

/// Documents are apart by lines that begin with `---`.
fn split_documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        let begins = line == "---" || line.starts_with("--- ");
        let is_empty = documents
            .last()
            .is_none_or(|document| document.trim().is_empty());
        if begins && !is_empty {
            documents.push(String::new());
        }
        if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    documents
}

fn data(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => Value::Bool(*value),
        NodeKind::Int(value) => Value::Int(*value),
        NodeKind::Float(value) => Value::Float(*value),
        NodeKind::Text(text) => Value::Text(Arc::clone(&text.text)),
        NodeKind::List(items) => Value::list(items.iter().map(data).collect()),
        NodeKind::Map(entries) => {
            let pairs = entries.iter().filter_map(|entry| {
                Some((Key::from_value(&data(&entry.key))?, data(&entry.value)))
            });
            Value::map(pairs.collect::<Map>())
        }
        NodeKind::Data(value) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_templates_are_data_and_documents_are_apart() {
        let values = parse_data("a: '{{ x }}'\n---\n- 1\n- yes\n").unwrap();
        assert_eq!(values.len(), 2);
        assert_eq!(values[0].get("a"), Some(&Value::from("{{ x }}")));
        assert_eq!(
            values[1],
            Value::list(vec![Value::Int(1), Value::Bool(true)])
        );
        assert!(parse_data("a: [").unwrap_err().message.contains("line"));
    }
}
