//! `user`: accounts of the host.

mod key;
mod steps;
mod warnings;

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object, Outcome,
};
use serde_json::Value;

use super::accounts::{self, User};
use crate::describe::{choice, core, example, integer, needed, path, returns, switch, text, texts};
use crate::paths;
use key::Key;
use steps::CHANGE_PASSWORD;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        returns: returns(&[
            ("name", "str", "Name of the account."),
            ("uid", "int", "Its number."),
            ("group", "int", "Number of its group."),
            ("home", "str", "Its home directory."),
            ("shell", "str", "Its shell."),
            ("state", "str", "What it was asked to be."),
            ("groups", "str", "The other groups that were asked for."),
            ("append", "bool", "Whether they were added."),
            (
                "ssh_key_file",
                "str",
                "Where its key lies, if one was asked for.",
            ),
            ("ssh_public_key", "str", "The public half of that key."),
            ("ssh_fingerprint", "str", "The fingerprint of that key."),
        ]),
        examples: vec![example(
            "Make an account",
            "ansible.builtin.user:\n  name: app\n  groups: [wheel]\n  append: true\n  shell: /bin/sh",
        )],
        ..core("user", "Makes, changes and removes accounts.", arguments())
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        needed(text("name", "Name of the account.")).alias(&["user"]),
        text("state", "Whether it shall be there.")
            .choices(&["absent", "present"])
            .defaults_to("present"),
        integer("uid", "Its number."),
        switch("non_unique", "Allows a number that is taken."),
        text("group", "Its own group."),
        texts("groups", "Other groups it is in."),
        switch("append", "Adds to its groups instead of replacing them."),
        text("comment", "Who or what it is."),
        path("home", "Its home directory."),
        path("shell", "Its shell."),
        text("password", "Encrypted password.").secret(),
        text("update_password", "When the password is set.")
            .choices(&["always", "on_create"])
            .defaults_to("always"),
        choice("password_lock", "Whether logging in by password is locked."),
        choice("create_home", "Makes the home directory.")
            .alias(&["createhome"])
            .defaults_to(true),
        switch("move_home", "Moves the home directory along."),
        text("skeleton", "Directory whose files a new home gets."),
        switch("system", "Makes it an account of the system."),
        switch("force", "Removes it even if it is logged in."),
        switch("remove", "Removes its home directory too."),
        ArgumentSpec::optional(
            "expires",
            sasrun_plugin::ArgumentType::Float,
            "When it ends, in seconds since 1970; -1 for never.",
        ),
        integer(
            "password_expire_max",
            "Days after which a password must change.",
        ),
        integer("password_expire_min", "Days in which it must not."),
        integer("password_expire_warn", "Days of warning before."),
        integer(
            "password_expire_account_disable",
            "Days after the end of a password until the account is closed.",
        ),
        integer("uid_min", "Least number to give a new account."),
        integer("uid_max", "Greatest number to give a new account."),
        choice(
            "generate_ssh_key",
            "Makes a key pair for it, unless there is one; with `force` in any case.",
        ),
        integer("ssh_key_bits", "Size of that key."),
        text("ssh_key_type", "Kind of that key.").defaults_to("rsa"),
        path(
            "ssh_key_file",
            "Where that key lies, below the home directory unless it is an absolute path.",
        ),
        text(
            "ssh_key_comment",
            "Comment of that key; else who made it and where.",
        ),
        text(
            "ssh_key_passphrase",
            "Passphrase of that key; the host's list of processes shows it while the key is made.",
        )
        .secret(),
        choice("local", "Accepted; the host's own tools are used."),
        text("umask", "Mask of a new home directory's mode."),
        text("login_class", "Accepted and not used."),
        text("seuser", "Accepted and not used."),
        choice("hidden", "Accepted; it is of macOS."),
        text("authorization", "Accepted; it is of Solaris."),
        text("profile", "Accepted; it is of Solaris."),
        text("role", "Accepted; it is of Solaris."),
    ]
}

