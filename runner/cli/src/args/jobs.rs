//! Flags of the commands about jobs on hosts.

use clap::Args;

use super::{ConnectionArguments, OutputArguments, SourceArguments};

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
