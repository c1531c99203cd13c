//! What `user` does to an account, as steps for the host's shell.

use sasrun_plugin::{Arguments, Host};

use crate::paths;
use crate::system::accounts::User;

/// Sets the password; it comes by standard input, so that it stands in no list of processes.
pub(super) const CHANGE_PASSWORD: &str = "chpasswd -e";

pub(super) fn remove(arguments: &Arguments, name: &str) -> String {
    let force = if arguments.flag("force") { " -f" } else { "" };
    let remove = if arguments.flag("remove") { " -r" } else { "" };
    format!("userdel{force}{remove} {}", Host::quote(name))
}

pub(super) fn add(arguments: &Arguments, name: &str) -> Vec<String> {
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
    for (argument, key) in [("uid_min", "UID_MIN"), ("uid_max", "UID_MAX")] {
        words.extend(
            arguments
                .integer(argument)
                .map(|number| format!("-K {key}={number}")),
        );
    }
    if !arguments.has("group") {
        // A group of that name may be there: then none is made, which would fail.
        let word = Host::quote(name);
        words.push(format!(
            "`{{ getent group {word} || grep ^{word}: /etc/group; }} >/dev/null 2>&1 && echo -N`"
        ));
    }
    words.extend(option_of(
        arguments,
        "password_expire_account_disable",
        "-f",
    ));
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
        if let Some(mask) = arguments.text("umask") {
            words.push(format!("-K UMASK={}", Host::quote(mask)));
        }
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

pub(super) fn modify(arguments: &Arguments, name: &str, user: &User) -> Vec<String> {
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
    let inactive = arguments.integer("password_expire_account_disable");
    if inactive.is_some_and(|days| {
        // Less than nothing is how a table is told to hold nothing.
        user.inactive
            != if days < 0 {
                String::new()
            } else {
                days.to_string()
            }
    }) {
        words.extend(option_of(
            arguments,
            "password_expire_account_disable",
            "-f",
        ));
    }
    let ends = expiry(arguments).filter(|day| day.trim_matches('\'') != user.expires);
    words.extend(ends.map(|day| format!("-e {day}")));
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
    let ages = [
        ("password_expire_max", &user.password_days.max),
        ("password_expire_min", &user.password_days.min),
        ("password_expire_warn", &user.password_days.warn),
    ];
    let differs = |(argument, is): &(&str, &String)| {
        let wanted = arguments.integer(argument);
        wanted.is_some_and(|wanted| wanted.to_string() != **is)
    };
    steps.extend(
        ages.iter()
            .any(differs)
            .then(|| ageing(arguments, name))
            .flatten(),
    );
    steps.extend(missing_home(arguments, user));
    steps
}

/// Writes the step that makes the home directory of an account that is there, as `useradd` would.
fn missing_home(arguments: &Arguments, user: &User) -> Option<String> {
    let home = arguments.text("home").unwrap_or(&user.home);
    let is_new = home != user.home && !arguments.flag("move_home");
    if !arguments.flag("create_home") || home.is_empty() || !(is_new || user.lacks_home) {
        return None;
    }
    let word = paths::word(home);
    let skeleton = paths::word(arguments.text("skeleton").unwrap_or("/etc/skel"));
    let mask = arguments.text("umask").map_or_else(
        || "m=`sed -n 's/^UMASK[ \t]*\\([0-7]*\\).*/\\1/p' /etc/login.defs 2>/dev/null | tail -n 1`".to_owned(),
        |mask| format!("m={}", Host::quote(mask)),
    );
    let name = Host::quote(arguments.text_or_empty("name"));
    Some(format!(
        "{{ [ -d {word} ] || {{ {mask}; ( umask ${{m:-022}}; mkdir -p {word} ) && \
         {{ [ ! -d {skeleton} ] || cp -R {skeleton}/. {word}/; }} && \
         chown -R {name}:`id -g {name}` {word}; }}; }}"
    ))
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

/// Returns the day an account ends as `useradd` wants it: days since 1970; two quotes for never.
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
