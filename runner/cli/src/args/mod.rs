//! Flags as typed, a file for each kind of command. What they mean is decided in `options` and in the commands.

mod history;
mod jobs;
mod looking;
mod running;
mod sources;
mod vault;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use history::{
    ApproveArguments, ResumeArguments, RunsArguments, ShowArguments, UnlockArguments,
    VerifyArguments,
};
pub(crate) use jobs::{JobArguments, LogsArguments, PsArguments};
pub(crate) use looking::{DocArguments, InventoryArguments, LintArguments};
pub(crate) use running::{AdhocArguments, PlaybookArguments};
pub(crate) use sources::{ConnectionArguments, OutputArguments, SourceArguments, VaultArguments};
pub(crate) use vault::{VaultAction, VaultCreate, VaultFiles, VaultRekey, VaultSealing, VaultText};

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
    /// Says all that is wrong with playbooks and roles; contacts nothing.
    #[command(infer_long_args = true)]
    Lint(LintArguments),
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
