//! The filters `vault` and `unvault`: text sealed and opened with a secret that the template names.

use std::sync::Arc;

use sasrun_model::{Map, Name, Value};
use sasrun_template::{ExtensionError, ExtensionFunction, Extensions};
use sasrun_vault::{Keyring, Password, Secret, is_sealed, seal};

/// Id that envelopes of the filter name where none is given.
const DEFAULT_ID: &str = "filter_default";

/// Adds the filters.
pub(crate) fn extend(extensions: &mut Extensions) {
    let filters: [(&str, ExtensionFunction); 2] =
        [("vault", Arc::new(vault)), ("unvault", Arc::new(unvault))];
    for (name, function) in filters {
        for prefix in ["", "ansible.builtin."] {
            let name = Name::from(format!("{prefix}{name}"));
            extensions.filters.insert(name, Arc::clone(&function));
        }
    }
}

fn vault(values: &[Value], named: &Map) -> Result<Value, ExtensionError> {
    let data = subject(values, "Can only vault strings")?;
    let salt = argument(values, named, 2, "salt");
    let secret = secret(values, named, 3)?;
    let salt = salt.as_ref().and_then(Value::as_str).map(str::as_bytes);
    let sealed = seal(data.as_bytes(), &secret, salt);
    let sealed = sealed.map_err(|error| ExtensionError::new(error.to_string()))?;
    Ok(sealed.into())
}

fn unvault(values: &[Value], named: &Map) -> Result<Value, ExtensionError> {
    let envelope = subject(values, "Vault should be in the form of a string")?;
    if !is_sealed(envelope.as_bytes()) {
        return Ok(envelope.into());
    }
    let mut ring = Keyring::default();
    ring.add(secret(values, named, 2)?);
    let opened = ring.open(envelope.trim().as_bytes());
    let opened = opened.map_err(|_| ExtensionError::new("Unable to decrypt."))?;
    Ok(String::from_utf8_lossy(&opened.plain).into_owned().into())
}

fn subject<'v>(values: &'v [Value], otherwise: &str) -> Result<&'v str, ExtensionError> {
    match values.first() {
        Some(Value::Text(text)) => Ok(text),
        other => Err(ExtensionError::new(format!(
            "{otherwise}, instead we got {}.",
            other.map_or("nothing", kind_of)
        ))),
    }
}

fn secret(values: &[Value], named: &Map, id_at: usize) -> Result<Secret, ExtensionError> {
    let password = match argument(values, named, 1, "secret") {
        Some(Value::Text(text)) => text,
        other => {
            return Err(ExtensionError::new(format!(
                "Secret passed is required to be a string, instead we got {}.",
                other.as_ref().map_or("nothing", kind_of)
            )));
        }
    };
    let password = Password::new(password.as_bytes().to_vec());
    let id = ["vault_id", "vaultid"]
        .iter()
        .find_map(|name| argument(values, named, id_at, name));
    Ok(Secret {
        id: match id {
            Some(Value::Text(id)) => id.to_string(),
            _ => DEFAULT_ID.to_owned(),
        },
        password: password.map_err(|error| ExtensionError::new(error.to_string()))?,
    })
}

fn argument(values: &[Value], named: &Map, at: usize, name: &str) -> Option<Value> {
    named.get(name).or_else(|| values.get(at)).cloned()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::List(_) => "a list",
        Value::Map(_) => "a dictionary",
        _ => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, values: &[&str]) -> Result<Value, ExtensionError> {
        let mut extensions = Extensions::default();
        extend(&mut extensions);
        let values: Vec<Value> = values.iter().map(|text| (*text).into()).collect();
        extensions.filters[name](&values, &Map::new())
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_secret_alone() {
        let sealed = call("vault", &["hidden", "secret", "salt"]).unwrap();
        let sealed = sealed.as_str().unwrap();
        assert!(sealed.starts_with("$ANSIBLE_VAULT;1.2;AES256;filter_default\n"));
        let again = call("ansible.builtin.vault", &["hidden", "secret", "salt"]).unwrap();
        assert_eq!(again.as_str(), Some(sealed));
        let opened = call("unvault", &[sealed, "secret"]).unwrap();
        assert_eq!(opened.as_str(), Some("hidden"));
        assert!(call("unvault", &[sealed, "other"]).is_err());
        let plain = call("unvault", &["not sealed", "secret"]).unwrap();
        assert_eq!(plain.as_str(), Some("not sealed"));
    }
}
