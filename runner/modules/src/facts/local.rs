//! Facts that a site keeps on the host itself: files or programs, JSON or INI.

use sasrun_plugin::Object;
use serde_json::{Value, json};

use super::object;
use super::sections::Sections;

pub(super) fn facts(sections: &Sections) -> Object {
    let local: Object = sections
        .all("site")
        .map(|(path, lines)| {
            let name = path
                .rsplit('/')
                .next()
                .unwrap_or(path)
                .trim_end_matches(".fact");
            let text = lines.join("\n");
            let value = serde_json::from_str(&text)
                .ok()
                .or_else(|| ini(lines))
                .unwrap_or_else(|| {
                    format!("error loading facts as JSON or ini - please check content: {path}")
                        .into()
                });
            (name.to_owned(), value)
        })
        .collect();
    object(json!({"local": local}))
}

/// Reads sections of `key = value`; every other line makes it no INI.
fn ini(lines: &[&str]) -> Option<Value> {
    let mut sections = Object::new();
    let mut name: Option<String> = None;
    for line in lines.iter().map(|line| line.trim()) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            sections.insert(section.to_owned(), json!({}));
            name = Some(section.to_owned());
            continue;
        }
        let (key, value) = line.split_once(['=', ':'])?;
        let section = sections.get_mut(name.as_ref()?)?;
        section[key.trim().to_lowercase()] = value.trim().into();
    }
    Some(Value::Object(sections))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let output = "@@site /etc/ansible/facts.d/a.fact\n{\"x\": 1}\n\n@@site /etc/ansible/facts.d/b.fact\n[general]\nRole = web\n";
        let facts = facts(&Sections::of(output));
        assert_eq!(
            facts["local"],
            json!({"a": {"x": 1}, "b": {"general": {"role": "web"}}})
        );
    }
}
