//! `deb822_repository`: sources of apt in files of their own, with their keys.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, Command, Content, Diff, Failure, FunctionModule,
    Host, Module, ModuleResult, ModuleSpec, WriteFile,
};
use serde_json::{Value, json};

use crate::answers::{Answers, look, run as change, succeeded};
use crate::attributes::Attributes;
use crate::changing::{TextFile, fields, outcome};
use crate::describe::{choice, core, example, integer, needed, presence, returns, text, texts};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

/// Arguments that become fields, in the order in which they stand in the file.
const FIELDS: [(&str, &str); 20] = [
    ("allow_downgrade_to_insecure", "Allow-Downgrade-To-Insecure"),
    ("allow_insecure", "Allow-Insecure"),
    ("allow_weak", "Allow-Weak"),
    ("architectures", "Architectures"),
    ("by_hash", "By-Hash"),
    ("check_date", "Check-Date"),
    ("check_valid_until", "Check-Valid-Until"),
    ("components", "Components"),
    ("date_max_future", "Date-Max-Future"),
    ("enabled", "Enabled"),
    ("inrelease_path", "InRelease-Path"),
    ("languages", "Languages"),
    ("name", "X-Repolib-Name"),
    ("pdiffs", "PDiffs"),
    ("signed_by", "Signed-By"),
    ("suites", "Suites"),
    ("targets", "Targets"),
    ("trusted", "Trusted"),
    ("types", "Types"),
    ("uris", "URIs"),
];

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("repo", "str", "Text of the file."),
            ("dest", "path", "The file."),
            (
                "key_filename",
                "path",
                "File of the key, if one was written.",
            ),
        ]),
        examples: vec![example(
            "Add a repository",
            "ansible.builtin.deb822_repository:\n  name: example\n  types: deb\n  uris: https://deb.example.com/debian\n  suites: stable\n  components: main\n  signed_by: https://deb.example.com/key.asc",
        )],
        ..core(
            "deb822_repository",
            "Adds and removes sources of apt in files of their own.",
            arguments(),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        needed(text(
            "name",
            "Name of the repository; the file is named after it.",
        )),
        presence(),
        ArgumentSpec::optional("mode", ArgumentType::Mode, "Permission bits of the file.")
            .defaults_to("0644"),
        texts("types", "Kinds of packages.")
            .choices(&["deb", "deb-src"])
            .defaults_to(json!(["deb"])),
        texts("uris", "Addresses."),
        texts("suites", "Suites, or paths that end with a slash."),
        texts("components", "Components."),
        texts("architectures", "Architectures."),
        texts("languages", "Languages."),
        texts("targets", "Targets."),
        text(
            "signed_by",
            "The key: its text, its address, a file of the host, or a fingerprint.",
        ),
        choice("enabled", "Whether it is used."),
        choice("trusted", "Whether it is trusted without a check."),
        choice("by_hash", "Whether indexes are fetched by their hash."),
        choice("pdiffs", "Whether differences of indexes are fetched."),
        choice("check_date", "Whether the date of the release is checked."),
        choice("check_valid_until", "Whether the release may expire."),
        integer("date_max_future", "Seconds that its date may lie ahead."),
        text("inrelease_path", "Where its release file is."),
        choice(
            "allow_downgrade_to_insecure",
            "Allows it to lose its signature.",
        ),
        choice("allow_insecure", "Allows it to have no signature."),
        choice("allow_weak", "Allows weak signatures."),
        choice("install_python_debian", "Accepted; nothing is needed."),
    ]
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let slug = slug(arguments.text_or_empty("name"));
    let dest = format!("/etc/apt/sources.list.d/{slug}.sources");
    let keys = [
        format!("/etc/apt/keyrings/{slug}.asc"),
        format!("/etc/apt/keyrings/{slug}.gpg"),
    ];
    if arguments.text("state") == Some("absent") {
        return remove(&host, &dest, &keys).await;
    }
    let key = match arguments.text("signed_by") {
        Some(given) => Key::of(&host, given, &keys).await?,
        None => None,
    };
    let repo = stanza(&arguments, key.as_ref().and_then(|key| key.path.as_deref()));
    let file = TextFile::read(&host, &dest).await?;
    let status = Answers::of(&host, vec![look(&dest, true)])
        .await?
        .status()?;
    let attributes = Attributes {
        mode: arguments.mode_form("mode"),
        ..Attributes::default()
    };
    let difference = attributes.difference(&status);
    let path = key.as_ref().and_then(|key| key.path.clone());
    let result = fields([
        ("repo", repo.as_str().into()),
        ("dest", dest.as_str().into()),
        ("key_filename", path.map_or(Value::Null, Value::from)),
    ]);
    let writes_key = key.as_ref().is_some_and(|key| !key.is_there);
    let is_right = file.exists && difference.is_empty() && file.text == repo;
    if is_right && !writes_key {
        return Ok(outcome(false, result));
    }
    let diff = Diff::text(&dest, file.text.as_str(), repo.as_str());
    host.will_change(format!("write {dest}"), Some(diff), result.clone())
        .await?;
    if let Some(Key {
        path: Some(path),
        base64,
        is_there: false,
    }) = key
    {
        change(
            &host,
            "mkdir -p /etc/apt/keyrings".into(),
            "making the directory",
        )
        .await?;
        place(&host, path, Content::Base64(base64), Some(0o644)).await?;
    }
    if !is_right {
        let mode = attributes.bits_of_new(false);
        place(&host, dest, Content::Text(repo), mode).await?;
    }
    Ok(outcome(true, result))
}

