//! Flags of the commands about runs that were: going on, answering, looking back, giving locks back.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::{ConnectionArguments, OutputArguments, SourceArguments};

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

    /// Writes the closing report as one HTML page instead.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

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
