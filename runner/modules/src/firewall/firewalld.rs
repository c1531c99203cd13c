//! `ansible.posix.firewalld`: zones of firewalld and what they let through.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
};
use serde_json::Value;

use crate::changing::{carry_out, fields, outcome};
use crate::describe::{
    choice, example, integer, needed, of_collection, raw, returns, switch, text,
};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        returns: returns(&[("msg", "str", "What was done.")]),
        examples: vec![example(
            "Let https in",
            "ansible.posix.firewalld:\n  service: https\n  permanent: true\n  immediate: true\n  state: enabled",
        )],
        ..of_collection(
            "ansible.posix",
            "firewalld",
            "Keeps zones of firewalld.",
            arguments(),
        )
    }
}

/// Arguments that are a value of a zone, with the words of `firewall-cmd` for them.
const VALUES: [(&str, &str); 7] = [
    ("service", "service"),
    ("protocol", "protocol"),
    ("port", "port"),
    ("rich_rule", "rich-rule"),
    ("source", "source"),
    ("interface", "interface"),
    ("icmp_block", "icmp-block"),
];

/// Arguments that are a switch of a zone.
const FLAGS: [(&str, &str); 3] = [
    ("icmp_block_inversion", "icmp-block-inversion"),
    ("masquerade", "masquerade"),
    ("forward", "forward"),
];

fn arguments() -> Vec<ArgumentSpec> {
    let mut all: Vec<ArgumentSpec> = VALUES
        .iter()
        .map(|(name, _)| text(name, "What the zone has."))
        .collect();
    all.extend(
        FLAGS
            .iter()
            .map(|(name, _)| choice(name, "Switch of the zone.")),
    );
    all.extend([
        raw(
            "port_forward",
            "Ports that are passed on: `port`, `proto`, `toport`, `toaddr`.",
        ),
        text("zone", "The zone; without it, the default one."),
        switch("permanent", "Changes what is kept over a restart."),
        choice(
            "immediate",
            "Changes what is in force now; so it is unless `permanent`.",
        )
        .defaults_to(false),
        needed(
            text("state", "Whether it shall be so.")
                .choices(&["absent", "disabled", "enabled", "present"]),
        ),
        integer("timeout", "Seconds after which it is undone.").defaults_to(0),
        switch(
            "offline",
            "Works on the files while the firewall does not run.",
        ),
        text("target", "What the zone does with what nothing takes.").choices(&[
            "%%REJECT%%",
            "ACCEPT",
            "DROP",
            "default",
        ]),
    ]);
    all
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let permanent = arguments.flag("permanent");
    let immediate = arguments.flag("immediate") || !permanent;
    let is_enabled = matches!(arguments.text("state"), Some("enabled" | "present"));
    let zone = arguments
        .text("zone")
        .map(|zone| format!(" --zone={}", Host::quote(zone)))
        .unwrap_or_default();
    let running = host.read_script("firewall-cmd --state").await?;
    let tool = match (running.succeeded(), arguments.flag("offline")) {
        (true, _) => "firewall-cmd",
        (false, true) => "firewall-offline-cmd",
        (false, false) => {
            return Err(Failure::new(format!(
                "firewalld does not answer: {}. Start it, or give `offline: true`",
                running.stderr.trim()
            )));
        }
    };
    let offline = tool != "firewall-cmd";
    let wish = wish(&arguments, is_enabled)?;
    let mut places = Vec::new();
    if immediate && !offline {
        places.push("");
    }
    if permanent || offline {
        places.push(if offline { "" } else { " --permanent" });
    }
    let (mut steps, mut done) = (Vec::new(), Vec::new());
    for place in places {
        let base = format!("{tool}{place}{zone}");
        let found = host.read_script(format!("{base} {}", wish.query)).await?;
        if wish.is_so(&found, is_enabled) {
            continue;
        }
        let timeout = arguments
            .integer("timeout")
            .filter(|seconds| *seconds > 0 && place.is_empty() && is_enabled);
        let timeout = timeout
            .map(|seconds| format!(" --timeout={seconds}"))
            .unwrap_or_default();
        steps.push(format!("{base} {}{timeout}", wish.act));
        done.push(if place.is_empty() {
            "Non-permanent operation"
        } else {
            "Permanent operation"
        });
    }
    if steps.is_empty() {
        return Ok(outcome(false, fields([("msg", "".into())])));
    }
    let verb = if is_enabled { "enabled" } else { "disabled" };
    let msg = format!("{}, Changed {} to {verb}", done.join(", "), wish.about);
    let result = fields([("msg", msg.as_str().into())]);
    carry_out(
        &host,
        format!("{} {verb}", wish.about),
        None,
        steps.join(" && "),
        result,
    )
    .await
}

