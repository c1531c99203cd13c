//! Flags that several commands share: where things come from, how hosts are reached, what is shown.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// Where hosts, variables and plugins come from.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// Inventory: a file, a folder, or hosts separated by commas. May be given several times.
    #[arg(short, long, value_name = "SOURCE", env = "ANSIBLE_INVENTORY")]
    pub inventory: Vec<String>,

    /// Limits the run to hosts of this pattern.
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Option<String>,

    /// Sets variables: `key=value`, YAML or JSON, or `@FILE`.
    #[arg(short, long, value_name = "VARIABLES")]
    pub extra_vars: Vec<String>,

    /// Folder with plugins, besides `plugins/` beside playbook and inventory. May be given
    /// several times.
    #[arg(long, value_name = "FOLDER")]
    pub plugins: Vec<PathBuf>,

    /// Folders of roles, separated by colons.
    #[arg(
        long,
        value_name = "FOLDERS",
        env = "ANSIBLE_ROLES_PATH",
        value_delimiter = ':'
    )]
    pub roles_path: Vec<PathBuf>,

    #[command(flatten)]
    pub vault: VaultArguments,

    /// Folders of modules in Python; taken note of and not used.
    #[arg(short = 'M', long, value_name = "FOLDERS", hide = true)]
    pub module_path: Option<String>,
}

/// Where vault passwords come from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct VaultArguments {
    /// Password of an id: `id@FILE`, `id@prompt`, or a file alone. May be given several times.
    #[arg(long, value_name = "ID")]
    pub vault_id: Vec<String>,

    /// File with a vault password, or a script that prints it. May be given several times.
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE")]
    pub vault_password_file: Vec<PathBuf>,

    /// Asks for the vault password.
    #[arg(short = 'J', long, visible_alias = "ask-vault-password")]
    pub ask_vault_pass: bool,
}

/// How hosts are reached.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArguments {
    /// How many hosts work at the same time.
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = 50,
        env = "ANSIBLE_FORKS"
    )]
    pub forks: usize,

    /// Login name.
    #[arg(short, long, value_name = "USER", env = "ANSIBLE_REMOTE_USER")]
    pub user: Option<String>,

    /// Private key file.
    #[arg(
        long,
        visible_alias = "key-file",
        value_name = "FILE",
        env = "ANSIBLE_PRIVATE_KEY_FILE"
    )]
    pub private_key: Option<PathBuf>,

    /// Kind of connection: ssh or local.
    #[arg(short, long, value_name = "KIND")]
    pub connection: Option<String>,

    /// Longest wait for a login, in seconds.
    #[arg(short = 'T', long, value_name = "SECONDS")]
    pub timeout: Option<u64>,

    /// Asks for the login password.
    #[arg(short = 'k', long)]
    pub ask_pass: bool,

    /// Becomes another user.
    #[arg(short = 'b', long)]
    pub r#become: bool,

    /// How to become: sudo or su.
    #[arg(long, value_name = "METHOD")]
    pub become_method: Option<String>,

    /// Whom to become.
    #[arg(long, value_name = "USER")]
    pub become_user: Option<String>,

    /// Asks for the password for becoming another user.
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
}

/// What is shown.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// Shows more; up to four times.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,

    /// Colours: auto, always or never.
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    pub color: String,

    /// Hides hosts that a condition left out.
    #[arg(long)]
    pub hide_skipped: bool,
}
