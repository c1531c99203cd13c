//! `service_facts`: the services and their states as facts.

use sasrun_plugin::{
    Call, CheckSupport, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object, Outcome,
    Repetition,
};
use serde_json::json;

use crate::describe::{core, example, returns};

/// Lists units and their files, or scripts with what they say of themselves.
const LIST: &str = "if [ -d /run/systemd/system ]; then\n\
    echo @@units; systemctl list-units --no-pager --type service --all --plain --no-legend\n\
    echo @@files; systemctl list-unit-files --no-pager --type service --all --no-legend\n\
    elif [ -x /usr/bin/svcs ]; then echo @@smf; svcs -aH -o state,fmri\n\
    elif [ -x /usr/sbin/service ] || [ -x /sbin/service ]; then echo @@scripts; service --status-all 2>/dev/null\n\
    elif [ -x /sbin/rc-status ] || [ -x /bin/rc-status ]; then echo @@openrc; rc-status -a -s -m 2>/dev/null\n\
    fi\n:";

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[(
            "ansible_facts",
            "dict",
            "`services`: for each name its `state`, `status` and `source`.",
        )]),
        examples: vec![example("Gather services", "ansible.builtin.service_facts:")],
        ..core(
            "service_facts",
            "Gathers the services and their states.",
            Vec::new(),
        )
    }
}

async fn run(_: Call, host: Host) -> ModuleResult {
    let output = host.read_script(LIST).await?;
    let mut facts = Object::new();
    facts.insert("services".into(), read(&output.stdout).into());
    Ok(Outcome {
        facts,
        ..Outcome::unchanged()
    })
}

fn add(services: &mut Object, name: &str, state: &str, status: &str, source: &str) {
    let entry = json!({"name": name, "state": state, "status": status, "source": source});
    services.insert(name.to_owned(), entry);
}

fn read(list: &str) -> Object {
    let mut services = Object::new();
    let mut section = "";
    for line in list.lines() {
        if let Some(name) = line.strip_prefix("@@") {
            section = name;
            continue;
        }
        let words: Vec<&str> = line
            .trim_start_matches(['●', '*', ' '])
            .split_whitespace()
            .collect();
        match (section, &words[..]) {
            ("units", [name, load, active, sub, ..]) => {
                let state = if (*active, *sub) == ("active", "running") {
                    "running"
                } else {
                    "stopped"
                };
                let status = if *load == "not-found" {
                    "not-found"
                } else {
                    "unknown"
                };
                add(&mut services, name, state, status, "systemd");
            }
            ("files", [name, status, ..]) => match services.get_mut(*name) {
                Some(entry) => entry["status"] = (*status).into(),
                None => add(&mut services, name, "stopped", status, "systemd"),
            },
            ("smf", [state, name]) => {
                let running = if *state == "online" {
                    "running"
                } else {
                    "stopped"
                };
                add(&mut services, name, running, state, "smf");
            }
            ("scripts", ["[", sign, "]", name]) => {
                let state = if *sign == "+" { "running" } else { "stopped" };
                add(&mut services, name, state, "unknown", "sysv");
            }
            ("openrc", [name, "[", state, "]"]) => {
                let state = if *state == "started" {
                    "running"
                } else {
                    "stopped"
                };
                add(&mut services, name, state, "unknown", "openrc");
            }
            _ => {}
        }
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_all_kinds_are_read() {
        let services = read(
            "@@units\nssh.service loaded active running OpenSSH\nx.service not-found inactive dead x\n@@files\nssh.service enabled enabled\ny.service disabled enabled\n",
        );
        assert_eq!(services["ssh.service"]["state"], "running");
        assert_eq!(services["ssh.service"]["status"], "enabled");
        assert_eq!(services["y.service"]["state"], "stopped");
        assert_eq!(read("@@scripts\n [ + ]  ssh\n")["ssh"]["state"], "running");
    }
}
