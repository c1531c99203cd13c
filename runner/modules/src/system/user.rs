//! `user`: accounts of the host.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object, Outcome,
};
use serde_json::Value;

use super::accounts::{self, User};
use crate::describe::{choice, core, example, integer, needed, path, returns, switch, text, texts};

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
        choice("generate_ssh_key", "Makes a key pair for it."),
        integer("ssh_key_bits", "Size of that key."),
        text("ssh_key_type", "Kind of that key.").defaults_to("rsa"),
        path(
            "ssh_key_file",
            "Where that key lies, below the home directory.",
        ),
        text("ssh_key_comment", "Comment of that key."),
        text("ssh_key_passphrase", "Passphrase of that key.").secret(),
        choice("local", "Accepted; the host's own tools are used."),
        text("umask", "Mask of the home directory's mode."),
        text("login_class", "Accepted and not used."),
        text("seuser", "Accepted and not used."),
    ]
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name");
    let current = accounts::user(&host, name).await?;
    let is_present = arguments.text("state") != Some("absent");
    let mut result = Object::new();
    result.insert("name".into(), name.into());
    result.insert("state".into(), arguments.text_or_empty("state").into());
    let steps = match (&current, is_present) {
        (Some(_), false) => vec![remove(&arguments, name)],
        (None, false) => Vec::new(),
        (None, true) => add(&arguments, name),
        (Some(user), true) => modify(&arguments, name, user),
    };
    let steps: Vec<String> = steps
        .into_iter()
        .chain(key(&arguments, name, &current))
        .collect();
    if steps.is_empty() {
        result.extend(
            current
                .as_ref()
                .filter(|_| is_present)
                .map(fields)
                .unwrap_or_default(),
        );
        return Ok(Outcome {
            result,
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
    }
    Ok(Outcome {
        result,
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

const CHANGE_PASSWORD: &str = "chpasswd -e";

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

fn remove(arguments: &Arguments, name: &str) -> String {
    let force = if arguments.flag("force") { " -f" } else { "" };
    let remove = if arguments.flag("remove") { " -r" } else { "" };
    format!("userdel{force}{remove} {}", Host::quote(name))
}

fn add(arguments: &Arguments, name: &str) -> Vec<String> {
    let mut words = vec!["useradd".to_owned()];
    for (argument, option) in [
        ("uid", "-u"),
        ("group", "-g"),
        ("comment", "-c"),
        ("home", "-d"),
        ("shell", "-s"),
    ] {
        words.extend(option_of(arguments, argument, option));
    }
    if arguments.flag("non_unique") {
        words.push("-o".to_owned());
    }
    let groups = groups(arguments);
    if !groups.is_empty() {
        words.push(format!("-G {}", Host::quote(&groups.join(","))));
    }
    words.extend(arguments.flag("system").then(|| "-r".to_owned()));
    if arguments.flag("create_home") {
        words.push("-m".to_owned());
        words.extend(option_of(arguments, "skeleton", "-k"));
    } else {
        words.push("-M".to_owned());
    }
    words.extend(expiry(arguments).map(|day| format!("-e {day}")));
    words.push(Host::quote(name));
    let mut steps = vec![words.join(" ")];
    steps.extend(
        arguments
            .has("password")
            .then(|| CHANGE_PASSWORD.to_owned()),
    );
    if arguments.given_flag("password_lock") == Some(true) {
        steps.push(format!("usermod -L {}", Host::quote(name)));
    }
    steps.extend(ageing(arguments, name));
    steps
}

fn modify(arguments: &Arguments, name: &str, user: &User) -> Vec<String> {
    let mut words = Vec::new();
    for (argument, option, current) in [
        ("uid", "-u", &user.uid),
        ("comment", "-c", &user.comment),
        ("shell", "-s", &user.shell),
        ("home", "-d", &user.home),
    ] {
        let wanted = arguments.value(argument).map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        });
        if wanted.as_ref().is_some_and(|wanted| wanted != current) {
            words.extend(option_of(arguments, argument, option));
            words.extend(
                (argument == "home" && arguments.flag("move_home")).then(|| "-m".to_owned()),
            );
        }
    }
    let group = arguments.text("group");
    if group.is_some_and(|group| group != user.group && group != user.gid) {
        words.extend(option_of(arguments, "group", "-g"));
    }
    if arguments.has("groups") {
        let wanted = groups(arguments);
        let missing: Vec<&String> = wanted
            .iter()
            .filter(|name| !user.groups.contains(name) && **name != user.group)
            .collect();
        let extra = user.groups.iter().any(|name| !wanted.contains(name));
        if arguments.flag("append") && !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|name| name.as_str()).collect();
            words.push(format!("-a -G {}", Host::quote(&names.join(","))));
        } else if !arguments.flag("append") && (!missing.is_empty() || extra) {
            words.push(format!("-G {}", Host::quote(&wanted.join(","))));
        }
    }
    let is_locked = user.password.starts_with('!');
    match arguments.given_flag("password_lock") {
        Some(true) if !is_locked => words.push("-L".to_owned()),
        Some(false) if is_locked => words.push("-U".to_owned()),
        _ => {}
    }
    let word = Host::quote(name);
    let mut steps = Vec::new();
    if !words.is_empty() {
        steps.push(format!("usermod {} {word}", words.join(" ")));
    }
    let plain = user.password.trim_start_matches('!');
    let sets = arguments.text("update_password") == Some("always")
        && arguments
            .text("password")
            .is_some_and(|wanted| wanted.trim_start_matches('!') != plain);
    steps.extend(sets.then(|| CHANGE_PASSWORD.to_owned()));
    steps
}

