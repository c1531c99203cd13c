//! `ansible.posix.authorized_key`: keys with which a user may log in.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object,
};

use super::accounts;
use crate::answers::{run as change, succeeded};
use crate::changing::{TextFile, joined, outcome};
use crate::describe::{
    choice, example, needed, of_collection, path, presence, returns, switch, text,
};
use crate::paths::{parent, word};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("user", "str", "The user."),
            ("key", "str", "The keys that were asked for."),
            ("keyfile", "path", "The file."),
            ("state", "str", "What they were asked to be."),
        ]),
        examples: vec![example(
            "Let someone in",
            "ansible.posix.authorized_key:\n  user: app\n  key: \"{{ lookup('file', 'app.pub') }}\"",
        )],
        ..of_collection(
            "ansible.posix",
            "authorized_key",
            "Keeps keys with which a user may log in.",
            arguments(),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        needed(text("user", "The user.")),
        needed(text("key", "The keys, one a line, or their address.")),
        path(
            "path",
            "The file; without it, the one in the user's home directory.",
        ),
        choice(
            "manage_dir",
            "Keeps the directory of the file and its mode.",
        )
        .defaults_to(true),
        presence(),
        text("key_options", "Options that stand before the key."),
        switch("exclusive", "Removes all other keys."),
        choice("validate_certs", "Checks the server's certificate.").defaults_to(true),
        text("comment", "Comment of the key."),
        switch(
            "follow",
            "Follows a symbolic link; links are always followed.",
        ),
    ]
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("user");
    let user = accounts::user(&host, name).await?;
    let path = match (arguments.text("path"), &user) {
        (Some(path), Some(user)) => path.replace("%u", name).replace("%h", &user.home),
        (Some(path), None) => path.to_owned(),
        (None, Some(user)) => format!("{}/.ssh/authorized_keys", user.home.trim_end_matches('/')),
        (None, None) => {
            return Err(Failure::new(format!(
                "Failed to lookup user {name}: there is no such user"
            )));
        }
    };
    let given = keys_given(&host, &arguments).await?;
    let wanted = read_wanted(&given, &arguments)?;
    let is_present = arguments.text("state") != Some("absent");
    let file = TextFile::read(&host, &path).await?;
    let after = edited(
        &file.text,
        &wanted,
        is_present,
        is_present && arguments.flag("exclusive"),
    );
    let mut result = Object::new();
    for argument in [
        "user",
        "state",
        "exclusive",
        "manage_dir",
        "key_options",
        "comment",
        "validate_certs",
        "path",
    ] {
        let value = arguments.value(argument).cloned().unwrap_or_default();
        result.insert(argument.to_owned(), value);
    }
    result.insert("key".into(), given.into());
    result.insert("keyfile".into(), path.as_str().into());
    if after == file.text {
        return Ok(outcome(false, result));
    }
    file.declare(&host, &after, result.clone()).await?;
    let owner = user.filter(|_| arguments.flag("manage_dir") || !file.exists);
    let numbers = owner.map(|user| format!("{}:{}", user.uid, user.gid));
    if arguments.flag("manage_dir") {
        let directory = word(parent(&path));
        let owned = numbers
            .as_ref()
            .map(|numbers| format!(" && chown {numbers} {directory}"))
            .unwrap_or_default();
        let script = format!("mkdir -p {directory} && chmod 0700 {directory}{owned}");
        change(&host, script, "making the directory of the keys").await?;
    }
    file.write(&host, after, 0o600, false).await?;
    if let Some(numbers) = numbers {
        let script = format!("chown {numbers} {0} && chmod 0600 {0}", word(&path));
        change(&host, script, "giving the file to its user").await?;
    }
    Ok(outcome(true, result))
}

async fn keys_given(host: &Host, arguments: &Arguments) -> Result<String, Failure> {
    let key = arguments.text_or_empty("key");
    if !key.starts_with("http://") && !key.starts_with("https://") {
        return Ok(key.to_owned());
    }
    let insecure = if arguments.flag("validate_certs") {
        ""
    } else {
        " -k"
    };
    let fetch = format!("curl -sSfL{insecure} {}", Host::quote(key));
    Ok(succeeded(
        host.read_script(fetch).await?,
        "Error getting key from: the address",
    )?
    .stdout)
}

