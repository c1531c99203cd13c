//! Where things lie that the user did not name: installed playbooks, roles, the state of runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use sasrun_load::{InvalidGroupNames, Settings, Unparsed};
use sasrun_model::Strategy;

use crate::args::SourceArguments;
use crate::config::Config;
use crate::run::Form;

/// Inventory when none is named, as for Ansible.
const DEFAULT_INVENTORY: &str = "/etc/ansible/hosts";

/// A playbook as named, or the installed one of that name.
pub(crate) fn playbook_path(named: &Path) -> PathBuf {
    if named.exists() || named.is_absolute() {
        return named.to_owned();
    }
    match installed_playbooks()
        .map(|folder| folder.join(named))
        .filter(|path| path.exists())
    {
        Some(path) => path,
        None => named.to_owned(),
    }
}

/// `share/sasrun/playbooks` beside the folder of the binary, where `make install` puts them.
fn installed_playbooks() -> Option<PathBuf> {
    let binary = std::env::current_exe().ok()?.canonicalize().ok()?;
    Some(binary.parent()?.parent()?.join("share/sasrun/playbooks"))
}

/// Inventory sources as named, or the default.
pub(crate) fn inventories(arguments: &SourceArguments, config: &Config) -> Vec<String> {
    if !arguments.inventory.is_empty() {
        return arguments.inventory.clone();
    }
    let configured = config.list("ANSIBLE_INVENTORY", "defaults", "inventory");
    if !configured.is_empty() {
        let beside = |source: &String| match config.beside(source) {
            path if path.exists() => path.display().to_string(),
            _ => source.clone(),
        };
        return configured.iter().map(beside).collect();
    }
    if Path::new(DEFAULT_INVENTORY).exists() {
        return vec![DEFAULT_INVENTORY.to_owned()];
    }
    Vec::new()
}

/// Folders of roles and collections.
pub(crate) fn loader_settings(arguments: &SourceArguments, config: &Config) -> Settings {
    let mut roles_paths = arguments.roles_path.clone();
    if roles_paths.is_empty() {
        roles_paths = config.paths("ANSIBLE_ROLES_PATH", "defaults", "roles_path");
    }
    let mut collections_paths =
        config.paths("ANSIBLE_COLLECTIONS_PATH", "defaults", "collections_path");
    if let Some(home) = std::env::home_dir() {
        roles_paths.push(home.join(".ansible/roles"));
        collections_paths.push(home.join(".ansible/collections"));
    }
    roles_paths.extend(["/usr/share/ansible/roles", "/etc/ansible/roles"].map(PathBuf::from));
    collections_paths.push("/usr/share/ansible/collections".into());
    let strategy = config.text("ANSIBLE_STRATEGY", "defaults", "strategy");
    let of_inventories = |variable: &str, key: &str| config.flag(variable, "inventory", key);
    Settings {
        unparsed: Unparsed {
            any_is_failed: of_inventories(
                "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED",
                "any_unparsed_is_failed",
            )
            .unwrap_or_default(),
            all_is_failed: of_inventories(
                "ANSIBLE_INVENTORY_UNPARSED_FAILED",
                "unparsed_is_failed",
            ),
        },
        private_role_vars: config.flag(
            "ANSIBLE_PRIVATE_ROLE_VARS",
            "defaults",
            "private_role_vars",
        ),
        merges_dictionaries: merges_dictionaries(config),
        invalid_group_names: config
            .text(
                "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS",
                "defaults",
                "force_valid_group_names",
            )
            .map(|word| InvalidGroupNames::named(&word))
            .unwrap_or_default(),
        roles_paths,
        collections_paths,
        strategy: strategy
            .and_then(|name| Strategy::named(&name))
            .unwrap_or_default(),
    }
}

