//! Descriptions of the modules: what validation, `sasrun doc` and the reference pages read.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, CheckSupport, Example, ModuleSpec, Repetition, Returned,
};

fn example(title: &str, yaml: &str) -> Example {
    Example {
        title: title.into(),
        yaml: yaml.into(),
    }
}

/// Describes `gateway_config`.
pub(crate) fn config() -> ModuleSpec {
    ModuleSpec {
        name: "gateway_config".into(),
        summary: "Edits a gateway's properties file by its meaning, or only reads it.".into(),
        description: vec![
            "Lines that need no change keep every byte. Before the first change the file is copied \
             beside itself. The gateway reads the file when it starts; restart it when the task \
             changed something."
                .into(),
            "Backup tunnels are known by peer and cost: one that is there is never added again. A \
             new line follows the layout of the lines that are there (with or without a port, \
             one line or a comma list); without any it has five fields. Its certificate is that \
             of an existing tunnel, else the first of `certificates` that is on the host, else \
             the task fails before anything is written."
                .into(),
            "The listener of the local agent gateway is the one `TunnelDst` entry that is bound to \
             loopback and has no certificate. None or several fail the task. Taken out of use, it \
             stays in the file as a comment with a mark before it; a comment without the mark \
             was made by someone else and is only taken back with `foreign`."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::optional(
                "path",
                ArgumentType::Path,
                "The properties file. Without it the one below `directory` that fits `gateway`.",
            ),
            ArgumentSpec::optional(
                "gateway",
                ArgumentType::String,
                "Name of the gateway as in the directory's name: `cgw0-A`, `cgw0` or, for a \
                 satellite, empty. Exactly one directory must fit.",
            )
            .defaults_to(""),
            ArgumentSpec::optional(
                "directory",
                ArgumentType::Path,
                "Where the gateways' directories are.",
            )
            .defaults_to("/etc/opt/opsware"),
            ArgumentSpec {
                suboptions: vec![
                    ArgumentSpec::required(
                        "host",
                        ArgumentType::String,
                        "Address of the peer's gateway.",
                    ),
                    ArgumentSpec::optional("port", ArgumentType::Integer, "Its tunnel listener.")
                        .defaults_to(2001),
                    ArgumentSpec::optional("cost", ArgumentType::Integer, "Cost of the tunnel.")
                        .defaults_to(200),
                    ArgumentSpec::optional(
                        "bandwidth",
                        ArgumentType::Integer,
                        "Limit of bandwidth; 0 is none.",
                    )
                    .defaults_to(0),
                    ArgumentSpec::optional(
                        "certificate",
                        ArgumentType::Path,
                        "Certificate, instead of the one found.",
                    ),
                ],
                ..ArgumentSpec::optional(
                    "tunnels",
                    ArgumentType::List,
                    "Tunnels (`TunnelSrc`) that shall be there.",
                )
            },
            ArgumentSpec::optional(
                "backup_tunnels",
                ArgumentType::String,
                "`absent` takes every backup tunnel (cost 100 or more) out of the file.",
            )
            .choices(&["absent", "unchanged"])
            .defaults_to("unchanged"),
            ArgumentSpec::optional(
                "certificates",
                ArgumentType::StringList,
                "Places of the certificate, in order of preference. Without it: below \
                 `/var/opt/opsware/crypto/`, `/etc/opt/opsware/` and `/var/opt/opsware/`, in the \
                 directory named as that of the file.",
            ),
            ArgumentSpec::optional(
                "local_listener",
                ArgumentType::String,
                "`active` or `commented`: what the listener of the local agent gateway shall be.",
            )
            .choices(&["active", "commented", "unchanged"])
            .defaults_to("unchanged"),
            ArgumentSpec::optional(
                "listener",
                ArgumentType::String,
                "With `local_listener: active`, the entry to write (such as `127.0.0.1:2002`) if \
                 the file has lost the listener, as an upgrade of the gateway may do.",
            ),
            ArgumentSpec::optional(
                "foreign",
                ArgumentType::Boolean,
                "With `local_listener: active`, takes back a comment that someone else made.",
            )
            .defaults_to(false),
        ],
        check_mode: CheckSupport::Full,
        diff: true,
        repetition: Repetition::Repeat,
        returns: vec![
            Returned::new("path", "str", "The file."),
            Returned::new("name", "str", "Name of the gateway in the mesh; or empty."),
            Returned::new("realm", "str", "Realm that it serves; or empty."),
            Returned::new("address", "str", "Address that it tells others; or empty."),
            Returned::new(
                "backup",
                "str",
                "Copy of the file before the change; or empty.",
            ),
            Returned::new(
                "tunnels",
                "list",
                "Tunnels at the end: `host`, `port`, `cost`, `bandwidth`, `certificate`.",
            ),
            Returned::new("added", "list", "Hosts of the tunnels that were added."),
            Returned::new(
                "removed",
                "list",
                "Hosts of the tunnels that were taken out.",
            ),
            Returned::new(
                "listeners",
                "list",
                "Active listeners at the end: `address`, `port`, `certificate`.",
            ),
            Returned::new(
                "listener_port",
                "int",
                "Port of the one listener with a certificate, the mesh's; null if there is none or \
                 there are several.",
            ),
            Returned::new(
                "local_listener",
                "str",
                "`active`, `commented`, `commented_by_hand`, `several` or `absent`.",
            ),
            Returned::new(
                "edits",
                "list",
                "Edits with `line`, `before`, `after`: with the backup, the way back.",
            ),
            Returned::new("findings", "list", "Sentences to report."),
        ],
        examples: vec![
            example(
                "A backup tunnel to another core",
                "- gateway_config:\n    gateway: agw0-A\n    tunnels:\n      - {host: 10.2.0.3}\n  \
                 notify: restart agent gateway\n",
            ),
            example(
                "Force the agent gateway onto the backup tunnels",
                "- gateway_config:\n    gateway: cgw0-A\n    local_listener: commented\n",
            ),
        ],
        ..ModuleSpec::default()
    }
}

