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
    #[command(args_override_self = true, infer_long_args = true)]
    Playbook(PlaybookArguments),
    /// Goes on with a run that was cut off, that paused, or that failed.
    Resume(ResumeArguments),
    /// Answers a gate of a run.
    Approve(ApproveArguments),
    /// Carries out one task without a playbook.
    #[command(args_override_self = true, infer_long_args = true)]
    Adhoc(AdhocArguments),
    /// Lists the jobs on hosts: commands that outlive their connection and their run.
    #[command(args_override_self = true, infer_long_args = true)]
    Ps(PsArguments),
    /// Ends a job with all that it started; removes what an ended one left on its host.
    #[command(args_override_self = true, infer_long_args = true)]
    Stop(JobArguments),
    /// Shows what a job wrote.
    #[command(args_override_self = true, infer_long_args = true)]
    // Here `-f` is for following, as everywhere else where logs are shown.
    #[command(mut_arg("forks", |forks| forks.short(None)))]
    Logs(LogsArguments),
    /// Shows what an inventory holds.
    #[command(args_override_self = true, infer_long_args = true)]
    Inventory(InventoryArguments),
    /// Seals files and values with a password, and opens them.
    #[command(subcommand)]
    Vault(VaultAction),
    /// Shows the documentation of modules.
    Doc(DocArguments),
    /// Lists the runs that are kept.
    Runs(RunsArguments),
    /// Shows the report of a run that is kept.
    Show(ShowArguments),
    /// Proves that the record of a run is whole.
    Verify(VerifyArguments),
    /// Gives back the lock of a run that was cut off and will not go on.
    #[command(infer_long_args = true)]
    Unlock(UnlockArguments),
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

    /// Forgets facts that were kept; none are kept between runs.
    #[arg(long)]
    pub flush_cache: bool,

    /// Lists the tags and runs nothing.
    #[arg(long)]
    pub list_tags: bool,

    /// Checks the files and runs nothing.
    #[arg(long)]
    pub syntax_check: bool,

    /// Runs handlers of hosts that failed too.
    #[arg(long)]
    pub force_handlers: bool,

    /// Begins although gates have no answer yet; pauses at each until `sasrun approve` answers it.
    #[arg(long)]
    pub pause_at_gates: bool,

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

/// Flags of `sasrun resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The run: its id, the beginning of it that no other has, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    pub run: String,

    /// Says what would be left out, done again and asked about, and does nothing.
    #[arg(long)]
    pub plan: bool,

    /// Goes on although this file, plugin, or `version` is not what the run began with. May be
    /// given several times.
    #[arg(long, value_name = "PATH")]
    pub accept: Vec<String>,

    /// Takes a step whose end is not known for done. May be given several times.
    #[arg(long, value_name = "STEP")]
    pub mark_done: Vec<String>,

    /// Does a step whose end is not known again. May be given several times.
    #[arg(long, value_name = "STEP")]
    pub repeat: Vec<String>,

    /// Gives the run up: it cannot go on after this.
    #[arg(long, conflicts_with_all = ["plan", "mark_done", "repeat"])]
    pub abort: bool,

    /// Lists every step.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Flags of `sasrun approve`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArguments {
    /// The run: its id, the beginning of it that no other has, or `last`.
    #[arg(value_name = "RUN")]
    pub run: String,

    /// Id of the gate.
    #[arg(value_name = "GATE")]
    pub gate: String,

    /// The answer; `no` closes the gate for good.
    #[arg(long, value_name = "ANSWER", default_value = "yes")]
    pub answer: String,

    /// Who answers; the login name when it is not said.
    #[arg(long = "as", value_name = "NAME")]
    pub by: Option<String>,

    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Flags of `sasrun adhoc`, named as those of the command `ansible`.
#[derive(Debug, Args)]
pub(crate) struct AdhocArguments {
    /// Pattern of hosts.
    #[arg(value_name = "PATTERN")]
    pub pattern: String,

    /// The module.
    #[arg(short, long, value_name = "MODULE", default_value = "command")]
    pub module_name: String,

    /// Its arguments: free form, `key=value`, or JSON.
    #[arg(
        short,
        long,
        value_name = "ARGUMENTS",
        default_value = "",
        allow_hyphen_values = true
    )]
    pub args: String,

    #[command(flatten)]
    pub source: SourceArguments,

    /// Predicts instead of changing.
    #[arg(short = 'C', long)]
    pub check: bool,

    /// Shows differences of changed files.
    #[arg(short = 'D', long)]
    pub diff: bool,

    /// Runs in the background, for at most this many seconds.
    #[arg(short = 'B', long, value_name = "SECONDS")]
    pub background: Option<u64>,

    /// How often to look for the end of what runs in the background, in seconds.
    #[arg(short = 'P', long, value_name = "SECONDS")]
    pub poll: Option<u64>,

    /// Longest time of the task, in seconds.
    #[arg(long, value_name = "SECONDS")]
    pub task_timeout: Option<u64>,

    /// One line for each host.
    #[arg(short, long)]
    pub one_line: bool,

    /// Lists the hosts and runs nothing.
    #[arg(long)]
    pub list_hosts: bool,

    /// Forgets facts that were kept; none are kept between runs.
    #[arg(long)]
    pub flush_cache: bool,

    /// Folder that stands for that of a playbook.
    #[arg(
        long,
        alias = "basedir",
        value_name = "FOLDER",
        env = "ANSIBLE_PLAYBOOK_DIR"
    )]
    pub playbook_dir: Option<PathBuf>,

    #[command(flatten)]
    pub connection: ConnectionArguments,

    #[command(flatten)]
    pub output: OutputArguments,
}