async fn place(
    host: &Host,
    path: String,
    content: Content,
    mode: Option<u32>,
) -> Result<(), Failure> {
    host.write(WriteFile {
        path,
        content,
        mode,
        owner: None,
        group: None,
        backup: false,
        validate: None,
        unsafe_writes: false,
    })
    .await?;
    Ok(())
}

async fn remove(host: &Host, dest: &str, keys: &[String; 2]) -> ModuleResult {
    let all = [dest, &keys[0], &keys[1]];
    let mut answers = Answers::of(host, all.iter().map(|path| look(path, false)).collect()).await?;
    let mut there = Vec::new();
    for path in all {
        if answers.status()?.exists() {
            there.push(crate::paths::word(path));
        }
    }
    let result = fields([
        ("repo", Value::Null),
        ("dest", dest.into()),
        ("key_filename", keys[1].as_str().into()),
    ]);
    if there.is_empty() {
        return Ok(outcome(false, result));
    }
    let script = format!("rm -f {}", there.join(" "));
    crate::changing::carry_out(host, format!("remove {dest}"), None, script, result).await
}

/// A key that goes into a file of its own; without a path it stands in the stanza itself.
struct Key {
    path: Option<String>,
    base64: String,
    is_there: bool,
}

impl Key {
    async fn of(host: &Host, given: &str, keys: &[String; 2]) -> Result<Option<Self>, Failure> {
        if !given.contains("://") {
            return Ok(None);
        }
        // The address is read by the host; what it holds is compared with the file that is there.
        let script = format!(
            "for f in {} {}; do if [ -f \"$f\" ]; then echo \"$f\"; base64 < \"$f\" | tr -d '\\n'; echo; fi; done; echo ==\n\
             if curl --version >/dev/null 2>&1; then curl -sSfL {url} | base64; \
             else wget -q -O - {url} | base64; fi",
            keys[0],
            keys[1],
            url = Host::quote(given)
        );
        let read = Command {
            script,
            ..Command::default()
        };
        let output = succeeded(
            host.read_command(read).await?,
            "Could not fetch signed_by key",
        )?;
        let (known, fetched) = output.stdout.split_once("==\n").unwrap_or_default();
        let base64: String = fetched.split_whitespace().collect();
        if base64.is_empty() {
            return Err(Failure::new(format!(
                "Could not fetch signed_by key: {}",
                output.stderr.trim()
            )));
        }
        // `LS0t` is how the dashes of an armoured key begin in Base64.
        let path = if base64.starts_with("LS0t") {
            &keys[0]
        } else {
            &keys[1]
        };
        let mut lines = known.lines();
        let mut is_there = false;
        while let (Some(file), Some(content)) = (lines.next(), lines.next()) {
            is_there |= file == path && content == base64;
        }
        Ok(Some(Self {
            path: Some(path.clone()),
            base64,
            is_there,
        }))
    }
}

fn stanza(arguments: &Arguments, key: Option<&str>) -> String {
    let mut lines = String::new();
    for (argument, field) in FIELDS {
        let Some(value) = arguments.value(argument) else {
            continue;
        };
        let value = match (argument, key) {
            ("signed_by", Some(path)) => path.to_owned(),
            _ => written(value),
        };
        lines.push_str(&format!("{field}: {value}\n"));
    }
    lines
}

fn written(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(written).collect();
            words.join(" ")
        }
        Value::String(text) if text.trim_end().contains('\n') => {
            let lines: Vec<String> = text
                .trim_end()
                .lines()
                .map(|line| {
                    if line.trim().is_empty() {
                        " .".to_owned()
                    } else {
                        format!(" {line}")
                    }
                })
                .collect();
            format!("\n{}", lines.join("\n"))
        }
        Value::String(text) => text.trim_end().to_owned(),
        other => other.to_string(),
    }
}

fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if c == '_' || c.is_whitespace() {
            if !slug.ends_with('\0') {
                slug.push('\0');
            }
        } else if c.is_ascii_alphanumeric() || c == '-' {
            slug.push(c);
        }
    }
    slug.replace('\0', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_has_its_fields_in_order() {
        let arguments = json!({
            "name": "My _Repo!", "types": ["deb"], "uris": ["http://a"], "enabled": true,
            "suites": ["x", "y"], "signed_by": "-----BEGIN\n\nabc\n-----END\n",
        });
        let arguments = Arguments::validated(arguments.as_object().unwrap().clone());
        assert_eq!(
            stanza(&arguments, None),
            "Enabled: yes\nX-Repolib-Name: My _Repo!\nSigned-By: \n -----BEGIN\n .\n abc\n -----END\n\
             Suites: x y\nTypes: deb\nURIs: http://a\n"
        );
        assert_eq!(slug("My _Repo!"), "my-repo");
    }
}