/// What is asked of a zone, in the words of the tool.
struct Wish {
    about: String,
    query: String,
    act: String,
    /// Answer that tells that it is so; without it, the status of the query tells.
    answer: Option<String>,
}

impl Wish {
    fn is_so(&self, found: &sasrun_plugin::CommandOutput, is_enabled: bool) -> bool {
        match &self.answer {
            Some(answer) => found.stdout.trim() == answer,
            None => found.succeeded() == is_enabled,
        }
    }
}

fn wish(arguments: &Arguments, is_enabled: bool) -> Result<Wish, Failure> {
    let verb = if is_enabled { "add" } else { "remove" };
    let of = |about: &str, word: &str, value: &str| {
        let value = if value.is_empty() {
            String::new()
        } else {
            format!("={}", Host::quote(value))
        };
        Wish {
            about: about.to_owned(),
            query: format!("--query-{word}{value}"),
            act: format!("--{verb}-{word}{value}"),
            answer: None,
        }
    };
    for (name, word) in VALUES {
        if let Some(value) = arguments.text(name) {
            return Ok(of(&format!("{name} {value}"), word, value));
        }
    }
    for (name, word) in FLAGS {
        if let Some(flag) = arguments.given_flag(name) {
            // `masquerade: false` with `enabled` means the opposite.
            let mut wish = of(name, word, "");
            if !flag && is_enabled {
                wish.act = format!("--remove-{word}");
                wish.query = format!("--query-{word} | grep '^no$'");
            }
            return Ok(wish);
        }
    }
    if let Some(forward) = arguments.value("port_forward") {
        let forward = forward
            .as_array()
            .and_then(|all| all.first())
            .unwrap_or(forward);
        let parts: Vec<String> = ["port", "proto", "toport", "toaddr"]
            .iter()
            .filter_map(|key| {
                let value = forward.get(key).filter(|value| !value.is_null())?;
                Some(format!(
                    "{key}={}",
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned)
                ))
            })
            .collect();
        return Ok(of("port_forward", "forward-port", &parts.join(":")));
    }
    if let Some(target) = arguments.text("target") {
        let target = if is_enabled { target } else { "default" };
        return Ok(Wish {
            about: format!("target {target}"),
            query: "--get-target".to_owned(),
            act: format!("--set-target={}", Host::quote(target)),
            answer: Some(target.to_owned()),
        });
    }
    if let Some(zone) = arguments.text("zone") {
        let quoted = Host::quote(zone);
        let act = if is_enabled { "new" } else { "delete" };
        return Ok(Wish {
            about: format!("zone {zone}"),
            query: format!("--info-zone={quoted}"),
            act: format!("--{act}-zone={quoted}"),
            answer: None,
        });
    }
    let known: Vec<Value> = VALUES
        .iter()
        .chain(&FLAGS)
        .map(|(name, _)| Value::from(*name))
        .collect();
    Err(Failure::new("one of service, port, source and the like is needed").with("known", known))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(given: Value, is_enabled: bool) -> (String, String) {
        let arguments = Arguments::check(&spec(), given.as_object().unwrap()).unwrap();
        let wish = wish(&arguments, is_enabled).unwrap();
        (wish.query, wish.act)
    }

    #[test]
    fn arguments_become_words_of_the_tool() {
        let (query, act) = of(json!({"port": "8081/tcp", "state": "disabled"}), false);
        assert_eq!(
            (query.as_str(), act.as_str()),
            ("--query-port=8081/tcp", "--remove-port=8081/tcp")
        );
        let (query, act) = of(
            json!({"port_forward": [{"port": 443, "proto": "tcp", "toport": 8443}], "state": "enabled"}),
            true,
        );
        assert_eq!(
            act,
            "--add-forward-port='port=443:proto=tcp:toport=8443'".replace('\'', "")
        );
        assert!(query.starts_with("--query-forward-port="));
    }
}
