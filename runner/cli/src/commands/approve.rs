//! `sasrun approve`: answers a gate of a run from another terminal, with a name and a reason.

use std::io;

use anyhow::Context;
use sasrun_engine::seams::Approval;
use sasrun_journal::RunDirectory;
use sasrun_model::EventKind;

use crate::args::ApproveArguments;
use crate::{approvals, exit_code, output, settings};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &ApproveArguments) -> anyhow::Result<u8> {
    let state = settings::state_directory().context("no runs are kept: set SASRUN_STATE")?;
    let directory = match RunDirectory::find(&state, &arguments.run) {
        Ok(directory) => directory,
        Err(error) => return Ok(refuse(&error.to_string())),
    };
    let gate = &arguments.gate;
    let journal = sasrun_journal::read(&directory.journal())?;
    let events = journal.records.iter().map(|record| &record.event.kind);
    let mut waits = false;
    let mut others = Vec::new();
    for event in events {
        match event {
            EventKind::GateWaiting { gate: known, .. } if known == gate => waits = true,
            EventKind::GateWaiting { gate: known, .. } => others.push(known.clone()),
            EventKind::GateAnswered {
                gate: known, by, ..
            } if known == gate => {
                return Ok(refuse(&format!("the gate {gate} was answered by {by}")));
            }
            _ => {}
        }
    }
    let approval = Approval {
        answer: arguments.answer.clone(),
        by: arguments.by.clone().unwrap_or_else(settings::login_name),
        reason: arguments.reason.clone(),
    };
    match approvals::leave(&approvals::folder(directory.path()), gate, &approval) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Ok(refuse(&format!("the gate {gate} has an answer already")));
        }
        Err(error) => return Err(error).context("the answer cannot be kept"),
    }
    let run = directory.run();
    output::line(&format!("the gate {gate} of {run} is answered"));
    if !waits {
        others.dedup();
        let waiting = if others.is_empty() {
            String::new()
        } else {
            format!("; these do: {}", others.join(", "))
        };
        output::line(&format!("it does not wait yet{waiting}"));
    }
    Ok(0)
}

fn refuse(message: &str) -> u8 {
    output::error_line(&format!("sasrun: {message}"));
    exit_code::INPUT
}
