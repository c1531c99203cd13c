//! `id`, `whoami`, `logname`, `chown` and `chgrp` for hosts on which all users are one.
//!
//! They play the user of the login. `chown` checks its arguments and changes nothing, for there is nobody to give to.

use std::path::Path;
use std::process::ExitCode;

use crate::account::users::{self, User};

/// Acts as the tool of this name for the user who is played.
pub fn run(name: &str, args: &[String], user: &User) -> ExitCode {
    let result = match name {
        "id" => id(args, user),
        "chown" | "chgrp" => give(name, args).map(|()| None),
        _ => Ok(Some(user.name.clone())),
    };
    match result {
        Ok(Some(text)) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(problem) => {
            super::complain(&format!("{name}: {problem}"));
            ExitCode::from(1)
        }
    }
}

fn id(args: &[String], played: &User) -> Result<Option<String>, String> {
    let letters: String = args
        .iter()
        .filter_map(|arg| arg.strip_prefix('-'))
        .collect();
    let asked = args.iter().find(|arg| !arg.starts_with('-'));
    let user = match asked {
        Some(name) => users::find_here(name).ok_or_else(|| format!("'{name}': no such user"))?,
        None => played.clone(),
    };
    let names = letters.contains('n');
    let group = group_name(user.gid);
    Ok(Some(if letters.contains('u') {
        if names {
            user.name
        } else {
            user.uid.to_string()
        }
    } else if letters.contains(['g', 'G']) {
        if names { group } else { user.gid.to_string() }
    } else {
        format!(
            "uid={}({}) gid={}({group}) groups={}({group})",
            user.uid, user.name, user.gid, user.gid
        )
    }))
}

fn group_name(gid: u32) -> String {
    let text = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        (fields.get(2)?.parse() == Ok(gid)).then(|| fields.first().copied())?
    });
    found.map_or_else(|| gid.to_string(), str::to_owned)
}

fn give(tool: &str, args: &[String]) -> Result<(), String> {
    let mut plain = args.iter().filter(|arg| !arg.starts_with('-'));
    let owner = plain.next().ok_or("missing operand")?;
    let user = if tool == "chown" {
        owner.split([':', '.']).next().unwrap_or_default()
    } else {
        ""
    };
    if !user.is_empty() && user.parse::<u32>().is_err() && users::find_here(user).is_none() {
        return Err(format!("invalid user: '{owner}'"));
    }
    for path in plain {
        if Path::new(path).symlink_metadata().is_err() {
            return Err(format!("cannot access '{path}': No such file or directory"));
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a tool of a host speaks to its user")]
fn say(text: &str) {
    println!("{text}");
}
