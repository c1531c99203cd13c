//! `sysvinit`: services whose scripts lie in `/etc/init.d`, whatever else manages the host.

use sasrun_plugin::{
    Arguments, Call, Change, Command, CommandOutput, Failure, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Object, Outcome, ReadAnswer,
};
use serde_json::{Value, json};

use super::service::{is_in_processes, running};
use crate::describe::{choice, core, example, integer, needed, returns, set, switch, text, texts};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        required_one_of: vec![set(&["state", "enabled"])],
        description: vec![
            "What is enabled is read from the links of the run levels (`/etc/rc3.d/S20app`), and \
             is changed by `update-rc.d`, `insserv` or `chkconfig`, whichever the host has."
                .to_owned(),
            "Whether it runs is what the script's `status` says, or the list of processes if \
             `pattern` is given. `restarted` and `reloaded` always do something."
                .to_owned(),
        ],
        returns: returns(&[
            ("name", "str", "Name of the service."),
            (
                "status",
                "dict",
                "By what was asked for (`enabled`, and the `state`): `changed`, `rc`, `stdout`, `stderr`.",
            ),
        ]),
        examples: vec![example(
            "Start a service, and enable it at two run levels",
            "ansible.builtin.sysvinit:\n  name: app\n  state: started\n  enabled: true\n  runlevels: [3, 5]",
        )],
        ..core(
            "sysvinit",
            "Starts, stops and enables services by their scripts of SysV.",
            vec![
                needed(text("name", "Name of the service, or path of its script."))
                    .alias(&["service"]),
                text("state", "What it shall be, or what to do.").choices(&[
                    "started",
                    "stopped",
                    "restarted",
                    "reloaded",
                ]),
                choice("enabled", "Whether it shall start with the system."),
                texts(
                    "runlevels",
                    "Run levels of `enabled`; the usual ones if absent.",
                ),
                integer(
                    "sleep",
                    "How long to wait between stop and start, in seconds.",
                )
                .defaults_to(1),
                text(
                    "pattern",
                    "Text in the list of processes that tells that it runs.",
                ),
                text("arguments", "Words for the script.").alias(&["args"]),
                switch(
                    "daemonize",
                    "Shields what the script starts from the end of the session.",
                ),
            ],
        )
    }
}

/// What is known of the service.
struct Known {
    script: String,
    /// Run levels that start it.
    levels: Vec<String>,
    is_running: Option<bool>,
}

/// A command, and the field of `status` that tells of it.
struct Step {
    field: String,
    script: String,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name");
    let known = find(&host, &arguments, name).await?;
    let steps = steps(&arguments, &known)?;
    let mut status = Object::new();
    let asked = arguments.has("enabled").then_some("enabled");
    for field in asked.into_iter().chain(arguments.text("state")) {
        let changed = steps.iter().any(|step| step.field == field);
        status.insert(field.to_owned(), told(changed, None));
    }
    let outcome = |status: Object| {
        Outcome::default()
            .with("name", name)
            .with("status", Value::Object(status))
    };
    if steps.is_empty() {
        return Ok(outcome(status));
    }
    let summary: Vec<&str> = steps.iter().map(|step| step.script.as_str()).collect();
    host.will_change(summary.join("; "), None, outcome(status.clone()).result)
        .await?;
    let changes = steps.iter().map(|step| {
        Change::Command(Command {
            script: step.script.clone(),
            ..Command::default()
        })
    });
    let answers = host.change(changes.collect()).await?;
    for (step, answer) in steps.iter().zip(answers) {
        let output = match answer {
            ReadAnswer::Command(output) => output,
            ReadAnswer::Refused(refusal) => return Err(Failure::new(refusal.message)),
            _ => return Err(Failure::new("a command was answered by something else")),
        };
        if !output.succeeded() {
            return Err(failed(&step.field, name, output));
        }
        status.insert(step.field.clone(), told(true, Some(&output)));
    }
    Ok(Outcome {
        changed: true,
        ..outcome(status)
    })
}

fn told(changed: bool, output: Option<&CommandOutput>) -> Value {
    json!({
        "changed": changed,
        "rc": output.map(|output| output.rc),
        "stdout": output.map(|output| output.stdout.as_str()),
        "stderr": output.map(|output| output.stderr.as_str()),
    })
}

fn failed(field: &str, name: &str, output: CommandOutput) -> Failure {
    let action = match field {
        "enabled" => "change the run levels of",
        "started" => "start",
        "stopped" => "stop",
        "restarted" => "restart",
        _ => "reload",
    };
    Failure::new(format!("Failed to {action} service: {name}"))
        .with("name", name)
        .with("rc", output.rc)
        .with("stdout", output.stdout)
        .with("stderr", output.stderr)
}