/// Folders beside which `plugins/` may stand: those of playbooks and of inventories.
pub(crate) fn plugin_neighbours(playbooks: &[PathBuf], inventories: &[String]) -> Vec<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => PathBuf::from("."),
    };
    let inventories = inventories
        .iter()
        .map(Path::new)
        .filter(|path| path.exists());
    let of_inventories = inventories.map(|path| {
        if path.is_dir() {
            path.to_owned()
        } else {
            folder(path)
        }
    });
    playbooks
        .iter()
        .map(|path| folder(path))
        .chain(of_inventories)
        .collect()
}

/// Where runs are kept.
pub(crate) fn state_directory() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    sasrun_journal::state_directory(
        variable("SASRUN_STATE"),
        variable("XDG_STATE_HOME"),
        std::env::home_dir(),
    )
}

/// Settings of the environment that decide the course of a run: not those of pace, looks and places of records.
const COURSE: &[&str] = &[
    "ANSIBLE_ALLOW_BROKEN_CONDITIONALS",
    "ANSIBLE_BECOME",
    "ANSIBLE_BECOME_METHOD",
    "ANSIBLE_BECOME_USER",
    "ANSIBLE_COLLECTIONS_PATH",
    "ANSIBLE_CONFIG",
    "ANSIBLE_FORCE_HANDLERS",
    "ANSIBLE_GATHERING",
    "ANSIBLE_HASH_BEHAVIOUR",
    "ANSIBLE_HOST_KEY_CHECKING",
    "ANSIBLE_INVENTORY",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED",
    "ANSIBLE_PLAYBOOK_DIR",
    "ANSIBLE_PRIVATE_KEY_FILE",
    "ANSIBLE_PRIVATE_ROLE_VARS",
    "ANSIBLE_REMOTE_USER",
    "ANSIBLE_ROLES_PATH",
    "ANSIBLE_STRATEGY",
    "ANSIBLE_TRANSPORT",
    "SASRUN_PLUGINS",
];

/// The settings of the environment that decide the course of a run, as far as they are set.
pub(crate) fn course() -> BTreeMap<String, String> {
    let set = |name: &&str| {
        let value = std::env::var_os(name)?;
        Some(((*name).to_owned(), value.to_string_lossy().into_owned()))
    };
    COURSE.iter().filter_map(set).collect()
}

/// Login name of who runs this, or the number of the user.
pub(crate) fn login_name() -> String {
    std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| rustix::process::getuid().as_raw().to_string())
}

/// Name of this machine.
pub(crate) fn machine_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Where runs are kept.
///
/// # Errors
/// There is no home and none was named.
pub(crate) fn kept_runs() -> anyhow::Result<PathBuf> {
    state_directory().context("no place where runs are kept: set SASRUN_STATE")
}

/// Whether dictionaries of several levels of variables are laid over each other.
pub(crate) fn merges_dictionaries(config: &Config) -> bool {
    let setting = config.text("ANSIBLE_HASH_BEHAVIOUR", "defaults", "hash_behaviour");
    setting.is_some_and(|text| text.trim() == "merge")
}

/// The form of the report, which a setting may make shorter.
pub(crate) fn report_form(config: &Config, form: Form) -> Form {
    let setting = config.text("ANSIBLE_STDOUT_CALLBACK", "defaults", "stdout_callback");
    let setting = setting.unwrap_or_default();
    let name = setting.rsplit('.').next().unwrap_or_default();
    match (form, name) {
        (Form::Jobs(_), _) => form,
        (Form::Playbook, "oneline") => Form::Adhoc { one_line: true },
        (Form::Playbook, "minimal") => Form::Adhoc { one_line: false },
        // A task alone looks at the setting only where that is asked for.
        (Form::Adhoc { .. }, "oneline") if loads_callbacks(config) => {
            Form::Adhoc { one_line: true }
        }
        _ => form,
    }
}

fn loads_callbacks(config: &Config) -> bool {
    let setting = config.flag(
        "ANSIBLE_LOAD_CALLBACK_PLUGINS",
        "defaults",
        "bin_ansible_callbacks",
    );
    setting.unwrap_or(false)
}
