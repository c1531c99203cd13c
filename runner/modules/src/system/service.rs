//! `service`: starts, stops and enables services, whatever the host manages them with.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
    Outcome,
};
use serde_json::Value;

use super::systemd;
use crate::answers::run as change;
use crate::describe::{choice, core, example, integer, needed, returns, set, text, with};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        required_one_of: vec![set(&[
            "state",
            "enabled",
            "masked",
            "daemon_reload",
            "daemon_reexec",
        ])],
        returns: returns(&[
            ("name", "str", "Name of the service."),
            ("state", "str", "What it was asked to be."),
            (
                "enabled",
                "bool",
                "Whether it starts with the system, if asked.",
            ),
        ]),
        examples: vec![example(
            "Start a service",
            "ansible.builtin.service:\n  name: sshd\n  state: started\n  enabled: true",
        )],
        ..core(
            "service",
            "Starts, stops and enables services.",
            with(
                vec![
                    needed(text("name", "Name of the service.")),
                    text("state", "What it shall be, or what to do.").choices(&[
                        "reloaded",
                        "restarted",
                        "started",
                        "stopped",
                    ]),
                    choice("enabled", "Whether it shall start with the system."),
                    text(
                        "pattern",
                        "Text in the list of processes that tells that it runs.",
                    ),
                    integer(
                        "sleep",
                        "How long to wait between stop and start, in seconds.",
                    ),
                    text("arguments", "Words for the service's script.").alias(&["args"]),
                    text("runlevel", "Level at which it is enabled.").defaults_to("default"),
                    text("use", "What manages services; it is found out.").defaults_to("auto"),
                ],
                systemd::more_arguments(),
            ),
        )
    }
}

/// What was found on the host.
enum Found {
    /// systemd, and what it knows of the service.
    Systemd(systemd::Unit),
    Other(Known),
}

/// What manages the host's services without systemd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    OpenRc,
    Smf,
    Scripts,
}

/// What is known of a service.
struct Known {
    manager: Manager,
    /// Script that is called, where scripts are all there is.
    script: String,
    is_running: Option<bool>,
    is_enabled: Option<bool>,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let mut status = None;
    // Reading units anew is no change by itself.
    let (steps, counts) = match find(&host, &arguments).await? {
        Found::Systemd(unit) => {
            systemd::refuse_unknown(&unit, arguments.text_or_empty("name"))?;
            let steps = steps_of_systemd(&arguments, &unit);
            status = Some(unit.properties);
            steps
        }
        Found::Other(known) => {
            refuse_of_systemd(&arguments)?;
            let steps = steps(&arguments, &known)?;
            let counts = !steps.is_empty();
            (steps, counts)
        }
    };
    let mut result = Object::new();
    result.insert("name".into(), arguments.text_or_empty("name").into());
    if let Some(enabled) = arguments.given_flag("enabled") {
        result.insert("enabled".into(), enabled.into());
    }
    if let Some(state) = systemd::reached(&arguments) {
        result.insert("state".into(), state.into());
    }
    if let Some(properties) = status {
        result.insert("status".into(), Value::Object(properties));
    }
    let outcome = Outcome {
        result: result.clone(),
        ..Outcome::default()
    };
    if steps.is_empty() {
        return Ok(outcome);
    }
    host.will_change(steps.join("; "), None, result).await?;
    change(
        &host,
        steps.join(" && "),
        &format!("the service {}", arguments.text_or_empty("name")),
    )
    .await?;
    Ok(Outcome {
        changed: counts,
        ..outcome
    })
}

/// Fails if something is asked for that only systemd has.
fn refuse_of_systemd(arguments: &Arguments) -> Result<(), Failure> {
    let asked: Vec<String> = systemd::more_arguments()
        .into_iter()
        .filter(|argument| arguments.value(&argument.name) != argument.default.as_ref())
        .map(|argument| argument.name)
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "Unsupported parameters for the services of this host, which systemd does not manage: {}",
        asked.join(", ")
    )))
}

/// Finds the manager and the state of the service in one round trip.
async fn find(host: &Host, arguments: &Arguments) -> Result<Found, Failure> {
    let name = arguments.text_or_empty("name");
    let script = format!("n={}\n{}", Host::quote(name), include_str!("service.sh"));
    let output = host.read_script(script).await?;
    let mut lines = output.stdout.lines();
    let manager = match lines.next() {
        Some("systemd") if arguments.text("scope") == Some("system") => {
            let rest: Vec<&str> = lines.collect();
            return Ok(Found::Systemd(systemd::Unit::read(&rest.join("\n"))));
        }
        Some("systemd") => {
            let systemctl = systemd::systemctl(arguments);
            let unit = systemd::Unit::look(host, &systemctl, name).await?;
            return Ok(Found::Systemd(unit));
        }
        Some("openrc") => Manager::OpenRc,
        Some("smf") => Manager::Smf,
        Some("scripts") => Manager::Scripts,
        _ => {
            return Err(
                Failure::new(format!("Could not find the requested service {name}: host"))
                    .with("name", name),
            );
        }
    };
    let mut fields = Object::new();
    let mut shown = String::new();
    for line in lines {
        match line.split_once('=') {
            Some((key, value)) if !line.starts_with('|') => {
                fields.insert(key.to_owned(), value.into());
            }
            _ => {
                shown.push_str(line.trim_start_matches('|'));
                shown.push('\n');
            }
        }
    }
    let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_running = running(field("status"), &shown);
    let is_enabled = match field("enabled") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let mut known = Known {
        manager,
        script: field("script").to_owned(),
        is_running,
        is_enabled,
    };
    if let Some(pattern) = arguments
        .text("pattern")
        .filter(|_| manager == Manager::Scripts)
    {
        known.is_running = Some(is_in_processes(host, pattern).await?);
    }
    Ok(Found::Other(known))
}

