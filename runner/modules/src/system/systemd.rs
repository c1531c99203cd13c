//! `systemd_service`: units of systemd.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome,
};
use serde_json::Value;

use crate::answers::run as change;
use crate::describe::{choice, core, example, returns, set, switch, text};

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
            vec![
                text("name", "Name of the unit.").alias(&["service", "unit"]),
                text("state", "What it shall be, or what to do.").choices(&[
                    "reloaded",
                    "restarted",
                    "started",
                    "stopped",
                ]),
                choice("enabled", "Whether it shall start with the system."),
                switch("force", "Replaces links that are in the way."),
                choice("masked", "Whether it shall be impossible to start."),
                switch("daemon_reload", "Reads units that changed first.")
                    .alias(&["daemon-reload"]),
                switch("daemon_reexec", "Starts systemd itself anew first.")
                    .alias(&["daemon-reexec"]),
                text("scope", "Whose units.")
                    .choices(&["system", "user", "global"])
                    .defaults_to("system"),
                switch("no_block", "Does not wait for the end."),
            ],
        )
    };
    spec.aliases.extend(set(&[
        "ansible.builtin.systemd",
        "ansible.legacy.systemd",
        "systemd",
    ]));
    spec
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let scope = match arguments.text("scope") {
        Some(scope @ ("user" | "global")) => format!("systemctl --{scope}"),
        _ => "systemctl".to_owned(),
    };
    let properties = match arguments.text("name") {
        Some(name) => properties(&host, &scope, name).await?,
        None => Object::new(),
    };
    let name = arguments.text_or_empty("name");
    let asks = arguments.has("state") || arguments.given_flag("enabled") == Some(true);
    if asks && !name.is_empty() {
        refuse_unknown(&properties, name)?;
    }
    let (steps, counts) = steps(&arguments, &scope, &properties);
    let mut outcome = Outcome::default().with(
        "name",
        arguments.value("name").cloned().unwrap_or(Value::Null),
    );
    for field in ["enabled", "state", "masked"] {
        if let Some(value) = arguments.value(field) {
            outcome = outcome.with(field, value.clone());
        }
    }
    outcome = outcome.with("status", Value::Object(properties));
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

async fn properties(host: &Host, systemctl: &str, name: &str) -> Result<Object, Failure> {
    let output = host
        .read_script(format!("{systemctl} show -- {}", Host::quote(name)))
        .await?;
    if !output.succeeded() {
        return Err(Failure::new(format!(
            "Error loading unit file '{name}': {}",
            output.stderr.trim()
        )));
    }
    Ok(output
        .stdout
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect())
}

/// Fails if systemd does not know the unit.
pub(super) fn refuse_unknown(properties: &Object, name: &str) -> Result<(), Failure> {
    let is = |value: &str| properties.get("LoadState").and_then(Value::as_str) == Some(value);
    if is("not-found") || properties.is_empty() {
        let msg = format!("Could not find the requested service {name}: host");
        return Err(Failure::new(msg).with("name", name));
    }
    Ok(())
}

/// Tells whether a state of a unit's file means that it starts with the system.
pub(super) fn is_enabled(state: &str) -> bool {
    matches!(
        state,
        "enabled" | "enabled-runtime" | "alias" | "static" | "generated" | "transient" | "indirect"
    )
}

/// Returns the commands, and whether they count as a change.
fn steps(arguments: &Arguments, systemctl: &str, properties: &Object) -> (Vec<String>, bool) {
    let field = |name: &str| {
        properties
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let unit = Host::quote(arguments.text_or_empty("name"));
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
    let is_masked = field("LoadState") == "masked";
    if let Some(wanted) = arguments
        .given_flag("masked")
        .filter(|wanted| *wanted != is_masked)
    {
        let action = if wanted { "mask" } else { "unmask" };
        steps.push(format!("{systemctl} {action} {unit}"));
    }
    let enabled = is_enabled(field("UnitFileState"));
    if let Some(wanted) = arguments
        .given_flag("enabled")
        .filter(|wanted| *wanted != enabled)
    {
        let action = if wanted { "enable" } else { "disable" };
        let force = if arguments.flag("force") {
            " --force"
        } else {
            ""
        };
        steps.push(format!("{systemctl} {action}{force} {unit}"));
    }
    let is_running = matches!(field("ActiveState"), "active" | "activating" | "reloading");
    let action = match (arguments.text("state"), is_running) {
        (Some("started"), false) | (Some("reloaded"), false) => Some("start"),
        (Some("stopped"), true) => Some("stop"),
        (Some("reloaded"), true) => Some("reload"),
        (Some("restarted"), _) => Some("restart"),
        _ => None,
    };
    if let Some(action) = action {
        let block = if arguments.flag("no_block") {
            " --no-block"
        } else {
            ""
        };
        steps.push(format!("{systemctl} {action}{block} {unit}"));
    }
    let counts = steps.len() > before;
    (steps, counts)
}
