//! Facts that a site keeps on the host itself: files or programs, JSON or INI.

use sasrun_plugin::Object;
use serde_json::{Value, json};

use super::object;
use super::sections::Sections;

pub(super) fn facts(sections: &Sections) -> Object {
    let mut local: Object = sections
        .all("site")
        .map(|(path, lines)| {
            let text = lines.join("\n");
            let value = serde_json::from_str(&text)
                .ok()
                .or_else(|| ini(lines))
                .unwrap_or_else(|| {
                    format!("error loading facts as JSON or ini - please check content: {path}")
                        .into()
                });
            (name(path), value)
        })
        .collect();
    // What a program printed before it failed is no fact.
    for (path, lines) in sections.all("site_failed") {
        let (rc, errors) = lines.split_first().unwrap_or((&"", &[]));
        let failure = format!(
            "Failure executing fact script ({path}), rc: {rc}, err: {}",
            errors.join("\n")
        );
        local.insert(name(path), failure.into());
    }
    for (path, _) in sections.all("site_missing") {
        let failure =
            format!("Could not stat fact ({path}): [Errno 2] No such file or directory: '{path}'");
        local.insert(name(path), failure.into());
    }
    object(json!({"local": local}))
}

/// Returns the name under which the facts of a file stand.
fn name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.trim_end_matches(".fact").to_owned()
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

    #[test]
    fn what_a_program_printed_before_it_failed_is_no_fact() {
        let output = "@@site /f/a.fact\n{\"x\": 1}\n\n@@site_failed /f/a.fact\n3\nno such\nthing\n";
        let facts = facts(&Sections::of(output));
        assert_eq!(
            facts["local"]["a"],
            "Failure executing fact script (/f/a.fact), rc: 3, err: no such\nthing"
        );
    }

    #[test]
    fn a_link_to_nothing_is_told() {
        let facts = facts(&Sections::of("@@site_missing /f/a.fact\n"));
        let told = facts["local"]["a"].as_str().unwrap();
        assert!(
            told.starts_with("Could not stat fact (/f/a.fact)"),
            "{told}"
        );
    }
}
