//! Flags as typed. What they mean is decided in `options`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

/// Carries out playbooks on many hosts over SSH, agentless, with plugins.
#[derive(Debug, Parser)]
#[command(
    name = "sasrun",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

/// What sasrun can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs playbooks.
    Playbook(PlaybookArguments),
    /// Shows what an inventory holds.
    Inventory(InventoryArguments),
    /// Shows the documentation of modules.
    Doc(DocArguments),
    /// Loads a plugin library and speaks the plugin protocol; started by sasrun itself.
    #[command(hide = true)]
    PluginHost {
        /// The library.
        library: PathBuf,
    },
}

/// Flags of `sasrun playbook`, named as ansible-playbook's.
#[derive(Debug, Args)]
pub(crate) struct PlaybookArguments {
    /// Playbooks, run in order.
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<PathBuf>,

    #[command(flatten)]
    pub source: SourceArguments,

    /// Predicts instead of changing: says what will change, what will not, and what only doing
    /// it would tell.
    #[arg(short = 'C', long)]
    pub check: bool,

    /// Shows differences of changed files.
    #[arg(short = 'D', long)]
    pub diff: bool,

    /// Runs only tasks with these tags.
    #[arg(short = 't', long, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,

    /// Leaves out tasks with these tags.
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub skip_tags: Vec<String>,

    /// Begins at the task of this name.
    #[arg(long, value_name = "NAME")]
    pub start_at_task: Option<String>,

    /// Lists the hosts of each play and runs nothing.
    #[arg(long)]
    pub list_hosts: bool,

    /// Lists the tasks and runs nothing.
    #[arg(long)]
    pub list_tasks: bool,

    /// Checks the files and runs nothing.
    #[arg(long)]
    pub syntax_check: bool,

    /// Runs handlers of hosts that failed too.
    #[arg(long)]
    pub force_handlers: bool,

    /// Keeps no journal of the run.
    #[arg(long)]
    pub no_journal: bool,

    /// Writes every event as a line of JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,

    #[command(flatten)]
    pub connection: ConnectionArguments,

    #[command(flatten)]
    pub output: OutputArguments,
}

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
    #[arg(short = 'T', long, value_name = "SECONDS", env = "ANSIBLE_TIMEOUT")]
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

/// Flags of `sasrun inventory`, named as ansible-inventory's.
#[derive(Debug, Args)]
pub(crate) struct InventoryArguments {
    #[command(flatten)]
    pub source: SourceArguments,

    /// Shows all of it as JSON.
    #[arg(long, conflicts_with_all = ["host", "graph"])]
    pub list: bool,

    /// Shows the variables of a host as JSON.
    #[arg(long, value_name = "HOST", conflicts_with = "graph")]
    pub host: Option<String>,

    /// Shows groups and hosts as a tree.
    #[arg(long)]
    pub graph: bool,
}

/// Flags of `sasrun doc`.
#[derive(Debug, Args)]
pub(crate) struct DocArguments {
    /// Modules; none lists all.
    #[arg(value_name = "MODULE")]
    pub modules: Vec<String>,

    /// Folder with plugins. May be given several times.
    #[arg(long, value_name = "FOLDER")]
    pub plugins: Vec<PathBuf>,

    /// Writes one page of Markdown for each module into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub pages: Option<PathBuf>,

    /// Writes the page of all error codes into this file.
    #[arg(long, value_name = "FILE")]
    pub errors: Option<PathBuf>,
}