fn option_of(arguments: &Arguments, name: &str, option: &str) -> Option<String> {
    let value = arguments.value(name)?;
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    Some(format!("{option} {}", Host::quote(&text)))
}

fn groups(arguments: &Arguments) -> Vec<String> {
    let mut groups = arguments.strings("groups");
    groups.retain(|group| !group.is_empty());
    groups
}

/// Returns the day an account ends as `useradd` wants it: days since 1970.
fn expiry(arguments: &Arguments) -> Option<String> {
    let seconds = arguments.number("expires")?;
    Some(if seconds < 0.0 {
        "''".to_owned()
    } else {
        format!("{}", (seconds / 86_400.0) as u64)
    })
}

fn ageing(arguments: &Arguments, name: &str) -> Option<String> {
    let options: Vec<String> = [
        ("password_expire_max", "-M"),
        ("password_expire_min", "-m"),
        ("password_expire_warn", "-W"),
    ]
    .iter()
    .filter_map(|(argument, option)| option_of(arguments, argument, option))
    .collect();
    (!options.is_empty()).then(|| format!("chage {} {}", options.join(" "), Host::quote(name)))
}

/// Writes the step that makes a key pair, unless one is there.
fn key(arguments: &Arguments, name: &str, current: &Option<User>) -> Option<String> {
    if arguments.given_flag("generate_ssh_key") != Some(true) || current.is_some() {
        return None;
    }
    let kind = arguments.text_or_empty("ssh_key_type");
    let file = arguments
        .text("ssh_key_file")
        .map_or_else(|| format!(".ssh/id_{kind}"), str::to_owned);
    let bits = option_of(arguments, "ssh_key_bits", "-b").unwrap_or_default();
    let word = Host::quote(name);
    Some(format!(
        "h=`getent passwd {word} | cut -d: -f6` && mkdir -p -m 700 \"$h/.ssh\" && \
         {{ [ -f \"$h\"/{file} ] || ssh-keygen -q -t {kind} {bits} -N '' -f \"$h\"/{file}; }} && \
         chown -R {word} \"$h/.ssh\"",
        file = Host::quote(&file),
        kind = Host::quote(kind),
    ))
}
