//! `hostname`: the name of the host.

use sasrun_plugin::{
    Arguments, Call, Diff, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object, Outcome,
};
use serde_json::json;

use crate::answers::run as change;
use crate::describe::{core, example, needed, returns, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[("name", "str", "The name.")]),
        examples: vec![example(
            "Set the name",
            "ansible.builtin.hostname:\n  name: web01",
        )],
        ..core(
            "hostname",
            "Sets the name of the host.",
            vec![
                needed(text("name", "The name.")),
                text("use", "How to set it; it is found out.").choices(&[
                    "alpine", "darwin", "debian", "freebsd", "generic", "macos", "macosx",
                    "openbsd", "openrc", "redhat", "sles", "solaris", "systemd",
                ]),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name");
    let shown = host
        .read_script("uname -n; cat /etc/hostname 2>/dev/null")
        .await?;
    let mut lines = shown.stdout.lines().map(str::trim);
    let current = lines.next().unwrap_or_default();
    let kept = lines.next().unwrap_or(current);
    let short = name.split('.').next().unwrap_or(name);
    let facts = json!({
        "ansible_hostname": short, "ansible_nodename": name, "ansible_fqdn": name,
        "ansible_domain": name.split_once('.').map_or("", |(_, domain)| domain),
    });
    let outcome = |changed| {
        Outcome {
            changed,
            facts: facts.as_object().cloned().unwrap_or_default(),
            ..Outcome::default()
        }
        .with("name", name)
    };
    if current == name && kept == name {
        return Ok(outcome(false));
    }
    let diff = Diff {
        before: format!("hostname = {current}\n"),
        after: format!("hostname = {name}\n"),
        ..Diff::default()
    };
    host.will_change(
        format!("name the host {name}"),
        call.diff.then_some(diff),
        Object::new(),
    )
    .await?;
    let word = Host::quote(name);
    let script = format!(
        "if [ -d /run/systemd/system ] && hostnamectl --version >/dev/null 2>&1; then hostnamectl set-hostname {word}\n\
         else hostname {word} && echo {word} > /etc/hostname; fi"
    );
    change(&host, script, "naming the host").await?;
    Ok(outcome(true))
}
