//! Which settings there are, and where each may be said.

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Flag,
    Number,
    Path,
    /// Paths with colons between them.
    Paths,
    /// Paths with commas between them.
    PathList,
    List,
}

/// A setting. Of several names in one place the last one that is set wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) kind: Kind,
    pub(super) variables: Vec<String>,
    pub(super) environment: Vec<String>,
    /// Sections and keys of `ansible.cfg`.
    pub(super) places: Vec<(String, String)>,
    pub(super) default: Option<String>,
}

/// A line of a table: name, variable of the environment without `ANSIBLE_`, section and key, kind,
/// default (a dash for none).
type Row = (&'static str, &'static str, &'static str, Kind, &'static str);

use Kind::{Flag, List, Number, Path, PathList, Paths, Text};

#[rustfmt::skip]
const CORE: &[Row] = &[
    ("ANSIBLE_FORCE_COLOR", "FORCE_COLOR", "defaults.force_color", Flag, "no"),
    ("ANSIBLE_HOME", "HOME", "defaults.home", Path, "~/.ansible"),
    ("ANSIBLE_NOCOLOR", "NOCOLOR", "defaults.nocolor", Flag, "no"),
    ("ANSIBLE_PIPELINING", "PIPELINING", "connection.pipelining", Flag, "no"),
    ("ANY_ERRORS_FATAL", "ANY_ERRORS_FATAL", "defaults.any_errors_fatal", Flag, "no"),
    ("BECOME_ALLOW_SAME_USER", "BECOME_ALLOW_SAME_USER", "privilege_escalation.become_allow_same_user", Flag, "no"),
    ("CACHE_PLUGIN", "CACHE_PLUGIN", "defaults.fact_caching", Text, "memory"),
    ("CALLBACKS_ENABLED", "CALLBACKS_ENABLED", "defaults.callbacks_enabled", List, ""),
    ("COLLECTIONS_PATHS", "COLLECTIONS_PATH", "defaults.collections_path", Paths, "~/.ansible/collections:/usr/share/ansible/collections"),
    ("DEFAULT_ASK_PASS", "ASK_PASS", "defaults.ask_pass", Flag, "no"),
    ("DEFAULT_ASK_VAULT_PASS", "ASK_VAULT_PASS", "defaults.ask_vault_pass", Flag, "no"),
    ("DEFAULT_BECOME", "BECOME", "privilege_escalation.become", Flag, "no"),
    ("DEFAULT_BECOME_ASK_PASS", "BECOME_ASK_PASS", "privilege_escalation.become_ask_pass", Flag, "no"),
    ("DEFAULT_BECOME_EXE", "BECOME_EXE", "privilege_escalation.become_exe", Text, "-"),
    ("DEFAULT_BECOME_FLAGS", "BECOME_FLAGS", "privilege_escalation.become_flags", Text, ""),
    ("DEFAULT_BECOME_METHOD", "BECOME_METHOD", "privilege_escalation.become_method", Text, "sudo"),
    ("DEFAULT_BECOME_USER", "BECOME_USER", "privilege_escalation.become_user", Text, "root"),
    ("DEFAULT_EXECUTABLE", "EXECUTABLE", "defaults.executable", Text, "/bin/sh"),
    ("DEFAULT_FORCE_HANDLERS", "FORCE_HANDLERS", "defaults.force_handlers", Flag, "no"),
    ("DEFAULT_FORKS", "FORKS", "defaults.forks", Number, "5"),
    ("DEFAULT_GATHERING", "GATHERING", "defaults.gathering", Text, "implicit"),
    ("DEFAULT_HASH_BEHAVIOUR", "HASH_BEHAVIOUR", "defaults.hash_behaviour", Text, "replace"),
    ("DEFAULT_HOST_LIST", "INVENTORY", "defaults.inventory", PathList, "/etc/ansible/hosts"),
    ("DEFAULT_JINJA2_NATIVE", "JINJA2_NATIVE", "defaults.jinja2_native", Flag, "yes"),
    ("DEFAULT_LOCAL_TMP", "LOCAL_TEMP", "defaults.local_tmp", Path, "~/.ansible/tmp"),
    ("DEFAULT_LOG_PATH", "LOG_PATH", "defaults.log_path", Path, "-"),
    ("DEFAULT_MANAGED_STR", "", "defaults.ansible_managed", Text, "Ansible managed"),
    ("DEFAULT_MODULE_NAME", "", "defaults.module_name", Text, "command"),
    ("DEFAULT_NO_LOG", "NO_LOG", "defaults.no_log", Flag, "no"),
    ("DEFAULT_NO_TARGET_SYSLOG", "NO_TARGET_SYSLOG", "defaults.no_target_syslog", Flag, "no"),
    ("DEFAULT_POLL_INTERVAL", "POLL_INTERVAL", "defaults.poll_interval", Number, "15"),
    ("DEFAULT_PRIVATE_KEY_FILE", "PRIVATE_KEY_FILE", "defaults.private_key_file", Path, "-"),
    ("DEFAULT_PRIVATE_ROLE_VARS", "PRIVATE_ROLE_VARS", "defaults.private_role_vars", Flag, "no"),
    ("DEFAULT_REMOTE_PORT", "REMOTE_PORT", "defaults.remote_port", Number, "-"),
    ("DEFAULT_REMOTE_USER", "REMOTE_USER", "defaults.remote_user", Text, "-"),
    ("DEFAULT_ROLES_PATH", "ROLES_PATH", "defaults.roles_path", Paths, "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles"),
    ("DEFAULT_STDOUT_CALLBACK", "STDOUT_CALLBACK", "defaults.stdout_callback", Text, "default"),
    ("DEFAULT_STRATEGY", "STRATEGY", "defaults.strategy", Text, "linear"),
    ("DEFAULT_TIMEOUT", "TIMEOUT", "defaults.timeout", Number, "10"),
    ("DEFAULT_TRANSPORT", "TRANSPORT", "defaults.transport", Text, "ssh"),
    ("DEFAULT_VAULT_IDENTITY", "VAULT_IDENTITY", "defaults.vault_identity", Text, "default"),
    ("DEFAULT_VAULT_IDENTITY_LIST", "VAULT_IDENTITY_LIST", "defaults.vault_identity_list", List, ""),
    ("DEFAULT_VAULT_PASSWORD_FILE", "VAULT_PASSWORD_FILE", "defaults.vault_password_file", Path, "-"),
    ("DEFAULT_VERBOSITY", "VERBOSITY", "defaults.verbosity", Number, "0"),
    ("DIFF_ALWAYS", "DIFF_ALWAYS", "diff.always", Flag, "no"),
    ("DIFF_CONTEXT", "DIFF_CONTEXT", "diff.context", Number, "3"),
    ("DISPLAY_SKIPPED_HOSTS", "DISPLAY_SKIPPED_HOSTS", "defaults.display_skipped_hosts", Flag, "yes"),
    ("ERROR_ON_MISSING_HANDLER", "ERROR_ON_MISSING_HANDLER", "defaults.error_on_missing_handler", Flag, "yes"),
    ("HOST_KEY_CHECKING", "HOST_KEY_CHECKING", "defaults.host_key_checking", Flag, "yes"),
    ("INJECT_FACTS_AS_VARS", "INJECT_FACT_VARS", "defaults.inject_facts_as_vars", Flag, "yes"),
    ("INTERPRETER_PYTHON", "PYTHON_INTERPRETER", "defaults.interpreter_python", Text, "auto"),
    ("INVENTORY_ANY_UNPARSED_IS_FAILED", "INVENTORY_ANY_UNPARSED_IS_FAILED", "inventory.any_unparsed_is_failed", Flag, "no"),
    ("INVENTORY_UNPARSED_IS_FAILED", "INVENTORY_UNPARSED_FAILED", "inventory.unparsed_is_failed", Flag, "no"),
    ("MAX_FILE_SIZE_FOR_DIFF", "MAX_DIFF_SIZE", "defaults.max_diff_size", Number, "104448"),
    ("PLAYBOOK_DIR", "PLAYBOOK_DIR", "defaults.playbook_dir", Path, "-"),
    ("PLAYBOOK_VARS_ROOT", "PLAYBOOK_VARS_ROOT", "defaults.playbook_vars_root", Text, "top"),
    ("RETRY_FILES_ENABLED", "RETRY_FILES_ENABLED", "defaults.retry_files_enabled", Flag, "no"),
    ("TAGS_RUN", "RUN_TAGS", "tags.run", List, ""),
    ("TAGS_SKIP", "SKIP_TAGS", "tags.skip", List, ""),
    ("TRANSFORM_INVALID_GROUP_CHARS", "TRANSFORM_INVALID_GROUP_CHARS", "defaults.force_valid_group_names", Text, "never"),
];

