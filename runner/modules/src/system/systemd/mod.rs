//! `systemd_service`: units of systemd.

mod unit;

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Outcome,
};
use serde_json::Value;

pub(super) use self::unit::{Unit, refuse_unknown};
use crate::answers::run as change;
use crate::describe::{choice, core, example, returns, set, switch, text, with};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let mut spec = ModuleSpec {
        required_one_of: vec![set(&[
            "state",
            "enabled",
            "masked",
            "daemon_reload",
            "daemon_reexec",
        ])],
        returns: returns(&[
            ("name", "str", "Name of the unit."),
            ("state", "str", "What it was asked to be."),
            (
                "enabled",
                "bool",
                "Whether it starts with the system, if asked.",
            ),
            (
                "status",
                "dict",
                "Properties of the unit, as systemd tells them.",
            ),
        ]),
        examples: vec![example(
            "Restart a unit that was changed",
            "ansible.builtin.systemd_service:\n  name: app.service\n  state: restarted\n  daemon_reload: true",
        )],
        ..core(
            "systemd_service",
            "Starts, stops, enables and masks units of systemd.",
            with(
                vec![
                    text("name", "Name of the unit.").alias(&["service", "unit"]),
                    text("state", "What it shall be, or what to do.").choices(&[
                        "reloaded",
                        "restarted",
                        "started",
                        "stopped",
                    ]),
                    choice("enabled", "Whether it shall start with the system."),
                ],
                more_arguments(),
            ),
        )
    };
    spec.aliases.extend(set(&[
        "ansible.builtin.systemd",
        "ansible.legacy.systemd",
        "systemd",
    ]));
    spec
}

/// What systemd has and no other manager of services: `service` takes it as well.
pub(super) fn more_arguments() -> Vec<ArgumentSpec> {
    vec![
        switch("force", "Replaces links that are in the way."),
        choice("masked", "Whether it shall be impossible to start."),
        switch("daemon_reload", "Reads units that changed first.").alias(&["daemon-reload"]),
        switch("daemon_reexec", "Starts systemd itself anew first.").alias(&["daemon-reexec"]),
        text("scope", "Whose units.")
            .choices(&["system", "user", "global"])
            .defaults_to("system"),
        switch("no_block", "Does not wait for the end."),
    ]
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name");
    refuse_unclear(&arguments)?;
    let systemctl = systemctl(&arguments);
    let unit = match name {
        "" => Unit::default(),
        name => Unit::look(&host, &systemctl, name).await?,
    };
    if arguments.has("state") || arguments.has("enabled") {
        refuse_unknown(&unit, name)?;
    }
    let (steps, counts) = steps(&arguments, &systemctl, &unit);
    let mut outcome = Outcome::default().with(
        "name",
        arguments.value("name").cloned().unwrap_or(Value::Null),
    );
    for field in ["enabled", "masked"] {
        if let Some(value) = arguments.value(field) {
            outcome = outcome.with(field, value.clone());
        }
    }
    if let Some(state) = reached(&arguments) {
        outcome = outcome.with("state", state);
    }
    if unit.is_offline && arguments.has("state") {
        outcome = outcome.warn(
            "Target is a chroot or systemd is offline. This can lead to false positives or \
             prevent the init system tools from working.",
        );
    }
    outcome = outcome.with("status", Value::Object(unit.properties));
    if steps.is_empty() {
        return Ok(outcome);
    }
    host.will_change(steps.join("; "), None, outcome.result.clone())
        .await?;
    change(&host, steps.join(" && "), &format!("systemd, for {name},")).await?;
    // Reading units anew is no change by itself.
    outcome.changed = counts;
    Ok(outcome)
}

/// Fails where it is not one unit that is meant.
fn refuse_unclear(arguments: &Arguments) -> Result<(), Failure> {
    let name = arguments.text_or_empty("name");
    for needs in ["state", "enabled", "masked"] {
        if name.is_empty() && arguments.has(needs) {
            return Err(Failure::new(format!(
                "missing parameter(s) required by '{needs}': name"
            )));
        }
    }
    if let Some(mark) = ["*", "?", "["].iter().find(|mark| name.contains(**mark)) {
        return Err(Failure::new(format!(
            "This module does not currently support using glob patterns, found '{mark}' in \
             service name: {name}"
        )));
    }
    Ok(())
}

/// Returns the state that a unit is in afterwards.
pub(super) fn reached(arguments: &Arguments) -> Option<&str> {
    match arguments.text("state")? {
        "restarted" | "reloaded" => Some("started"),
        state => Some(state),
    }
}

/// Writes the program with whose units it deals. A user's own systemd is found by a variable that
/// logging in sets, which becoming a user is not.
pub(super) fn systemctl(arguments: &Arguments) -> String {
    match arguments.text("scope") {
        Some("user") => {
            "XDG_RUNTIME_DIR=\"${XDG_RUNTIME_DIR:-/run/user/`id -u`}\" systemctl --user".to_owned()
        }
        Some("global") => "systemctl --global".to_owned(),
        _ => "systemctl".to_owned(),
    }
}

/// Returns the commands, and whether they count as a change.
pub(super) fn steps(arguments: &Arguments, systemctl: &str, unit: &Unit) -> (Vec<String>, bool) {
    let word = Host::quote(arguments.text_or_empty("name"));
    let mut steps = Vec::new();
    for (flag, action) in [
        ("daemon_reload", "daemon-reload"),
        ("daemon_reexec", "daemon-reexec"),
    ] {
        if arguments.flag(flag) {
            steps.push(format!("{systemctl} {action}"));
        }
    }
    let before = steps.len();
    let force = match arguments.flag("force") {
        true => " --force",
        false => "",
    };
    let is_masked = unit.file_state == "masked";
    if let Some(wanted) = arguments
        .given_flag("masked")
        .filter(|wanted| *wanted != is_masked)
    {
        let action = if wanted { "mask" } else { "unmask" };
        steps.push(format!("{systemctl} {action}{force} {word}"));
    }
    if let Some(wanted) = arguments
        .given_flag("enabled")
        .filter(|wanted| *wanted != unit.is_enabled())
    {
        let action = if wanted { "enable" } else { "disable" };
        steps.push(format!("{systemctl} {action}{force} {word}"));
    }
    let is_stopping = unit.field("ActiveState") == "deactivating";
    let action = match (arguments.text("state"), unit.is_running()) {
        // What runs is not known, so nothing can be asked of it.
        _ if unit.is_offline => None,
        (Some("started" | "reloaded" | "restarted"), false) => Some("start"),
        (Some("stopped"), is_running) if is_running || is_stopping => Some("stop"),
        (Some("reloaded"), true) => Some("reload"),
        (Some("restarted"), true) => Some("restart"),
        _ => None,
    };
    if let Some(action) = action {
        let block = if arguments.flag("no_block") {
            " --no-block"
        } else {
            ""
        };
        steps.push(format!("{systemctl} {action}{block} {word}"));
    }
    let counts = steps.len() > before;
    (steps, counts)
}
