//! What flags and settings mean to the engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sasrun_connection::{Limits, Secret, SshConfig};
use sasrun_engine::{BecomeDefaults, ConnectionDefaults, Gathering, Options, Stop};
use sasrun_model::{Name, Playbook, Variables};
use tokio::sync::watch;

use crate::args::{ConnectionArguments, PlaybookArguments};
use crate::config::Config;
use crate::console::read_line;
use crate::settings;

/// Bytes of each output stream of a task that results hold.
const OUTPUT_BYTES: usize = 4 << 20;

/// What the flags and settings of a run mean to the engine.
pub(crate) fn options(
    arguments: &PlaybookArguments,
    playbooks: &[Playbook],
    limit: Option<Vec<Name>>,
    extra_variables: Variables,
    stop: watch::Receiver<Stop>,
) -> anyhow::Result<Options> {
    let config = Config::load();
    let folder = playbooks
        .first()
        .and_then(|playbook| playbook.path.parent())
        .map(PathBuf::from);
    // The folder of a bare file name is the present one.
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| PathBuf::from("."));
    Ok(Options {
        check: arguments.check,
        diff: arguments.diff,
        forks: arguments.connection.forks,
        verbosity: arguments.output.verbose,
        limit,
        tags: arguments.tags.clone(),
        skip_tags: arguments.skip_tags.clone(),
        start_at_task: arguments.start_at_task.clone(),
        extra_variables,
        merges_dictionaries: settings::merges_dictionaries(&config),
        connection: connection_defaults(&arguments.connection)?,
        become_defaults: become_defaults(&arguments.connection),
        force_handlers: arguments.force_handlers
            || config
                .flag("ANSIBLE_FORCE_HANDLERS", "defaults", "force_handlers")
                .unwrap_or(false),
        gathering: gathering(&config),
        controller_name: settings::machine_name(),
        login_name: settings::login_name(),
        purpose: purpose(playbooks),
        stop,
        pause_at_gates: arguments.pause_at_gates,
        playbook_directory: std::path::absolute(&folder).unwrap_or(folder),
        spool: None,
        output_bytes: OUTPUT_BYTES,
    })
}

fn gathering(config: &Config) -> Gathering {
    let setting = config.text("ANSIBLE_GATHERING", "defaults", "gathering");
    match setting.as_deref() {
        Some("explicit") => Gathering::Explicit,
        Some("smart") => Gathering::Smart,
        _ => Gathering::Implicit,
    }
}

fn connection_defaults(arguments: &ConnectionArguments) -> anyhow::Result<ConnectionDefaults> {
    let limits = limits(arguments, &Config::load());
    let checking = std::env::var("ANSIBLE_HOST_KEY_CHECKING").ok();
    let is_off = |text: &str| matches!(text.to_ascii_lowercase().as_str(), "0" | "false" | "no");
    Ok(ConnectionDefaults {
        kind: arguments.connection.clone(),
        user: arguments.user.clone(),
        private_key: arguments.private_key.clone(),
        password: asked(arguments.ask_pass, "SSH password: "),
        host_key_checking: !checking.as_deref().is_some_and(is_off),
        limits,
        ssh_config: Some(Arc::new(ssh_config()?)),
    })
}

/// The limits of connections, as flags and settings say; a host's own variables come before them.
fn limits(arguments: &ConnectionArguments, config: &Config) -> Limits {
    let setting = |variable: &str, section: &str, key: &str| {
        let seconds = config.text(variable, section, key)?.trim().parse().ok()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    };
    let mut limits = Limits::default();
    let flag = arguments.timeout.map(Duration::from_secs);
    if let Some(connect) = flag.or_else(|| setting("ANSIBLE_TIMEOUT", "defaults", "timeout")) {
        limits.connect = connect;
    }
    if let Some(login) = setting("SASRUN_LOGIN_TIMEOUT", "sasrun", "login_timeout") {
        limits.authenticate = login;
    }
    if let Some(start) = setting("SASRUN_SHELL_TIMEOUT", "sasrun", "shell_timeout") {
        limits.shell_start = start;
    }
    limits
}

/// The configuration of the user's OpenSSH client.
fn ssh_config() -> anyhow::Result<SshConfig> {
    let home = std::env::home_dir().unwrap_or_default();
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    Ok(SshConfig::load(
        home,
        user.unwrap_or_else(|_| "root".to_owned()),
    )?)
}

fn become_defaults(arguments: &ConnectionArguments) -> BecomeDefaults {
    BecomeDefaults {
        enabled: arguments.r#become,
        method: arguments.become_method.clone(),
        user: arguments.become_user.clone(),
        password: asked(arguments.ask_become_pass, "BECOME password: "),
    }
}

fn asked(wanted: bool, prompt: &str) -> Option<Secret> {
    wanted
        .then(|| read_line(prompt, false))
        .flatten()
        .map(Secret::new)
}

/// What a run is for, in a few words.
fn purpose(playbooks: &[Playbook]) -> String {
    let names = playbooks.iter().filter_map(|book| book.path.file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
    format!("playbook {}", names.join(" "))
}
