//! `known_hosts`: keys of other hosts that the host trusts.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
};
use serde_json::json;

use super::host_key::Key;
use crate::changing::{TextFile, outcome};
use crate::describe::{core, example, needed, path, returns, switch, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("name", "str", "The other host."),
            ("path", "path", "The file."),
        ]),
        examples: vec![example(
            "Trust a host",
            "ansible.builtin.known_hosts:\n  name: web01\n  key: web01 ssh-ed25519 AAAA…",
        )],
        ..core(
            "known_hosts",
            "Adds and removes keys of other hosts.",
            vec![
                needed(text("name", "The other host, as in the file.")).alias(&["host"]),
                text("key", "Line of the file, or type and key alone."),
                path("path", "The file.").defaults_to("~/.ssh/known_hosts"),
                switch(
                    "hash_host",
                    "Hides the name, as `HashKnownHosts` of ssh does.",
                ),
                text("state", "Whether the key shall be there.")
                    .choices(&["absent", "present"])
                    .defaults_to("present"),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name").to_lowercase();
    let is_present = arguments.text("state") != Some("absent");
    let wanted = wanted(&name, arguments.text("key"), is_present)?;
    let file = TextFile::read(&host, arguments.text_or_empty("path")).await?;
    let hashed = arguments.flag("hash_host");
    let found = search(&file.text, &name, wanted.as_ref(), hashed);
    let mut after = removed(&file.text, &name, &found, is_present, wanted.is_none());
    if let Some(key) = wanted.as_ref().filter(|_| is_present && !found.is_same) {
        let key = if hashed {
            key.hidden(&name, &salt(&host).await?)
        } else {
            key.clone()
        };
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(&format!("{}\n", key.line()));
    }
    let mut result = Object::new();
    for argument in ["key", "hash_host", "state"] {
        let value = arguments.value(argument).cloned().unwrap_or_default();
        result.insert(argument.to_owned(), value);
    }
    result.insert("name".into(), name.as_str().into());
    result.insert("path".into(), file.path.as_str().into());
    let header = if file.exists { &file.path } else { "/dev/null" };
    result.insert(
        "diff".into(),
        json!({
            "before_header": header, "after_header": file.path,
            "before": file.text, "after": after,
        }),
    );
    if after == file.text {
        return Ok(outcome(false, result));
    }
    file.declare(&host, &after, result.clone()).await?;
    file.write(&host, after, 0o600, false).await?;
    Ok(outcome(true, result))
}

/// Twenty random bytes of the host's, for hiding a name.
async fn salt(host: &Host) -> Result<Vec<u8>, Failure> {
    let shown = host
        .read_script("dd if=/dev/urandom bs=20 count=1 2>/dev/null | od -A n -t x1")
        .await?;
    let bytes: Vec<u8> = shown
        .stdout
        .split_whitespace()
        .filter_map(|word| u8::from_str_radix(word, 16).ok())
        .collect();
    if bytes.len() == 20 {
        return Ok(bytes);
    }
    Err(Failure::new(
        "the host has no random bytes to hide the name with",
    ))
}

/// Reads the key that was given, and makes sure that it is one of the name.
fn wanted(name: &str, key: Option<&str>, is_present: bool) -> Result<Option<Key>, Failure> {
    let Some(key) = key.map(str::trim).filter(|key| !key.is_empty()) else {
        if is_present {
            return Err(Failure::new("No key specified when adding a host"));
        }
        return Ok(None);
    };
    let names: Vec<&str> = name
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if names.len() > 1 {
        return Err(Failure::new(
            "Comma separated list of names is not supported. Please pass a single name to lookup in the known_hosts file.",
        ));
    }
    let is_kind = |word: &str| {
        word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-")
    };
    let line = match key.split_whitespace().next() {
        Some(first) if is_kind(first) => format!("{name} {key}"),
        _ => key.to_owned(),
    };
    match Key::of(&line) {
        Some(key) if key.is_of(name) => Ok(Some(key)),
        _ => Err(Failure::new(
            "Host parameter does not match hashed host field in supplied key",
        )),
    }
}

/// What the file says of the host.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Whether the very key is there.
    is_same: bool,
    /// Line of the key, or of another of its kind.
    line: Option<usize>,
}

fn search(text: &str, name: &str, wanted: Option<&Key>, hashed: bool) -> Found {
    let Some(wanted) = wanted else {
        return Found::default();
    };
    for (at, line) in text.lines().enumerate() {
        let Some(known) = Key::of(line).filter(|known| known.is_of(name)) else {
            continue;
        };
        let same_key =
            known.kind == wanted.kind && known.body == wanted.body && known.mark == wanted.mark;
        let hides = hashed || wanted.names.starts_with("|1|");
        let same_names = if hides {
            known.names.starts_with("|1|")
        } else {
            known.names == wanted.names
        };
        if same_key && same_names {
            return Found {
                is_same: true,
                line: Some(at),
            };
        }
        if known.mark.is_none() && known.kind == wanted.kind {
            return Found {
                is_same: false,
                line: Some(at),
            };
        }
    }
    Found::default()
}

/// Returns the text without the line that is replaced or goes; without a key all of the host go.
fn removed(text: &str, name: &str, found: &Found, is_present: bool, all: bool) -> String {
    let goes = |at: usize, line: &str| {
        if all {
            return !is_present
                && Key::of(line).is_some_and(|known| known.mark.is_none() && known.is_of(name));
        }
        found.line == Some(at) && !(is_present && found.is_same)
    };
    text.split_inclusive('\n')
        .enumerate()
        .filter(|(at, line)| !goes(*at, line))
        .map(|(_, line)| line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, key: Option<&str>, is_present: bool) -> String {
        let wanted = wanted("a", key, is_present).unwrap();
        let found = search(text, "a", wanted.as_ref(), false);
        let mut after = removed(text, "a", &found, is_present, wanted.is_none());
        if let Some(key) = wanted.filter(|_| is_present && !found.is_same) {
            after.push_str(&format!("{}\n", key.line()));
        }
        after
    }

    #[test]
    fn a_key_replaces_the_one_of_its_kind() {
        let text = "a ssh-rsa A\nb ssh-rsa B\na ssh-ed25519 C\n";
        assert_eq!(
            edited(text, Some("a ssh-rsa D"), true),
            "b ssh-rsa B\na ssh-ed25519 C\na ssh-rsa D\n"
        );
        assert_eq!(edited(text, Some("a ssh-rsa A"), true), text);
        assert_eq!(edited(text, None, false), "b ssh-rsa B\n");
        assert_eq!(edited(text, Some("a ecdsa-sha2 X"), false), text);
        assert!(wanted("a", Some("b ssh-rsa X"), true).is_err());
    }
}
