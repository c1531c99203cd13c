//! `tnsnames.ora`: connect names and where they lead.

/// Where a connect name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub host: String,
    pub port: u16,
    pub service: String,
}

/// Finds a connect name in the text of a file; letter case does not matter.
pub fn resolve(text: &str, name: &str) -> Option<Target> {
    entries(text).into_iter().find_map(|(names, body)| {
        names
            .split(',')
            .any(|one| one.trim().eq_ignore_ascii_case(name))
            .then(|| {
                let host = field(&body, "HOST")?;
                let port = field(&body, "PORT")?.parse().ok()?;
                let service = field(&body, "SERVICE_NAME").or_else(|| field(&body, "SID"))?;
                Some(Target {
                    host,
                    port,
                    service,
                })
            })?
    })
}

/// Names and bodies of the entries, by balanced parentheses.
fn entries(text: &str) -> Vec<(String, String)> {
    let plain: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n");
    let (mut found, mut names, mut body, mut depth) =
        (Vec::new(), String::new(), String::new(), 0_usize);
    for character in plain.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '=' if depth == 0 => continue,
            _ => {}
        }
        if depth > 0 {
            body.push(character);
        } else if character == ')' {
            found.push((names.trim().to_owned(), std::mem::take(&mut body)));
            names.clear();
        } else {
            names.push(character);
        }
    }
    found
}

fn field(body: &str, key: &str) -> Option<String> {
    body.split('(').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case(key)
            .then(|| value.split(')').next().unwrap_or(value).trim().to_owned())
            .filter(|value| !value.is_empty())
    })
}

/// Text of the entry of one database, over several lines or on one.
pub fn entry(name: &str, target: &Target, on_one_line: bool) -> String {
    let Target {
        host,
        port,
        service,
    } = target;
    if on_one_line {
        return format!(
            "{name}=(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST={host})(PORT={port}))(CONNECT_DATA=(SERVICE_NAME={service})))\n"
        );
    }
    format!(
        "{name} =\n  (DESCRIPTION =\n    (ADDRESS = (PROTOCOL = TCP)(HOST = {host})(PORT = {port}))\n    \
         (CONNECT_DATA =\n      (SERVICE_NAME = {service})\n    )\n  )\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_both_layouts_are_found_whatever_the_case() {
        let a = Target {
            host: "127.61.1.1".into(),
            port: 1521,
            service: "truth".into(),
        };
        let b = Target {
            host: "127.61.2.1".into(),
            port: 20002,
            service: "truth".into(),
        };
        let text = format!(
            "# names\n{}\n{}",
            entry("a_truth", &a, false),
            entry("b_truth, other", &b, true)
        );
        assert_eq!(resolve(&text, "A_TRUTH"), Some(a));
        assert_eq!(resolve(&text, "other"), Some(b));
        assert_eq!(resolve(&text, "c_truth"), None);
    }
}