/// Describes `gateway_connected`.
pub(crate) fn connected() -> ModuleSpec {
    ModuleSpec {
        name: "gateway_connected".into(),
        summary: "Waits until gateways are directly connected to this host's gateway.".into(),
        description: vec![
            "Fetches the status page on the host with the vendor's own client and reads the table \
             of connected gateways; the table of links proves nothing of a direct tunnel and is \
             not looked at."
                .into(),
            "In check mode it looks once; if a gateway is missing then, the task is `cannot know`, \
             for an earlier task may have changed that."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::optional(
                "nodes",
                ArgumentType::StringList,
                "Names of the gateways that must be connected, such as `agw0-B`. Without it the \
                 table is only read.",
            ),
            ArgumentSpec::optional(
                "absent",
                ArgumentType::StringList,
                "Names of gateways that must not be connected.",
            ),
            ArgumentSpec::optional("url", ArgumentType::String, "Address of the status page.")
                .defaults_to("https://127.0.0.1:8085/status"),
            ArgumentSpec::optional(
                "client",
                ArgumentType::Path,
                "The client program; if it is not there, `curl` of the search path.",
            )
            .defaults_to("/opt/opsware/oi_util/curl/bin/curl"),
            ArgumentSpec::optional(
                "certificate",
                ArgumentType::Path,
                "Client certificate with its key; left out if it is not there.",
            )
            .defaults_to("/var/opt/opsware/crypto/spin/spin.srv"),
            ArgumentSpec::optional("limit", ArgumentType::Integer, "Seconds to wait in all.")
                .defaults_to(300),
            ArgumentSpec::optional(
                "interval",
                ArgumentType::Integer,
                "Seconds between two looks.",
            )
            .defaults_to(5),
            ArgumentSpec::optional("timeout", ArgumentType::Integer, "Seconds of one look.")
                .defaults_to(20),
        ],
        check_mode: CheckSupport::CannotKnow,
        repetition: Repetition::Read,
        returns: vec![
            Returned::new("connected", "list", "Names of the connected gateways."),
            Returned::new(
                "table",
                "list",
                "Rows of the table, by the names of its columns in lower case.",
            ),
            Returned::new("missing", "list", "Wanted gateways that are not connected."),
            Returned::new(
                "unwanted",
                "list",
                "Gateways of `absent` that are connected.",
            ),
            Returned::new("looks", "int", "How often the page was fetched."),
            Returned::new(
                "reason",
                "str",
                "Why the last page could not be read; or empty.",
            ),
        ],
        examples: vec![example(
            "The agent gateway of core B has its backup tunnel to here",
            "- gateway_connected:\n    nodes: [agw0-B]\n    limit: 300\n",
        )],
        ..ModuleSpec::default()
    }
}
