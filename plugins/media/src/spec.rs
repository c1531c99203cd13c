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

fn identity() -> Vec<ArgumentSpec> {
    vec![
        ArgumentSpec::optional(
            "medium",
            ArgumentType::String,
            "Which medium it must be. Without it, and without `label`, any will do.",
        )
        .choices(&["primary", "upload", "satellite", "satellite_osprov"]),
        ArgumentSpec::optional(
            "label",
            ArgumentType::StringList,
            "Texts of which one must be in the medium's label, instead of the names that the \
             guide gives `medium`. Letter case, dashes and blanks do not matter.",
        ),
        ArgumentSpec::optional(
            "version",
            ArgumentType::String,
            "Version that the label must name, such as `6.61`.",
        ),
        ArgumentSpec::optional(
            "markers",
            ArgumentType::StringList,
            "Files below the root of the medium that may hold its label.",
        )
        .defaults_to(serde_json::json!([
            "LABEL",
            "label",
            "VOLUME",
            "disk001/LABEL",
            ".disk/info",
            "media.txt"
        ])),
        ArgumentSpec::optional(
            "installer",
            ArgumentType::String,
            "File name of the installer, looked for below `opsware_installer` and \
             `disk001/opsware_installer`; exactly one place must have it. Empty: none is needed.",
        )
        .defaults_to("upgrade_opsware.sh"),
    ]
}

fn identified() -> Vec<Returned> {
    vec![
        Returned::new("path", "str", "Where the medium's files are."),
        Returned::new("label", "str", "Label that was found; or empty."),
        Returned::new("label_from", "str", "File that it was found in; or empty."),
        Returned::new(
            "installer",
            "str",
            "Absolute path of the installer; or empty.",
        ),
        Returned::new(
            "dist",
            "str",
            "Directory that holds `opsware_installer`; or empty.",
        ),
    ]
}

/// Describes `media_mount`.
pub(crate) fn mount() -> ModuleSpec {
    let mut arguments = vec![
        ArgumentSpec::required("path", ArgumentType::Path, "Mount point.")
            .alias(&["mount", "mount_point"]),
        ArgumentSpec::optional("kind", ArgumentType::String, "What is mounted.")
            .choices(&["dvd", "image", "nfs", "bind"])
            .defaults_to("dvd"),
        ArgumentSpec::optional(
            "source",
            ArgumentType::String,
            "Device, image file, `host:/path` or directory. Without it a mount of any source is \
             taken off.",
        ),
        ArgumentSpec::optional(
            "state",
            ArgumentType::String,
            "Whether it shall be mounted.",
        )
        .choices(&["mounted", "unmounted"])
        .defaults_to("mounted"),
        ArgumentSpec::optional(
            "options",
            ArgumentType::StringList,
            "Mount options besides `ro`.",
        ),
        ArgumentSpec::optional(
            "filesystem",
            ArgumentType::String,
            "Type of file system, where the usual one of the kind and system is not right.",
        ),
        ArgumentSpec::optional(
            "elsewhere",
            ArgumentType::Boolean,
            "Takes the medium where something else has mounted it already, such as a volume \
             daemon; the result's `path` tells where.",
        )
        .defaults_to(true),
        ArgumentSpec::optional(
            "remount_stale",
            ArgumentType::Boolean,
            "Takes a mount of the same source off and mounts it again if its NFS handle is stale.",
        )
        .defaults_to(false),
        ArgumentSpec::optional(
            "limit",
            ArgumentType::Integer,
            "Seconds to go on trying to take off a busy file system.",
        )
        .defaults_to(60),
        ArgumentSpec::optional(
            "interval",
            ArgumentType::Integer,
            "Seconds between two tries.",
        )
        .defaults_to(5),
        ArgumentSpec::optional(
            "timeout",
            ArgumentType::Integer,
            "Seconds that one command may take, for a dead server can hold it for ever.",
        )
        .defaults_to(60),
    ];
    arguments.extend(identity());
    let mut returns = identified();
    returns.extend([
        Returned::new("mounted", "bool", "Whether it is mounted at the end."),
        Returned::new(
            "source",
            "str",
            "Source as the mount table names it; or empty.",
        ),
        Returned::new(
            "filesystem",
            "str",
            "Type as the mount table names it; or empty.",
        ),
        Returned::new(
            "options",
            "str",
            "Options as the mount table names them; or empty.",
        ),
        Returned::new(
            "holders",
            "list",
            "On a busy file system: who holds it, each with `pid`, `user`, `command`.",
        ),
    ]);
    ModuleSpec {
        name: "media_mount".into(),
        summary: "Mounts or unmounts a medium, read-only, and makes sure which one it is.".into(),
        description: vec![
            "A mount that is there and right is left alone. One that is there and wrong is never \
             replaced: the task fails and says what it found."
                .into(),
            "After mounting, the label, the installer's place and that root can read the files are \
             looked at; a wrong medium that this task mounted is taken off again."
                .into(),
            "A busy file system is tried again until `limit`, then the task fails and names who \
             holds it. There is no forced and no lazy unmount."
                .into(),
        ],
        arguments,
        check_mode: CheckSupport::Full,
        repetition: Repetition::Repeat,
        required_if: vec![("state".into(), "mounted".into(), vec!["source".into()])],
        returns,
        examples: vec![
            example(
                "Product software from the drive",
                "- media_mount:\n    kind: dvd\n    source: /dev/cdrom\n    path: /mnt/primary\n    \
                 medium: primary\n    version: \"6.61\"\n  register: medium\n",
            ),
            example(
                "Take off the audit file system",
                "- media_mount:\n    path: \"{{ audit.mount_point }}\"\n    state: unmounted\n  \
                 when: audit.applicable\n",
            ),
        ],
        ..ModuleSpec::default()
    }
}