/// One line of the file that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    options: String,
    kind: String,
    body: String,
    comment: String,
}

impl Key {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let words = words(line);
        let at = words.iter().take(2).position(|(_, word)| is_kind(word))?;
        let (body_at, body) = *words.get(at + 1)?;
        let (kind_at, kind) = *words.get(at)?;
        Some(Self {
            options: line.get(..kind_at)?.trim().to_owned(),
            kind: kind.to_owned(),
            body: body.to_owned(),
            comment: line.get(body_at + body.len()..)?.trim().to_owned(),
        })
    }

    fn line(&self) -> String {
        let parts = [&self.options, &self.kind, &self.body, &self.comment];
        let parts: Vec<&str> = parts
            .iter()
            .map(|part| part.as_str())
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(" ")
    }

    fn is_same(&self, other: &Key) -> bool {
        (&self.options, &self.kind, &self.body, &self.comment)
            == (&other.options, &other.kind, &other.body, &other.comment)
    }
}

fn is_kind(word: &str) -> bool {
    word.starts_with("ssh-") || word.starts_with("ecdsa-sha2-") || word.starts_with("sk-")
}

/// Splits at spaces outside of double quotes; with each word goes where it begins.
fn words(line: &str) -> Vec<(usize, &str)> {
    let (mut words, mut start, mut quoted) = (Vec::new(), None, false);
    for (at, c) in line.char_indices() {
        quoted ^= c == '"';
        match (c.is_whitespace() && !quoted, start) {
            (true, Some(begin)) => {
                words.extend(line.get(begin..at).map(|word| (begin, word)));
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    words.extend(start.and_then(|begin| Some((begin, line.get(begin..)?))));
    words
}

fn read_wanted(given: &str, arguments: &Arguments) -> Result<Vec<Key>, Failure> {
    let mut wanted = Vec::new();
    for line in given
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let mut key =
            Key::of(line).ok_or_else(|| Failure::new(format!("invalid key specified: {line}")))?;
        if let Some(options) = arguments.text("key_options") {
            options.clone_into(&mut key.options);
        }
        if let Some(comment) = arguments.text("comment") {
            comment.clone_into(&mut key.comment);
        }
        wanted.push(key);
    }
    Ok(wanted)
}

fn edited(text: &str, wanted: &[Key], is_present: bool, exclusive: bool) -> String {
    let mut left: Vec<&Key> = wanted.iter().collect();
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some(known) = Key::of(line) else {
            if !exclusive || line.trim().starts_with('#') {
                lines.push(line.to_owned());
            }
            continue;
        };
        match wanted
            .iter()
            .find(|key| key.body == known.body && key.kind == known.kind)
        {
            Some(_) if !is_present => {}
            Some(key) => {
                left.retain(|other| other.body != key.body);
                lines.push(if key.is_same(&known) {
                    line.to_owned()
                } else {
                    key.line()
                });
            }
            None if exclusive => {}
            None => lines.push(line.to_owned()),
        }
    }
    if is_present {
        lines.extend(left.iter().map(|key| key.line()));
    }
    let after = joined(&lines);
    if after.trim_end() == text.trim_end() {
        text.to_owned()
    } else {
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_body() {
        let key = Key::of("command=\"a b\",no-pty ssh-rsa AAAA me and you").unwrap();
        assert_eq!(
            (key.options.as_str(), key.comment.as_str()),
            ("command=\"a b\",no-pty", "me and you")
        );
        let text = "# mine\nssh-rsa AAAA old\nssh-ed25519 BBBB x\n";
        let new = vec![Key::of("ssh-rsa AAAA new").unwrap()];
        assert_eq!(
            edited(text, &new, true, false),
            "# mine\nssh-rsa AAAA new\nssh-ed25519 BBBB x\n"
        );
        assert_eq!(edited(text, &new, true, true), "# mine\nssh-rsa AAAA new\n");
        assert_eq!(
            edited(text, &new, false, false),
            "# mine\nssh-ed25519 BBBB x\n"
        );
        assert_eq!(edited("", &new, true, false), "ssh-rsa AAAA new\n");
    }
}