async fn run(mut call: Call, host: Host) -> ModuleResult {
    for name in ["home", "shell"] {
        // What stands in the host's table has no tilde.
        let given = call.arguments.get(name).and_then(Value::as_str);
        if let Some(path) = given.filter(|path| path.starts_with('~')) {
            let path = paths::expand(&host, path).await?;
            call.arguments.insert(name.to_owned(), path.into());
        }
    }
    let arguments = Arguments::validated(call.arguments);
    if arguments.given_flag("local") == Some(true) {
        // Tools for local accounts alone know none of these, and none is passed over in silence.
        for name in ["umask", "uid_min", "uid_max"] {
            if arguments.has(name) {
                return Err(Failure::new(format!(
                    "'{name}' can not be used with 'local'"
                )));
            }
        }
    }
    let name = arguments.text_or_empty("name");
    let current = accounts::user(&host, name).await?;
    let is_present = arguments.text("state") != Some("absent");
    let mut result = Object::new();
    result.insert("name".into(), name.into());
    result.insert("state".into(), arguments.text_or_empty("state").into());
    let mut steps = match (&current, is_present) {
        (Some(_), false) => vec![steps::remove(&arguments, name)],
        (None, false) => Vec::new(),
        (None, true) => steps::add(&arguments, name),
        (Some(user), true) => steps::modify(&arguments, name, user),
    };
    let key = Key::of(&arguments).filter(|_| is_present);
    let known = match (&key, &current) {
        (Some(key), Some(user)) => key.look(&host, user).await?,
        _ => None,
    };
    if let Some(key) = &key
        && (known.is_none() || arguments.flag("force"))
    {
        steps.push(key.step());
    }
    if is_present && arguments.has("groups") {
        result.insert(
            "groups".into(),
            arguments.strings("groups").join(",").into(),
        );
        result.insert("append".into(), arguments.flag("append").into());
    }
    let warnings = warnings::of(&arguments);
    if steps.is_empty() {
        if let Some(user) = current.filter(|_| is_present) {
            result.extend(fields(&user));
        }
        result.extend(known.unwrap_or_default());
        return Ok(Outcome {
            result,
            warnings,
            ..Outcome::unchanged()
        });
    }
    let verb = match (&current, is_present) {
        (_, false) => "remove",
        (None, _) => "make",
        _ => "change",
    };
    host.will_change(format!("{verb} the account {name}"), None, result.clone())
        .await?;
    set(&host, &arguments, steps).await?;
    if is_present && let Some(user) = accounts::user(&host, name).await? {
        result.extend(fields(&user));
        if let Some(key) = key {
            result.extend(key.look(&host, &user).await?.unwrap_or_default());
        }
    }
    Ok(Outcome {
        result,
        warnings,
        ..Outcome::changed()
    })
}

/// Carries the steps out; a password goes in by standard input, so that it stands in no list of
/// processes. An account that is in use cannot be removed, nor some of it changed.
async fn set(host: &Host, arguments: &Arguments, steps: Vec<String>) -> Result<(), Failure> {
    let sets_password = steps.iter().any(|step| step == CHANGE_PASSWORD);
    let name = arguments.text_or_empty("name");
    let password = arguments.text_or_empty("password");
    let command = sasrun_plugin::Command {
        script: steps.join(" && "),
        stdin: sets_password.then(|| format!("{name}:{password}\n")),
        frees_account: Some(name.to_owned()),
        ..sasrun_plugin::Command::default()
    };
    crate::answers::succeeded(host.run(command).await?, "changing the account")?;
    Ok(())
}

fn fields(user: &User) -> Object {
    let number = |text: &str| text.parse::<i64>().map_or(Value::Null, Value::from);
    let mut fields = Object::new();
    fields.insert("uid".into(), number(&user.uid));
    fields.insert("group".into(), number(&user.gid));
    fields.insert("home".into(), user.home.as_str().into());
    fields.insert("shell".into(), user.shell.as_str().into());
    fields.insert("comment".into(), user.comment.as_str().into());
    fields
}
