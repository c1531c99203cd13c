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

fn oracle_home() -> ArgumentSpec {
    ArgumentSpec::required(
        "oracle_home",
        ArgumentType::Path,
        "Directory of the Oracle software on the host, that of `bin/sqlplus`.",
    )
}

fn tns_admin() -> ArgumentSpec {
    ArgumentSpec::optional(
        "tns_admin",
        ArgumentType::Path,
        "Directory of `tnsnames.ora`.",
    )
    .defaults_to("/var/opt/oracle")
}

/// Describes `oracle_login`.
pub(crate) fn login() -> ModuleSpec {
    ModuleSpec {
        name: "oracle_login".into(),
        summary: "Checks the password of one database account by one logon.".into(),
        description: vec![
            "Decides by the ORA- or SP2- code in the text, never by an exit status. The verdict is \
             a result, not a failure: `match`, `mismatch`, `indeterminate` or `not_checked`, with a \
             `finding` where there is something to say besides."
                .into(),
            "The password is read on the host from its response file, registered as a secret and \
             handed to SQL*Plus on standard input alone. A value with a double quote, a line break \
             or a NUL is not tried and answered `not_checked`."
                .into(),
            "A failed logon counts against the account, so there is one attempt for each account \
             and database in a run; whoever asks again gets the same answer. A refused value is \
             remembered in a directory that only root can read, as a hash, and is not tried again \
             in later runs until the value changes or `again` is set. After an answer that the \
             database cannot be reached the other accounts are not tried for five minutes."
                .into(),
            "In check mode nothing is tried, for a logon is an attempt: the task is `cannot know`."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::required(
                "account",
                ArgumentType::String,
                "Database account, such as `opsware_admin`.",
            )
            .alias(&["user"]),
            ArgumentSpec::required(
                "alias",
                ArgumentType::String,
                "Connect name in `tnsnames.ora`; the value of `truth.servicename`.",
            )
            .alias(&["tnsname"]),
            oracle_home(),
            tns_admin(),
            ArgumentSpec::required(
                "expects",
                ArgumentType::String,
                "Whether the account may log in. For `no_session` the right password is recognised \
                 by ORA-01045.",
            )
            .choices(&["session", "no_session"]),
            ArgumentSpec::optional(
                "response_file",
                ArgumentType::Path,
                "Response file on the host that holds the password.",
            ),
            ArgumentSpec::optional(
                "key",
                ArgumentType::String,
                "Parameter of the response file, such as `truth.aaPwd`.",
            ),
            ArgumentSpec::optional(
                "password",
                ArgumentType::String,
                "The password itself, where there is no response file.",
            )
            .secret(),
            ArgumentSpec::optional(
                "run_as",
                ArgumentType::String,
                "User of the host who runs SQL*Plus, if the task's user is root. Empty: the task's \
                 user.",
            )
            .defaults_to("oracle"),
            ArgumentSpec::optional(
                "ledger",
                ArgumentType::Path,
                "Directory of the host that remembers refused values.",
            )
            .defaults_to("/var/opt/opsware/install_opsware/oracle_attempts"),
            ArgumentSpec::optional(
                "again",
                ArgumentType::Boolean,
                "Tries even a value that is remembered as refused.",
            )
            .defaults_to(false),
            ArgumentSpec::optional(
                "timeout",
                ArgumentType::Integer,
                "Seconds that SQL*Plus may take.",
            )
            .defaults_to(60),
        ],
        check_mode: CheckSupport::CannotKnow,
        repetition: Repetition::Once,
        required_one_of: vec![vec!["response_file".into(), "password".into()]],
        mutually_exclusive: vec![vec!["response_file".into(), "password".into()]],
        required_together: vec![vec!["response_file".into(), "key".into()]],
        returns: vec![
            Returned::new("verdict", "str", "`match`, `mismatch`, `indeterminate` or `not_checked`."),
            Returned::new(
                "finding",
                "str",
                "Something to report besides the verdict, such as `create_session_missing`, \
                 `unexpected_create_session`, `password_expired`, `remembered_failure`; or empty.",
            ),
            Returned::new("code", "str", "The ORA- or SP2- code that decided; or empty."),
            Returned::new("reason", "str", "One sentence for a person."),
            Returned::new("advice", "str", "What to do next; or empty."),
            Returned::new("account", "str", "The account."),
            Returned::new("alias", "str", "The connect name."),
            Returned::new("attempted", "bool", "Whether this task made a logon itself."),
        ],
        examples: vec![example(
            "Check an account that may not log in",
            "- oracle_login:\n    account: gcadmin\n    expects: no_session\n    response_file: \
             /var/opt/opsware/install_opsware/resp/resp.20071130140511\n    key: truth.gcPwd\n    \
             alias: truth\n    oracle_home: /u01/app/oracle/product/10.2.0/db_1\n  register: row\n",
        )],
        ..ModuleSpec::default()
    }
}