/// A setting of a plugin: its name, variables, those of the environment without `ANSIBLE_`, sections and keys,
/// kind, default. Several names of one sort are separated by blanks.
type PluginRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Kind,
    &'static str,
);

#[rustfmt::skip]
const SSH: &[PluginRow] = &[
    ("host", "inventory_hostname ansible_host ansible_ssh_host", "", "", Text, "-"),
    ("host_key_checking", "ansible_host_key_checking ansible_ssh_host_key_checking", "HOST_KEY_CHECKING SSH_HOST_KEY_CHECKING", "defaults.host_key_checking ssh_connection.host_key_checking", Flag, "yes"),
    ("pipelining", "ansible_pipelining ansible_ssh_pipelining", "PIPELINING SSH_PIPELINING", "defaults.pipelining connection.pipelining ssh_connection.pipelining", Flag, "no"),
    ("port", "ansible_port ansible_ssh_port", "REMOTE_PORT", "defaults.remote_port", Number, "-"),
    ("private_key_file", "ansible_private_key_file ansible_ssh_private_key_file", "PRIVATE_KEY_FILE", "defaults.private_key_file", Path, "-"),
    ("remote_user", "ansible_user ansible_ssh_user", "REMOTE_USER", "defaults.remote_user", Text, "-"),
    ("ssh_args", "ansible_ssh_args", "SSH_ARGS", "ssh_connection.ssh_args", Text, "-C -o ControlMaster=auto -o ControlPersist=60s"),
    ("ssh_common_args", "ansible_ssh_common_args", "SSH_COMMON_ARGS", "ssh_connection.ssh_common_args", Text, ""),
    ("ssh_extra_args", "ansible_ssh_extra_args", "SSH_EXTRA_ARGS", "ssh_connection.ssh_extra_args", Text, ""),
    ("timeout", "ansible_ssh_timeout", "TIMEOUT SSH_TIMEOUT", "defaults.timeout ssh_connection.timeout", Number, "10"),
];

