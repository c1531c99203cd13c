//! `sasrun unlock`: lists the locks that are held here, or gives back that of a run that was cut
//! off and will not go on.

use anyhow::bail;
use clap::Parser;
use sasrun_journal::LocalLocks;
use sasrun_model::{LockClaim, Name};

use crate::args::{Arguments, Command, UnlockArguments};
use crate::run::on_hosts_of;
use crate::{exit_code, output, settings};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: UnlockArguments) -> anyhow::Result<u8> {
    let locks = LocalLocks::below(&settings::kept_runs()?);
    let held = locks.held();
    let Some(run) = arguments.run.clone() else {
        list(&held);
        return Ok(0);
    };
    let mine = held.iter().find(|claim| claim.run == run);
    let is_alive = mine.and_then(|claim| LocalLocks::is_alive(claim, &settings::machine_name()));
    if let (Some(claim), Some(true)) = (mine, is_alive) {
        output::error_line(&format!(
            "sasrun: {claim} is at work; end process {} before its lock is given back",
            claim.pid
        ));
        return Ok(exit_code::LOCKED);
    }
    let mut has_failed = false;
    let mut given_back = 0;
    if !arguments.source.inventory.is_empty() {
        for (host, result) in unlock_on_hosts(arguments, &run)? {
            match result {
                Ok(true) => {
                    given_back += 1;
                    output::line(&format!("{host}: given back"));
                }
                Ok(false) => output::line(&format!("{host}: run {run} does not have it")),
                Err(error) => {
                    has_failed = true;
                    output::error_line(&format!("sasrun: {host}: {error}"));
                }
            }
        }
    }
    if let Some(claim) = mine {
        locks.release(claim)?;
        given_back += 1;
        output::line(&format!(
            "controller: the lock \"{}\" is given back",
            claim.name
        ));
    }
    if given_back == 0 && !has_failed {
        output::error_line(&format!(
            "sasrun: run {run} has no lock here; name the inventory with -i to give back what it \
             holds on hosts"
        ));
        return Ok(exit_code::INPUT);
    }
    Ok(if has_failed { exit_code::LOCKED } else { 0 })
}

fn list(held: &[LockClaim]) {
    if held.is_empty() {
        output::line("no locks are held here");
    }
    for claim in held {
        let alive = match LocalLocks::is_alive(claim, &settings::machine_name()) {
            Some(true) => "at work",
            Some(false) => "its process is gone",
            None => "on another machine",
        };
        output::line(&format!("{}: {claim} ({alive})", claim.name));
    }
}

type OnHosts = Vec<(Name, Result<bool, String>)>;

/// Gives back what a run holds on the hosts of an inventory.
fn unlock_on_hosts(arguments: UnlockArguments, run: &str) -> anyhow::Result<OnHosts> {
    // Hosts are reached as for a playbook, with its flags as they are when none is given.
    let none = Arguments::try_parse_from(["sasrun", "playbook", "unlock"])?;
    let Command::Playbook(mut flags) = none.command else {
        bail!("the flags of a playbook have no defaults");
    };
    flags.source = arguments.source;
    flags.connection = arguments.connection;
    flags.playbooks.clear();
    on_hosts_of(&flags, |parts, options| {
        let run = run.to_owned();
        Box::pin(async move { sasrun_engine::unlock(parts, options, &run).await })
    })
}
