//! `known_hosts`: keys of other hosts that the host trusts.

use sasrun_plugin::{
    Arguments, Call, Content, Diff, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object, Outcome, WriteFile,
};

use crate::answers::{Answers, bytes_of, look, whole};
use crate::describe::{core, example, needed, path, returns, switch, text};
use crate::paths;

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
                switch("hash_host", "Accepted; names are kept readable."),
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
    let path = paths::expand(&host, arguments.text_or_empty("path")).await?;
    let is_present = arguments.text("state") != Some("absent");
    let wanted = line_of(&name, arguments.text("key"), is_present)?;
    let mut answers = Answers::of(&host, vec![look(&path, true), whole(&path)]).await?;
    let status = answers.status()?;
    let before = if status.exists() {
        String::from_utf8_lossy(&bytes_of(&answers.file()?)?).into_owned()
    } else {
        String::new()
    };
    let after = edited(&before, &name, wanted.as_deref(), is_present);
    let outcome = |changed| {
        Outcome {
            changed,
            ..Outcome::default()
        }
        .with("name", name.as_str())
        .with("path", path.as_str())
        .with("state", arguments.text_or_empty("state"))
    };
    if after == before {
        return Ok(outcome(false));
    }
    let diff = Diff::text(&path, before, after.as_str());
    host.will_change(
        format!("{path}: the key of {name}"),
        Some(diff),
        Object::new(),
    )
    .await?;
    if !status.exists() {
        let parent = paths::word(paths::parent(&path));
        crate::answers::run(
            &host,
            format!("umask 077; mkdir -p {parent}"),
            "making the directory",
        )
        .await?;
    }
    host.write(WriteFile {
        path: path.clone(),
        content: Content::Text(after),
        mode: (!status.exists()).then_some(0o600),
        owner: None,
        group: None,
        backup: false,
        validate: None,
        unsafe_writes: false,
    })
    .await?;
    Ok(outcome(true))
}

/// Returns the line that the key stands for.
fn line_of(name: &str, key: Option<&str>, is_present: bool) -> Result<Option<String>, Failure> {
    let Some(key) = key.map(str::trim).filter(|key| !key.is_empty()) else {
        if is_present {
            return Err(Failure::new("No key specified when adding a host"));
        }
        return Ok(None);
    };
    let first = key.split_whitespace().next().unwrap_or_default();
    let is_key_alone =
        first.starts_with("ssh-") || first.starts_with("ecdsa-") || first.starts_with("sk-");
    if is_key_alone {
        return Ok(Some(format!("{name} {key}")));
    }
    let names_it = first
        .split(',')
        .any(|known| known.eq_ignore_ascii_case(name))
        || first.starts_with(['|', '@']);
    if !names_it {
        return Err(Failure::new(format!(
            "Host parameter does not match hashed host field in supplied key: {name} is not {first}"
        )));
    }
    Ok(Some(key.to_owned()))
}

fn edited(text: &str, name: &str, wanted: Option<&str>, is_present: bool) -> String {
    let kind_of = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    let is_of = |line: &&str| {
        let first = line.split_whitespace().next().unwrap_or_default();
        first
            .split(',')
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    if is_present && text.lines().any(|line| Some(line.trim()) == wanted) {
        return text.to_owned();
    }
    let same_kind = |line: &&str| wanted.is_none_or(|wanted| kind_of(line) == kind_of(wanted));
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| !(is_of(line) && same_kind(line)))
        .collect();
    lines.extend(wanted.filter(|_| is_present));
    if lines.is_empty() {
        String::new()
    } else {
        format!("{}\n", lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::edited;

    #[test]
    fn a_key_replaces_the_one_of_its_kind() {
        let text = "a ssh-rsa A\nb ssh-rsa B\na ssh-ed25519 C\n";
        assert_eq!(
            edited(text, "a", Some("a ssh-rsa D"), true),
            "b ssh-rsa B\na ssh-ed25519 C\na ssh-rsa D\n"
        );
        assert_eq!(edited(text, "a", Some("a ssh-rsa A"), true), text);
        assert_eq!(edited(text, "a", None, false), "b ssh-rsa B\n");
    }
}