/// Tells from a script's status, and what it printed, whether the service runs.
pub(super) fn running(status: &str, shown: &str) -> Option<bool> {
    let said = shown.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&[
        "not running",
        "stopped",
        "is dead",
        "inactive",
        "not started",
        "is down",
    ]) {
        return Some(false);
    }
    match status {
        "0" => Some(true),
        "3" => Some(false),
        _ if says(&["is running", "start/running", "is up", "started"]) => Some(true),
        "1" | "2" | "4" | "69" => Some(false),
        _ => None,
    }
}

pub(super) async fn is_in_processes(host: &Host, pattern: &str) -> Result<bool, Failure> {
    let output = host
        .read_script("ps -ef 2>/dev/null || ps auxww 2>/dev/null || ps")
        .await?;
    Ok(output.stdout.lines().any(|line| line.contains(pattern)))
}

/// Returns the commands for systemd, and whether they count as a change.
fn steps_of_systemd(arguments: &Arguments, unit: &systemd::Unit) -> (Vec<String>, bool) {
    let systemctl = systemd::systemctl(arguments);
    let (mut steps, counts) = systemd::steps(arguments, &systemctl, unit);
    if let Some(pause) = arguments.integer("sleep")
        && let Some(at) = steps
            .iter()
            .position(|step| step.starts_with(&format!("{systemctl} restart")))
    {
        // A restart with a pause is a stop and a start.
        let stop = steps[at].replacen(" restart", " stop", 1);
        let start = steps[at].replacen(" restart", " start", 1);
        steps.splice(at..=at, [stop, format!("sleep {pause}"), start]);
    }
    (steps, counts)
}

/// Returns the commands that bring the service to what is asked for.
fn steps(arguments: &Arguments, known: &Known) -> Result<Vec<String>, Failure> {
    let name = Host::quote(arguments.text_or_empty("name"));
    let mut steps = Vec::new();
    if let Some(wanted) = arguments.given_flag("enabled")
        && known.is_enabled != Some(wanted)
    {
        steps.push(enable(known.manager, &name, wanted));
    }
    let Some(state) = arguments.text("state") else {
        return Ok(steps);
    };
    let Some(is_running) = known.is_running else {
        return Err(Failure::new(
            "failed determining service state, possible typo of service name?",
        ));
    };
    let act = |action: &str| {
        let words = arguments
            .text("arguments")
            .map(|words| format!(" {words}"))
            .unwrap_or_default();
        match known.manager {
            Manager::OpenRc => format!("rc-service {name} {action}{words}"),
            Manager::Smf => match action {
                "start" => format!("svcadm enable -s {name}"),
                "stop" => format!("svcadm disable -st {name}"),
                "reload" => format!("svcadm refresh {name}"),
                _ => format!("svcadm restart {name}"),
            },
            Manager::Scripts => format!("{} {action}{words}", Host::quote(&known.script)),
        }
    };
    match (state, is_running) {
        ("started", false) => steps.push(act("start")),
        ("stopped", true) => steps.push(act("stop")),
        ("reloaded", true) => steps.push(act("reload")),
        ("reloaded", false) | ("restarted", false) => steps.push(act("start")),
        ("restarted", true) if known.manager == Manager::Scripts || arguments.has("sleep") => {
            steps.push(act("stop"));
            if let Some(pause) = arguments.integer("sleep") {
                steps.push(format!("sleep {pause}"));
            }
            steps.push(act("start"));
        }
        ("restarted", true) => steps.push(act("restart")),
        _ => {}
    }
    Ok(steps)
}

fn enable(manager: Manager, name: &str, wanted: bool) -> String {
    match (manager, wanted) {
        (Manager::OpenRc, true) => format!("rc-update add {name}"),
        (Manager::OpenRc, false) => format!("rc-update del {name}"),
        (Manager::Smf, true) => format!("svcadm enable {name}"),
        (Manager::Smf, false) => format!("svcadm disable {name}"),
        (Manager::Scripts, true) => format!(
            "if chkconfig --version >/dev/null 2>&1; then chkconfig --add {name} && chkconfig {name} on; \
             else update-rc.d {name} defaults && update-rc.d {name} enable; fi"
        ),
        (Manager::Scripts, false) => format!(
            "if chkconfig --version >/dev/null 2>&1; then chkconfig {name} off; \
             else update-rc.d {name} disable; fi"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::running;

    #[test]
    fn scripts_tell_by_status_and_words() {
        assert_eq!(running("0", "sshd is running"), Some(true));
        assert_eq!(running("0", "sshd is stopped"), Some(false));
        assert_eq!(running("3", ""), Some(false));
        assert_eq!(running("1", "sshd (pid 5) is running..."), Some(true));
        assert_eq!(running("127", ""), None);
    }
}