/// Describes `oracle_ready`.
pub(crate) fn ready() -> ModuleSpec {
    ModuleSpec {
        name: "oracle_ready".into(),
        summary: "Tells whether an Oracle instance and its listener are up, without a logon."
            .into(),
        description: vec![
            "Looks at processes and listening ports only, so it may run as often as one likes and \
             in check mode too."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::optional(
                "sid",
                ArgumentType::String,
                "Instance; without it any instance will do.",
            ),
            ArgumentSpec::optional(
                "alias",
                ArgumentType::String,
                "Connect name whose port is looked for, instead of `port`.",
            ),
            tns_admin(),
            ArgumentSpec::optional("port", ArgumentType::Integer, "Port of the listener.")
                .defaults_to(1521),
            ArgumentSpec::optional(
                "address",
                ArgumentType::String,
                "Counts only a listener on this IPv4 address, or on all of them.",
            ),
            ArgumentSpec::optional(
                "expect",
                ArgumentType::String,
                "`up`: anything else fails the task. `any`: only tells.",
            )
            .choices(&["up", "any"])
            .defaults_to("up"),
            ArgumentSpec::optional(
                "limit",
                ArgumentType::Integer,
                "Seconds to wait for it to be up.",
            )
            .defaults_to(0),
            ArgumentSpec::optional(
                "interval",
                ArgumentType::Integer,
                "Seconds between two looks.",
            )
            .defaults_to(5),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: vec![
            Returned::new("ready", "bool", "Whether instance and listener are up."),
            Returned::new(
                "instances",
                "list",
                "Instances that run, by their monitor process.",
            ),
            Returned::new("listener", "bool", "Whether a listener process runs."),
            Returned::new("port_open", "bool", "Whether the port is listened on."),
            Returned::new("port", "int", "The port that was looked for."),
        ],
        examples: vec![example(
            "The database must be up",
            "- oracle_ready:\n    sid: truth\n",
        )],
        ..ModuleSpec::default()
    }
}

/// Describes `oracle_names`.
pub(crate) fn names() -> ModuleSpec {
    ModuleSpec {
        name: "oracle_names".into(),
        summary: "Reads tnsnames.ora and judges a connect name and its service by it.".into(),
        description: vec![
            "Understands entries on one line or many, comments, several aliases of one entry, \
             entries of other facilities and any letter case."
                .into(),
        ],
        arguments: vec![
            tns_admin(),
            ArgumentSpec::optional(
                "servicename",
                ArgumentType::String,
                "Connect name to be judged (`truth.servicename`).",
            ),
            ArgumentSpec::optional(
                "sid",
                ArgumentType::String,
                "Service to be judged (`truth.sid`): the SERVICE_NAME or SID inside the entry of \
                 `servicename`.",
            ),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: vec![
            Returned::new("exists", "bool", "Whether the file is there."),
            Returned::new(
                "entries",
                "list",
                "Entries, each with `aliases`, `service_name`, `sid`, `addresses` (`host`, `port`).",
            ),
            Returned::new("aliases", "list", "All aliases."),
            Returned::new(
                "servicename_verdict",
                "str",
                "Verdict on `servicename`, if given.",
            ),
            Returned::new("sid_verdict", "str", "Verdict on `sid`, if given."),
            Returned::new("reason", "str", "One sentence on the verdicts; or empty."),
            Returned::new("finding", "str", "Such as `domain_suffix`; or empty."),
        ],
        examples: vec![example(
            "Judge both values of a response file",
            "- oracle_names:\n    servicename: truth\n    sid: truth\n  register: names\n",
        )],
        ..ModuleSpec::default()
    }
}
