//! What a result tells of the call that it came from. Must not tell secrets.

use sasrun_plugin::{ModuleSpec, Object};

/// Arguments as the result tells them, without the content of those that are never told.
pub(super) fn arguments(spec: &ModuleSpec, arguments: &Object) -> Object {
    let mut told = arguments.clone();
    for argument in spec.arguments.iter().filter(|argument| argument.untold) {
        if let Some(value) = told.get_mut(&argument.name) {
            *value = format!("CENSORED: {} is a no_log parameter", argument.name).into();
        }
    }
    for value in told.values_mut() {
        if let serde_json::Value::String(text) = value
            && let Some(shown) = without_credentials(text)
        {
            *value = shown.into();
        }
    }
    told
}

/// An address without the user and password in it; none for text that has none.
fn without_credentials(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '+');
    let server = rest.split(['/', '?', '#']).next()?;
    let (who, _) = server.rsplit_once('@').filter(|_| is_scheme)?;
    let path = &rest[who.len()..];
    who.contains(':')
        .then(|| format!("{scheme}://********{path}"))
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn passwords_in_addresses_are_not_told() {
        let told = without_credentials("https://user:p@ss@h.tests/a@b:c");
        assert_eq!(told.as_deref(), Some("https://********@h.tests/a@b:c"));
        for plain in [
            "https://h.tests/a:b@c",
            "ssh://git@h.tests/x",
            "a://",
            "text",
        ] {
            assert_eq!(without_credentials(plain), None, "{plain}");
        }
    }
}