#[rustfmt::skip]
const LOCAL: &[PluginRow] = &[
    ("pipelining", "ansible_pipelining", "PIPELINING", "defaults.pipelining connection.pipelining", Flag, "no"),
];

#[rustfmt::skip]
const SHELL: &[PluginRow] = &[
    ("admin_users", "ansible_admin_users", "ADMIN_USERS", "defaults.admin_users", List, "root,toor"),
    ("async_dir", "ansible_async_dir", "ASYNC_DIR", "defaults.async_dir", Text, "~/.ansible_async"),
    ("common_remote_group", "ansible_common_remote_group", "COMMON_REMOTE_GROUP", "defaults.common_remote_group", Text, "-"),
    ("remote_tmp", "ansible_remote_tmp", "REMOTE_TEMP REMOTE_TMP", "defaults.remote_tmp", Text, "~/.ansible/tmp"),
    ("system_tmpdirs", "ansible_system_tmpdirs", "SYSTEM_TMPDIRS", "defaults.system_tmpdirs", List, "/var/tmp,/tmp"),
];

/// The methods of becoming another user.
const BECOME: [&str; 4] = ["doas", "su", "sudo", "pbrun"];

fn default(text: &str) -> Option<String> {
    (text != "-").then(|| text.to_owned())
}

fn of_environment(names: &str) -> Vec<String> {
    let names = names.split_whitespace();
    names.map(|name| format!("ANSIBLE_{name}")).collect()
}

fn of_file(places: &str) -> Vec<(String, String)> {
    let places = places.split_whitespace();
    places
        .filter_map(|place| place.split_once('.'))
        .map(|(section, key)| (section.to_owned(), key.to_owned()))
        .collect()
}

/// A setting of Ansible itself.
pub(super) fn of_core(name: &str) -> Option<Setting> {
    let (_, variable, place, kind, unset) = CORE.iter().find(|row| row.0 == name)?;
    let variables = match name {
        "INTERPRETER_PYTHON" => vec!["ansible_python_interpreter".to_owned()],
        "DEFAULT_NO_TARGET_SYSLOG" => vec!["ansible_no_target_syslog".to_owned()],
        _ => Vec::new(),
    };
    Some(Setting {
        kind: *kind,
        variables,
        environment: of_environment(variable),
        places: of_file(place),
        default: default(unset),
    })
}

/// Whether the settings of a plugin are known.
pub(super) fn is_plugin(kind: &str, plugin: &str) -> bool {
    !rows(kind, plugin).is_empty() || kind == "become" && BECOME.contains(&plugin)
}

fn rows(kind: &str, plugin: &str) -> &'static [PluginRow] {
    match (kind, plugin) {
        ("connection", "ssh") => SSH,
        ("connection", "local") => LOCAL,
        ("shell", "sh") => SHELL,
        _ => &[],
    }
}

/// A setting of a plugin.
pub(super) fn of_plugin(kind: &str, plugin: &str, name: &str) -> Option<Setting> {
    if kind == "become" {
        return of_become(plugin, name);
    }
    let rows = rows(kind, plugin);
    let (_, variables, environment, places, kind, unset) = rows.iter().find(|row| row.0 == name)?;
    Some(Setting {
        kind: *kind,
        variables: variables.split_whitespace().map(str::to_owned).collect(),
        environment: of_environment(environment),
        places: of_file(places),
        default: default(unset),
    })
}

/// Settings of becoming another user: those of all methods, and over them those of one.
fn of_become(method: &str, name: &str) -> Option<Setting> {
    let (short, key, unset) = match name {
        "become_user" => ("user", "user", "root"),
        "become_exe" => ("exe", "executable", method),
        "become_flags" if method == "sudo" => ("flags", "flags", "-H -S -n"),
        "become_flags" => ("flags", "flags", ""),
        _ => return None,
    };
    let upper = |text: &str| text.to_ascii_uppercase();
    let section = format!("{method}_become_plugin");
    Some(Setting {
        kind: Text,
        variables: vec![
            format!("ansible_{name}"),
            format!("ansible_{method}_{short}"),
        ],
        environment: vec![
            format!("ANSIBLE_{}", upper(name)),
            format!("ANSIBLE_{}_{}", upper(method), upper(short)),
        ],
        places: vec![
            ("privilege_escalation".to_owned(), name.to_owned()),
            (section, key.to_owned()),
        ],
        default: Some(unset.to_owned()),
    })
}
