//! `su` and `sudo` of a host; where all users are one, also `id` and its like, which say whom a login plays.

use std::io::{IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions};

use crate::account::users::{self, Passwords, User};
use crate::host::init::PATH;
use crate::machine::namespaces::Rights;
use crate::paths::{Private, Shared};
use crate::scenario::{Scenario, SudoFaults};
use crate::ssh::Setup;

mod identity;
mod options;

use options::{Su, Sudo};

/// The variable that says whom a login plays where all users of a host are one.
pub const PLAYED_USER: &str = "SASLAB_USER";

const BECOME: [&str; 2] = ["su", "sudo"];
const IDENTITY: [&str; 5] = ["id", "whoami", "logname", "chown", "chgrp"];

/// The tools of this kind that a host has in place of the machine's.
pub fn tools(rights: Rights) -> impl Iterator<Item = &'static str> {
    let identity: &[&str] = if rights == Rights::SingleUser {
        &IDENTITY
    } else {
        &[]
    };
    BECOME.iter().chain(identity).copied()
}

/// Tells whether the tool changes users and so must be run with root's rights.
pub fn changes_user(tool: &str) -> bool {
    BECOME.contains(&tool)
}

/// Acts as the tool of this name, if there is one.
pub fn run(name: &str, args: &[String]) -> Option<ExitCode> {
    let result = match name {
        "su" => su(args),
        "sudo" => sudo(args),
        _ if IDENTITY.contains(&name) => return Some(identity::run(name, args, &caller())),
        _ => return None,
    };
    Some(result.unwrap_or_else(|problem| {
        complain(&format!("{name}: {problem}"));
        ExitCode::from(1)
    }))
}

/// The user on whose behalf this program runs.
fn caller() -> User {
    let nobody = || User {
        name: "root".to_owned(),
        uid: 0,
        gid: 0,
        home: "/root".to_owned(),
        shell: "/bin/sh".to_owned(),
    };
    if rights() == Rights::SingleUser {
        let name = std::env::var(PLAYED_USER).unwrap_or_else(|_| "root".to_owned());
        return users::find_here(&name).unwrap_or_else(nobody);
    }
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        (fields.get(2)?.parse() == Ok(uid)).then(|| fields.first().copied())?
    });
    name.and_then(|name| users::find(&passwd, name))
        .unwrap_or_else(|| User {
            uid,
            gid: uid,
            ..nobody()
        })
}

fn rights() -> Rights {
    std::fs::read(Private::inside().sshd())
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Setup>(&bytes).ok())
        .map_or(Rights::Root, |setup| setup.rights)
}

fn su(args: &[String]) -> Result<ExitCode, String> {
    let su = Su::read(args)?;
    let caller = caller();
    let target =
        users::find_here(&su.user).ok_or_else(|| format!("user {} does not exist", su.user))?;
    if caller.uid != 0 {
        let password = ask("Password: ", std::io::stdin().is_terminal())?;
        if !passwords()?.fit(&target.name, &password) {
            return Err("Authentication failure".to_owned());
        }
    }
    let shell = su.shell.clone().unwrap_or_else(|| target.shell.clone());
    let base = shell.rsplit('/').next().unwrap_or("sh");
    let mut command = Command::new(&shell);
    if su.login {
        let term = std::env::var_os("TERM");
        command
            .env_clear()
            .env("PATH", PATH)
            .arg0(format!("-{base}"));
        command.envs(term.map(|term| ("TERM", term)));
        command.current_dir(if Path::new(&target.home).is_dir() {
            &target.home
        } else {
            "/"
        });
    } else {
        command.arg0(base);
    }
    if let Some(line) = &su.command {
        command.arg("-c").arg(line);
    }
    command
        .args(&su.rest)
        .env("HOME", &target.home)
        .env("SHELL", &shell);
    if su.login || target.uid != 0 {
        command
            .env("USER", &target.name)
            .env("LOGNAME", &target.name);
    }
    replace(command, &target)
}

fn sudo(args: &[String]) -> Result<ExitCode, String> {
    let sudo = Sudo::read(args)?;
    let caller = caller();
    let target =
        users::find_here(&sudo.user).ok_or_else(|| format!("unknown user: {}", sudo.user))?;
    let faults = faults();
    if caller.uid != 0 {
        if !matches!(caller.name.as_str(), "operator") {
            return Err(format!("{} is not in the sudoers file.", caller.name));
        }
        if faults.require_tty && !has_terminal() {
            return Err("sorry, you must have a tty to run sudo".to_owned());
        }
        check_password(&sudo, &caller, &faults)?;
    }
    if sudo.command.is_empty() && !sudo.shell && !sudo.login {
        return Ok(ExitCode::SUCCESS);
    }
    let mut command = sudo_command(&sudo, &caller, &target)?;
    sudo_environment(&mut command, &sudo, &caller, &target);
    if sudo.login && Path::new(&target.home).is_dir() {
        command.current_dir(&target.home);
    }
    replace(command, &target)
}

