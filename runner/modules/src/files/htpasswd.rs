//! `community.general.htpasswd`: users of a web server's password file.

use sasrun_plugin::{
    Arguments, Call, Command, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object,
};

use super::edit::{self, Edit};
use crate::answers::succeeded;
use crate::describe::{
    choice, example, file_arguments, needed, of_collection, path, presence, returns, text, with,
};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(path("path", "The file.")).alias(&["dest", "destfile"]),
        needed(text("name", "The user.")).alias(&["username"]),
        text("password", "Password in plain text.").secret(),
        text("hash_scheme", "How the password is hidden.")
            .choices(&[
                "apr_md5_crypt",
                "md5_crypt",
                "sha256_crypt",
                "sha512_crypt",
                "plaintext",
            ])
            .defaults_to("apr_md5_crypt")
            .alias(&["crypt_scheme"]),
        presence(),
        choice("create", "Makes the file if it is not there.").defaults_to(true),
    ];
    ModuleSpec {
        diff: false,
        returns: returns(&[("msg", "str", "What was done.")]),
        examples: vec![example(
            "Let a user in",
            "community.general.htpasswd:\n  path: /etc/nginx/passwd\n  name: jane\n  password: '{{ secret }}'\n  mode: '0640'",
        )],
        ..of_collection(
            "community.general",
            "htpasswd",
            "Keeps users of a web server's password file.",
            with(own, file_arguments()),
        )
    }
}

async fn run(mut call: Call, host: Host) -> ModuleResult {
    // The lines are secrets of a kind; no difference is shown.
    call.diff = false;
    let arguments = Arguments::validated(call.arguments.clone());
    let name = arguments.text_or_empty("name");
    let is_present = arguments.text("state") != Some("absent");
    let found = edit::find(&host, arguments.text_or_empty("path")).await?;
    if !found.status.exists() {
        if !is_present {
            let msg = format!("{} not present", found.path);
            return Ok(sasrun_plugin::Outcome::unchanged().with("msg", msg));
        }
        if !arguments.flag("create") {
            return Err(Failure::new(format!(
                "Destination {} does not exist",
                found.path
            )));
        }
    }
    let is_of = |line: &str| line.split(':').next() == Some(name);
    let old = found
        .file
        .text
        .lines()
        .find(|line| is_of(line))
        .map(str::to_owned);
    let new = match (is_present, arguments.text("password")) {
        (false, _) => None,
        (true, None) => {
            return Err(Failure::new(
                "state is present but all of the following are missing: password",
            ));
        }
        (true, Some(password)) => {
            Some(entry(&host, &arguments, name, password, old.as_deref()).await?)
        }
    };
    let msg = match (&old, &new) {
        (Some(old), Some(new)) if old == new => format!("{name} already present"),
        (None, None) => format!("{name} not present"),
        (Some(_), None) => format!("Remove {name}"),
        _ => format!("Add {name}"),
    };
    let mut lines: Vec<&str> = found.file.text.lines().collect();
    match (lines.iter().position(|line| is_of(line)), new.as_deref()) {
        (Some(at), Some(new)) => lines[at] = new,
        (Some(at), None) => {
            lines.remove(at);
        }
        (None, Some(new)) => lines.push(new),
        (None, None) => {}
    }
    let changed = old != new;
    let text = if changed {
        crate::changing::joined(&lines)
    } else {
        found.file.text.clone()
    };
    edit::finish(
        &host,
        &call,
        found,
        Edit { text, msg, changed },
        Object::new(),
    )
    .await
}

/// Returns the line of a user: the one that is there if its password is this one.
async fn entry(
    host: &Host,
    arguments: &Arguments,
    name: &str,
    password: &str,
    old: Option<&str>,
) -> Result<String, Failure> {
    let option = match arguments.text_or_empty("hash_scheme") {
        "plaintext" => return Ok(format!("{name}:{password}")),
        "md5_crypt" => "-1",
        "sha256_crypt" => "-5",
        "sha512_crypt" => "-6",
        _ => "-apr1",
    };
    let known = old
        .and_then(|line| line.split_once(':'))
        .map(|(_, hash)| hash);
    let salt = known
        .and_then(|hash| hash.split('$').nth(2))
        .filter(|salt| !salt.is_empty());
    let again = salt
        .map(|salt| format!(" -salt {}", Host::quote(salt)))
        .unwrap_or_default();
    let hash = |options: String| Command {
        script: format!("openssl passwd {option}{options} -stdin"),
        stdin: Some(format!("{password}\n")),
        sensitive: true,
        ..Command::default()
    };
    if salt.is_some() {
        let output = succeeded(
            host.read_command(hash(again)).await?,
            "hashing the password",
        )?;
        if Some(output.stdout.trim()) == known {
            return Ok(old.unwrap_or_default().to_owned());
        }
    }
    let output = succeeded(
        host.read_command(hash(String::new())).await?,
        "hashing the password",
    )?;
    Ok(format!("{name}:{}", output.stdout.trim()))
}
