//! Flags of the commands that carry tasks out: playbooks and single tasks.

use std::path::PathBuf;

use clap::Args;

use super::{ConnectionArguments, OutputArguments, SourceArguments};

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