/// The program that `sudo` starts: the command itself, or a shell.
fn sudo_command(sudo: &Sudo, caller: &User, target: &User) -> Result<Command, String> {
    if !sudo.shell && !sudo.login {
        let (program, rest) = sudo.command.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        command.args(rest);
        return Ok(command);
    }
    let shell = if sudo.login {
        &target.shell
    } else {
        &caller.shell
    };
    let mut command = Command::new(shell);
    if sudo.login {
        command.arg0(format!("-{}", shell.rsplit('/').next().unwrap_or("sh")));
    }
    if !sudo.command.is_empty() {
        command.arg("-c").arg(sudo.command.join(" "));
    }
    Ok(command)
}

fn sudo_environment(command: &mut Command, sudo: &Sudo, caller: &User, target: &User) {
    let kept: Vec<_> = std::env::vars_os()
        .filter(|(name, _)| {
            let name = name.to_string_lossy();
            sudo.keep_environment || name == "TERM" || name == "LANG" || name.starts_with("LC_")
        })
        .collect();
    command.env_clear().envs(kept).env("PATH", PATH);
    command
        .env("HOME", &target.home)
        .env("SHELL", &target.shell);
    command
        .env("USER", &target.name)
        .env("LOGNAME", &target.name);
    command
        .env("SUDO_USER", &caller.name)
        .env("SUDO_UID", caller.uid.to_string());
    command.env("SUDO_GID", caller.gid.to_string());
    command.envs(sudo.variables.iter().map(|(name, value)| (name, value)));
}

/// Asks up to three times, as the real one does.
fn check_password(sudo: &Sudo, caller: &User, faults: &SudoFaults) -> Result<(), String> {
    if sudo.never_ask {
        return Err("a password is required".to_owned());
    }
    if !sudo.from_stdin && !has_terminal() {
        return Err("a terminal is required to read the password; either use the -S option to read from standard \
                    input or configure an askpass helper\nsudo: a password is required"
            .to_owned());
    }
    if faults.lecture {
        complain(
            "\nWe trust you have received the usual lecture from the local System\nAdministrator.\n",
        );
    }
    let prompt = sudo
        .prompt
        .clone()
        .unwrap_or_else(|| format!("[sudo] password for {}: ", caller.name));
    let passwords = passwords()?;
    for attempt in 1..=3 {
        let password =
            ask(&prompt, !sudo.from_stdin).map_err(|_| "no password was provided".to_owned())?;
        if passwords.fit(&caller.name, &password) {
            return Ok(());
        }
        if attempt < 3 {
            complain("Sorry, try again.");
        }
    }
    Err("3 incorrect password attempts".to_owned())
}

/// Becomes the user and the command; comes back only when that fails.
fn replace(mut command: Command, target: &User) -> Result<ExitCode, String> {
    match rights() {
        Rights::Root => {
            rustix::thread::set_thread_groups(&[]).map_err(|errno| errno.to_string())?;
            command.uid(target.uid).gid(target.gid);
        }
        Rights::SingleUser => {
            command.env(PLAYED_USER, &target.name);
        }
    }
    let error = command.exec();
    let program = command.get_program().to_string_lossy().into_owned();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Err(format!("{program}: command not found"));
    }
    Err(format!("{program}: {error}"))
}

fn passwords() -> Result<Passwords, String> {
    Passwords::read(&Private::inside().secrets()).map_err(|error| error.to_string())
}

fn faults() -> SudoFaults {
    let scenario = Scenario::in_force(&Shared::inside()).unwrap_or_default();
    let host = std::fs::read(Private::inside().host()).ok();
    let host = host.and_then(|bytes| serde_json::from_slice::<crate::world::Host>(&bytes).ok());
    host.map(|host| scenario.host(&host.name).sudo.clone())
        .unwrap_or_default()
}

fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Asks for a line without showing it: on the terminal, or on stderr and stdin.
fn ask(prompt: &str, on_terminal: bool) -> Result<String, String> {
    if !on_terminal {
        let mut err = std::io::stderr();
        let _ = err.write_all(prompt.as_bytes()).and_then(|()| err.flush());
        // Not through the standard handle: it reads ahead.
        let stdin = std::io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| error.to_string())?;
        return read_line(std::fs::File::from(stdin));
    }
    let terminal = rustix::fs::open("/dev/tty", OFlags::RDWR, Mode::empty())
        .map_err(|errno| errno.to_string())?;
    let before = rustix::termios::tcgetattr(&terminal).map_err(|errno| errno.to_string())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let _ = rustix::termios::tcsetattr(&terminal, OptionalActions::Flush, &silent);
    let mut file = std::fs::File::from(terminal);
    let _ = file.write_all(prompt.as_bytes());
    let line = read_line(&mut file);
    let _ = file.write_all(b"\n");
    let _ = rustix::termios::tcsetattr(&file, OptionalActions::Now, &before);
    line
}

/// Reads to the end of the line and not a byte further: the rest belongs to the command.
fn read_line(mut from: impl Read) -> Result<String, String> {
    let mut line = Vec::new();
    let mut byte = [0_u8; 1];
    while matches!(from.read(&mut byte), Ok(1)) {
        let [got] = byte;
        if got == b'\n' {
            return Ok(String::from_utf8_lossy(&line).into_owned());
        }
        line.push(got);
    }
    if line.is_empty() {
        Err("no password".to_owned())
    } else {
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

#[expect(clippy::print_stderr, reason = "a tool of a host speaks to its user")]
fn complain(text: &str) {
    eprintln!("{text}");
}
