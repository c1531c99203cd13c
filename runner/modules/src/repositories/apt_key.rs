//! `apt_key`: keys that apt trusts.

use sasrun_plugin::{
    Arguments, Call, Command, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
};

use crate::answers::{run as change, succeeded};
use crate::changing::{fields, outcome};
use crate::describe::{choice, core, example, path, presence, returns, set, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        mutually_exclusive: vec![set(&["data", "file", "keyserver", "url"])],
        required_one_of: vec![set(&["id", "data", "file", "url", "keyserver"])],
        returns: returns(&[
            ("before", "list", "Keys that were there."),
            ("after", "list", "Keys that are there now."),
            ("id", "str", "The key that was asked for."),
            ("key_id", "str", "Its long number."),
            ("short_id", "str", "Its short number."),
        ]),
        examples: vec![example(
            "Trust a key",
            "ansible.builtin.apt_key:\n  url: https://deb.example.com/key.asc\n  state: present",
        )],
        ..core(
            "apt_key",
            "Adds and removes keys that apt trusts.",
            vec![
                text("id", "Number or fingerprint of the key."),
                text("data", "The key as text."),
                path("file", "File of the host with the key."),
                path(
                    "keyring",
                    "File of keys to work on; without it, the one of apt.",
                ),
                text("url", "Address of the key."),
                text("keyserver", "Server to ask for the key."),
                presence(),
                choice("validate_certs", "Checks the server's certificate.").defaults_to(true),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let is_present = arguments.text("state") != Some("absent");
    let tool = tool(&arguments);
    let before = keys(&host, &tool).await?;
    let wanted = match arguments.text("id") {
        Some(id) => number(id)?,
        None => fetched_number(&host, &arguments).await?,
    };
    let is_there = before
        .iter()
        .any(|known| known.ends_with(&wanted) || wanted.ends_with(known.as_str()));
    let result = |after: &[String]| {
        let tail = |length: usize| {
            wanted
                .get(wanted.len().saturating_sub(length)..)
                .unwrap_or_default()
        };
        fields([
            ("before", before.clone().into()),
            ("after", after.to_vec().into()),
            ("id", arguments.text("id").unwrap_or(&wanted).into()),
            ("fp", wanted.as_str().into()),
            ("key_id", tail(16).into()),
            ("short_id", tail(8).into()),
        ])
    };
    if is_there == is_present {
        return Ok(outcome(false, result(&before)));
    }
    let verb = if is_present { "trust" } else { "distrust" };
    host.will_change(format!("{verb} the key {wanted}"), None, result(&before))
        .await?;
    if is_present {
        let add = Command {
            script: format!("{} | {tool} --import -", source(&arguments, &wanted, &tool)),
            stdin: arguments.text("data").map(str::to_owned),
            ..Command::default()
        };
        let add = if arguments.has("keyserver") {
            Command {
                script: source(&arguments, &wanted, &tool),
                ..add
            }
        } else {
            add
        };
        succeeded(host.run(add).await?, "adding the key")?;
    } else {
        change(
            &host,
            format!("{tool} --delete-keys --yes {}", Host::quote(&wanted)),
            "removing the key",
        )
        .await?;
    }
    let after = keys(&host, &tool).await?;
    let is_now = after
        .iter()
        .any(|known| known.ends_with(&wanted) || wanted.ends_with(known.as_str()));
    if is_now != is_present {
        return Err(Failure::new(format!(
            "apt-key did not return an error, but the key {wanted} is {}",
            if is_now { "still there" } else { "not there" }
        )));
    }
    Ok(outcome(true, result(&after)))
}

/// The program that works on the keys: gpg on the file of keys.
fn tool(arguments: &Arguments) -> String {
    let keyring = arguments.text("keyring").unwrap_or("/etc/apt/trusted.gpg");
    let ring = Host::quote(&format!("gnupg-ring:{keyring}"));
    format!(
        "gpg --batch --no-tty --no-default-keyring --keyring {ring} --ignore-time-conflict --no-options --trust-model always"
    )
}

/// Writes shell text that prints the key, or brings it into the ring from a server.
fn source(arguments: &Arguments, wanted: &str, tool: &str) -> String {
    if let Some(server) = arguments.text("keyserver") {
        let (server, wanted) = (Host::quote(server), Host::quote(wanted));
        return format!("{tool} --keyserver {server} --recv-keys {wanted}");
    }
    if let Some(file) = arguments.text("file") {
        return format!("cat {}", crate::paths::word(file));
    }
    if let Some(url) = arguments.text("url") {
        let insecure = if arguments.flag("validate_certs") {
            ""
        } else {
            " -k"
        };
        return format!("curl -sSfL{insecure} {}", Host::quote(url));
    }
    "cat".to_owned()
}

async fn keys(host: &Host, tool: &str) -> Result<Vec<String>, Failure> {
    let script = format!("{tool} --with-colons --list-keys 2>/dev/null; gpg --version >/dev/null");
    let output = succeeded(host.read_script(script).await?, "asking gpg for the keys")?;
    Ok(numbers(&output.stdout))
}

/// Asks gpg which key the given one is.
async fn fetched_number(host: &Host, arguments: &Arguments) -> Result<String, Failure> {
    if arguments.has("keyserver") {
        return Err(Failure::new("a key of a keyserver needs `id`"));
    }
    let tool = "gpg --batch --no-tty --with-colons --import-options show-only --import";
    let read = Command {
        script: format!("{} | {tool} 2>/dev/null", source(arguments, "", tool)),
        stdin: arguments.text("data").map(str::to_owned),
        ..Command::default()
    };
    let output = host.read_command(read).await?;
    numbers(&output.stdout).into_iter().next().ok_or_else(|| {
        Failure::new("Unable to find a key in what was given").with("stderr", output.stderr)
    })
}

/// Reads the long numbers of public keys out of gpg's table.
fn numbers(table: &str) -> Vec<String> {
    table
        .lines()
        .filter(|line| line.starts_with("pub:"))
        .filter_map(|line| line.split(':').nth(4).map(str::to_owned))
        .collect()
}

fn number(id: &str) -> Result<String, Failure> {
    let id = id.trim().to_uppercase().replace(' ', "");
    let id = id.strip_prefix("0X").unwrap_or(&id).to_owned();
    if ![8, 16, 40].contains(&id.len()) && id.len() <= 16
        || !id.chars().all(|c| c.is_ascii_hexdigit())
    {
        return Err(Failure::new(format!("Invalid key_id: {id}")).with("id", id));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::{number, numbers};

    #[test]
    fn numbers_of_keys() {
        assert_eq!(number("0x9feD1bcb").unwrap(), "9FED1BCB");
        assert!(number("xyz").is_err());
        assert_eq!(
            numbers("tru::\npub:-:4096:1:ABCDEF0123456789:1:::\nfpr:x\n"),
            ["ABCDEF0123456789"]
        );
    }
}
