//! `sasrun`: flags, wiring and exit codes. How anything works is in the crates it joins.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod approvals;
mod args;
mod catalogue;
mod commands;
mod config;
mod console;
mod described;
mod digests;
mod exit_code;
mod files;
mod inputs;
mod locks;
mod log;
mod log_file;
mod options;
mod output;
mod owed;
mod pages;
mod plugins;
mod record;
mod run;
mod scripts;
mod settings;
mod signals;
mod sources;
mod vault;
mod vault_filters;
mod world;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; everything else is one of usage.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                exit_code::INPUT
            } else {
                0
            });
        }
    };
    let result = match arguments.command {
        Command::Playbook(arguments) => commands::playbook::run(&arguments),
        Command::Resume(arguments) => commands::resume::run(&arguments),
        Command::Approve(arguments) => commands::approve::run(&arguments),
        Command::Adhoc(arguments) => commands::adhoc::run(arguments),
        Command::Ps(arguments) => commands::jobs::list(arguments),
        Command::Stop(arguments) => commands::jobs::stop(arguments),
        Command::Logs(arguments) => commands::jobs::logs(arguments),
        Command::Inventory(arguments) => commands::inventory::run(&arguments),
        Command::Vault(action) => commands::vault::run(&action),
        Command::Lint(arguments) => commands::lint::run(&arguments),
        Command::Doc(arguments) => commands::doc::run(&arguments),
        Command::Runs(arguments) => commands::runs::run(&arguments),
        Command::Show(arguments) => commands::show::run(&arguments),
        Command::Verify(arguments) => commands::verify::run(&arguments),
        Command::Unlock(arguments) => commands::unlock::run(arguments),
        Command::PluginHost { library } => return sasrun_plugin_host::serve(&library),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::error_line(&format!("sasrun: {error:#}"));
            // Plugins that may not be loaded are the user's to put right, and so is a wrong name.
            let is_input = error.is::<sasrun_plugin_host::PluginError>()
                || error.is::<sasrun_journal::FindError>();
            ExitCode::from(if is_input {
                exit_code::INPUT
            } else if error.is::<sasrun_journal::JournalError>() {
                exit_code::PAUSED
            } else {
                exit_code::INTERNAL
            })
        }
    }
}