/// Flags of `sasrun ps`.
#[derive(Debug, Args)]
pub(crate) struct PsArguments {
    /// Pattern of hosts.
    #[arg(value_name = "PATTERN", default_value = "all")]
    pub pattern: String,

    #[command(flatten)]
    pub source: SourceArguments,

    #[command(flatten)]
    pub connection: ConnectionArguments,

    #[command(flatten)]
    pub output: OutputArguments,
}

/// Flags of `sasrun stop`.
#[derive(Debug, Args)]
pub(crate) struct JobArguments {
    /// The job, as `sasrun ps` lists it.
    #[arg(value_name = "JOB")]
    pub job: String,

    #[command(flatten)]
    pub hosts: PsArguments,
}

/// Flags of `sasrun logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArguments {
    /// Shows on until the job has ended.
    #[arg(short, long)]
    pub follow: bool,

    #[command(flatten)]
    pub of: JobArguments,
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

    /// Shows variables in the tree.
    #[arg(long)]
    pub vars: bool,

    /// Writes YAML instead of JSON.
    #[arg(short, long)]
    pub yaml: bool,

    /// Keeps the variables of groups with the groups.
    #[arg(long)]
    pub export: bool,

    /// Writes to this file.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Folder that stands for that of a playbook.
    #[arg(long, value_name = "FOLDER")]
    pub playbook_dir: Option<PathBuf>,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
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

/// Flags of `sasrun runs`.
#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    /// How many of the youngest are listed; 0 lists all.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub last: usize,
}

/// Flags of `sasrun show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// Id of the run, the beginning of it, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    pub run: String,

    #[command(flatten)]
    pub output: OutputArguments,
}

/// Flags of `sasrun verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// Id of the run, the beginning of it, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    pub run: String,
}

/// Flags of `sasrun unlock`.
#[derive(Debug, Args)]
pub(crate) struct UnlockArguments {
    /// Id of the run that has the lock, whole; none lists the locks that are held here.
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    #[command(flatten)]
    pub source: SourceArguments,

    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// What `sasrun vault` does, named as ansible-vault's actions.
#[derive(Debug, Subcommand)]
pub(crate) enum VaultAction {
    /// Makes a new sealed file in the editor.
    Create(VaultCreate),
    /// Opens files for good.
    Decrypt(VaultFiles),
    /// Opens files in the editor and seals them again.
    Edit(VaultFiles),
    /// Shows what sealed files hold.
    View(VaultFiles),
    /// Seals files.
    Encrypt(VaultFiles),
    /// Seals values, to be pasted into a file of variables.
    #[command(name = "encrypt_string", visible_alias = "encrypt-string")]
    EncryptString(VaultText),
    /// Seals files with another password.
    Rekey(VaultRekey),
}

/// Files to open or seal.
#[derive(Debug, Args)]
pub(crate) struct VaultFiles {
    /// Files; none means standard input.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub vault: VaultArguments,

    /// Id of the secret to seal with, where there are several.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,

    /// Writes to this file, or with `-` to standard output.
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub output: Option<PathBuf>,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// With which secret to seal.
#[derive(Debug, Args)]
pub(crate) struct VaultSealing {
    #[command(flatten)]
    pub vault: VaultArguments,

    /// Id of the secret to seal with, where there are several.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
}

/// A file to make.
#[derive(Debug, Args)]
pub(crate) struct VaultCreate {
    /// The file.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub sealing: VaultSealing,

    /// Opens the editor where there is no terminal too.
    #[arg(long)]
    pub skip_tty_check: bool,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Values to seal.
#[derive(Debug, Args)]
pub(crate) struct VaultText {
    /// Values; `-` or none means standard input.
    #[arg(value_name = "TEXT")]
    pub strings: Vec<String>,

    #[command(flatten)]
    pub sealing: VaultSealing,

    /// Name of the variable; once for each value.
    #[arg(short = 'n', long = "name", value_name = "NAME")]
    pub names: Vec<String>,

    /// Name of the variable that standard input holds.
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,

    /// Asks for the value.
    #[arg(short, long)]
    pub prompt: bool,

    /// Shows what is typed.
    #[arg(long)]
    pub show_input: bool,

    /// Writes to this file.
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub output: Option<PathBuf>,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Files to seal anew.
#[derive(Debug, Args)]
pub(crate) struct VaultRekey {
    /// The files.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub sealing: VaultSealing,

    /// File with the new password.
    #[arg(long, value_name = "FILE")]
    pub new_vault_password_file: Option<PathBuf>,

    /// Id and file of the new password.
    #[arg(long, value_name = "ID", conflicts_with = "new_vault_password_file")]
    pub new_vault_id: Option<String>,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}
