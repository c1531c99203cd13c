//! The description of `opsware_service`.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, CheckSupport, Example, ModuleSpec, Repetition, Returned,
};
use serde_json::json;

/// Describes the module.
pub(super) fn spec() -> ModuleSpec {
    ModuleSpec {
        name: "opsware_service".into(),
        summary: "Tells, starts, stops and restarts the product's services on a server.".into(),
        description: vec![
            "A service counts as up when its processes are there and its ports listen, and as down when no process is left; \
             what `opsware-sas status` says is compared with that, and a contradiction is reported."
                .into(),
            "Only names that the host itself lists are passed to the script. Gateways may be named without the facility's \
             suffix; `rvrdscript` and `rvrdscrip` are the same. Oracle is never touched."
                .into(),
            "A stop or start waits until it is true; past `limit` the task fails and names what is left.".into(),
        ],
        arguments: arguments(),
        check_mode: CheckSupport::Full,
        diff: true,
        repetition: Repetition::Repeat,
        variables: vec!["ansible_host".into()],
        returns: vec![
            Returned::new("host", "str", "Host that this is about."),
            Returned::new("services", "dict", "State, status, processes and closed ports of each service."),
            Returned::new("running", "list", "Services of which a process is there, in start order."),
            Returned::new("contradictions", "list", "Where status and processes disagree."),
            Returned::new("stopped", "list", "Services that this task stopped."),
            Returned::new("started", "list", "Services that this task started."),
        ],
        examples: vec![
            Example {
                title: "Stop everything, unless only the core gateway runs".into(),
                yaml: "- opsware_service:\n    state: stopped\n    unless_only: [opswgw-cgw0]\n".into(),
            },
            Example {
                title: "The core gateway must be up".into(),
                yaml: "- opsware_service:\n    name: opswgw-cgw0\n    expect: started\n".into(),
            },
        ],
        ..ModuleSpec::default()
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    use ArgumentType::{Dictionary, Float, String, StringList};
    vec![
        ArgumentSpec::optional("name", StringList, "Services; without it all of the host.").alias(&["names"]),
        ArgumentSpec::optional("state", String, "What shall be; `queried` only tells.")
            .choices(&["queried", "started", "stopped", "restarted"])
            .defaults_to("queried"),
        ArgumentSpec::optional("expect", String, "With `queried`: fails unless the services are so.")
            .choices(&["started", "stopped"]),
        ArgumentSpec::optional("except", StringList, "Services that are left out."),
        ArgumentSpec::optional(
            "unless_only",
            StringList,
            "With `stopped`: nothing is done if no other service than these runs; otherwise they are stopped too.",
        ),
        ArgumentSpec::optional("limit", Float, "Seconds to wait for the services.").defaults_to(600),
        ArgumentSpec::optional("interval", Float, "Seconds between two looks.").defaults_to(1),
        ArgumentSpec::optional("about", String, "Host that the answer is about, if the task is delegated."),
        ArgumentSpec::optional(
            "address",
            String,
            "Address at which the services listen, by default that of the connection.",
        ),
        ArgumentSpec::optional("ports", Dictionary, "Ports by service, where they are not the usual ones.")
            .defaults_to(json!({})),
        ArgumentSpec::optional(
            "in_check",
            String,
            "State that earlier tasks will have brought about, for the prediction of check mode alone.",
        )
        .choices(&["started", "stopped", "unknown"]),
    ]
}