/// Finds the script, its links and whether it runs, in one round trip.
async fn find(host: &Host, arguments: &Arguments, name: &str) -> Result<Known, Failure> {
    // A script is asked only where its answer decides.
    let decides = matches!(arguments.text("state"), Some("started" | "stopped"));
    let pattern = arguments.text("pattern").filter(|_| decides);
    let asks = if decides && pattern.is_none() {
        "yes"
    } else {
        ""
    };
    let read = format!(
        "n={} asks={asks}\n{}",
        Host::quote(name),
        include_str!("sysvinit.sh")
    );
    let output = host.read_script(read).await?;
    let mut known = Known {
        script: String::new(),
        levels: Vec::new(),
        is_running: None,
    };
    let (mut status, mut shown) = ("", String::new());
    for line in output.stdout.lines() {
        match line.split_once('=') {
            _ if line.starts_with('|') => {
                shown.push_str(line.trim_start_matches('|'));
                shown.push('\n');
            }
            Some(("script", path)) => known.script = path.to_owned(),
            Some(("on", level)) => known.levels.push(level.to_owned()),
            Some(("status", code)) => status = code,
            _ => {}
        }
    }
    if known.script.is_empty() {
        let msg = format!("Could not find the requested service {name}: host");
        return Err(Failure::new(msg).with("name", name));
    }
    known.is_running = match pattern {
        Some(pattern) => Some(is_in_processes(host, pattern).await?),
        None => running(status, &shown),
    };
    Ok(known)
}

/// Returns the commands that bring the service to what is asked for.
fn steps(arguments: &Arguments, known: &Known) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    if let Some(wanted) = arguments.given_flag("enabled") {
        let levels = arguments.strings("runlevels");
        let is_on = |level: &String| known.levels.contains(level);
        let is_right = if levels.is_empty() {
            known.levels.is_empty() != wanted
        } else {
            levels.iter().all(|level| is_on(level) == wanted)
        };
        if !is_right {
            steps.push(Step {
                field: "enabled".to_owned(),
                script: enable(paths::file_name(&known.script), &levels, wanted),
            });
        }
    }
    let Some(state) = arguments.text("state") else {
        return Ok(steps);
    };
    let words = arguments
        .text("arguments")
        .map(|words| format!(" {words}"))
        .unwrap_or_default();
    let act = |action: &str| format!("{} {action}{words}", paths::word(&known.script));
    let script = match (state, known.is_running) {
        ("started", Some(false)) => Some(act("start")),
        ("stopped", Some(true)) => Some(act("stop")),
        ("reloaded", _) => Some(act("reload")),
        ("restarted", _) => {
            // A script's own `restart` is not to be relied on.
            let pause = arguments.integer("sleep").unwrap_or(1).max(0);
            Some(format!(
                "{} && sleep {pause} && {}",
                act("stop"),
                act("start")
            ))
        }
        (_, None) => {
            return Err(Failure::new(
                "failed determining service state: its script does not say; `pattern` finds it in the list of processes",
            ));
        }
        _ => None,
    };
    steps.extend(script.map(|script| Step {
        field: state.to_owned(),
        script: if arguments.flag("daemonize") {
            format!("trap '' 1; {script}")
        } else {
            script
        },
    }));
    Ok(steps)
}

/// Writes shell text that sets or takes away the links of run levels.
fn enable(name: &str, levels: &[String], wanted: bool) -> String {
    let name = Host::quote(name);
    let joined = |separator: &str| Host::quote(&levels.join(separator));
    let spaced: String = levels
        .iter()
        .map(|level| format!(" {}", Host::quote(level)))
        .collect();
    let (update, insserv, chkconfig) = if wanted {
        (
            format!("update-rc.d {name} defaults && update-rc.d {name} enable{spaced}"),
            if levels.is_empty() {
                format!("insserv {name}")
            } else {
                format!("insserv {name},start={}", joined(","))
            },
            "on",
        )
    } else {
        (
            format!("update-rc.d {name} disable{spaced}"),
            if levels.is_empty() {
                format!("insserv -r {name}")
            } else {
                format!("insserv {name},stop={}", joined(","))
            },
            "off",
        )
    };
    let at = if levels.is_empty() {
        String::new()
    } else {
        format!("--level {} ", joined(""))
    };
    let add = if wanted {
        format!("chkconfig --add {name} && ")
    } else {
        String::new()
    };
    format!(
        "PATH=$PATH:/sbin:/usr/sbin; export PATH; \
         if type update-rc.d >/dev/null 2>&1; then {update}; \
         elif type insserv >/dev/null 2>&1; then {insserv}; \
         elif type chkconfig >/dev/null 2>&1; then {add}chkconfig {at}{name} {chkconfig}; \
         else echo 'the host has no update-rc.d, insserv or chkconfig' >&2; exit 127; fi"
    )
}