/// Describes `media_identify`.
pub(crate) fn identify() -> ModuleSpec {
    let mut arguments = vec![ArgumentSpec::required(
        "path",
        ArgumentType::Path,
        "Root of the medium's files.",
    )];
    arguments.extend(identity());
    ModuleSpec {
        name: "media_identify".into(),
        summary: "Tells which medium a directory holds and where its installer is.".into(),
        description: vec![
            "Fails if the files cannot be read, the label is another one, or the installer is at \
             none or at both of its two places."
                .into(),
        ],
        arguments,
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: identified(),
        examples: vec![example(
            "Is this the right disc?",
            "- media_identify:\n    path: /mnt/upload\n    medium: upload\n",
        )],
        ..ModuleSpec::default()
    }
}

/// Describes `media_audit`.
pub(crate) fn audit() -> ModuleSpec {
    ModuleSpec {
        name: "media_audit".into(),
        summary: "Finds the audit file system of the Global Shell in the mount table.".into(),
        description: vec![
            "Reads the mount table alone, so a dead server cannot hold it. A mount is the audit \
             file system if its source is `remote_host:remote_path`, or, when no source is \
             given, if it is mounted at one of `mount_points`."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::optional(
                "remote_host",
                ArgumentType::String,
                "Value of `ogfs.audit.host`; matters only beside `remote_path`.",
            ),
            ArgumentSpec::optional(
                "remote_path",
                ArgumentType::String,
                "Value of `ogfs.audit.path`.",
            ),
            ArgumentSpec::optional("mount_points", ArgumentType::StringList, "Known places.")
                .defaults_to(serde_json::json!([
                    "/var/opt/opsware/ogfs/mnt/audit",
                    "/var/opt/opsware/ogfs/export/audit",
                    "/var/opt/OPSWmnt/audit"
                ])),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: vec![
            Returned::new("applicable", "bool", "Whether it is mounted by NFS."),
            Returned::new("mounted", "bool", "Whether it is mounted at all."),
            Returned::new("mount_point", "str", "Where; or empty."),
            Returned::new("source", "str", "From where; or empty."),
            Returned::new("filesystem", "str", "Type; or empty."),
            Returned::new("reason", "str", "One sentence."),
        ],
        examples: vec![example(
            "Find it",
            "- media_audit:\n    remote_path: /export/audit\n  register: audit\n",
        )],
        ..ModuleSpec::default()
    }
}
