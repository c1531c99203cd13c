//! `sasrun playbook`: loads everything, refuses what is wrong, runs the rest.

use std::path::PathBuf;

use sasrun_engine::selected_by_tags;
use sasrun_load::Outset;
use sasrun_model::{Diagnostic, Inventory, Name, Playbook, Variables};

use super::listing::Listing;
use super::resume::Resumed;
use crate::args::PlaybookArguments;
use crate::config::Config;
use crate::log::start_log;
use crate::run::{Form, Todo, carry_out};
use crate::sources::{Refused, Sources};
use crate::{output, scripts, settings};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &PlaybookArguments) -> anyhow::Result<u8> {
    start_log(arguments.output.verbose);
    output::tell_settings(arguments.output.verbose, &Config::load());
    let (sources, playbooks) = open(arguments)?;
    match loaded(arguments, &sources, &playbooks) {
        Ok((inventory, playbooks, limit, extra)) => {
            if arguments.syntax_check {
                for playbook in &playbooks {
                    output::line(&format!("\nplaybook: {}", playbook.path.display()));
                }
                return Ok(0);
            }
            if arguments.list_hosts || arguments.list_tasks || arguments.list_tags {
                let listing = Listing {
                    arguments,
                    inventory: &inventory,
                    limit: limit.as_deref(),
                    templates: &sources.templates,
                    extra: &extra,
                };
                playbooks
                    .iter()
                    .for_each(|playbook| listing.playbook(playbook));
                return Ok(0);
            }
            let todo = Todo {
                inventory,
                playbooks,
                limit,
                extra,
                report: Form::Playbook,
                resumed: None,
            };
            if let Err(problems) = foresee(arguments, &sources, &todo) {
                return Ok(sources.refuse(&problems).0);
            }
            carry_out(arguments, &sources, todo)
        }
        Err(Refused(code)) => Ok(code),
    }
}

/// Finds the playbooks and opens what they and the inventory are read with.
fn open(arguments: &PlaybookArguments) -> anyhow::Result<(Sources, Vec<PathBuf>)> {
    let playbooks: Vec<PathBuf> = arguments
        .playbooks
        .iter()
        .map(|path| settings::playbook_path(path))
        .collect();
    let sources = Sources::open(&arguments.source, &playbooks)?;
    Ok((sources, playbooks))
}

/// Goes on with a run that began with these arguments; gives the exit code.
pub(crate) fn go_on(arguments: &PlaybookArguments, resumed: Resumed) -> anyhow::Result<u8> {
    start_log(arguments.output.verbose);
    let (sources, playbooks) = open(arguments)?;
    for secret in &resumed.recovered.secrets {
        sources.mask.register(secret);
    }
    sources
        .scripts
        .answer_with(resumed.past.answers_of(scripts::QUESTION));
    match loaded(arguments, &sources, &playbooks) {
        Ok((inventory, playbooks, limit, extra)) => {
            let todo = Todo {
                inventory,
                playbooks,
                limit,
                extra,
                report: Form::Playbook,
                resumed: Some(resumed),
            };
            carry_out(arguments, &sources, todo)
        }
        Err(Refused(code)) => Ok(code),
    }
}

type Everything = (Inventory, Vec<Playbook>, Option<Vec<Name>>, Variables);

pub(crate) fn loaded(
    arguments: &PlaybookArguments,
    sources: &Sources,
    playbooks: &[PathBuf],
) -> Result<Everything, Refused> {
    let extra = sources
        .loader
        .load_extra_variables(&arguments.source.extra_vars);
    let extra = extra.map_err(|problems| sources.refuse(&problems))?;
    let (inventory, playbooks) = sources.load(playbooks)?;
    let limit = sources.limit(arguments.source.limit.as_deref(), &inventory)?;
    Ok((inventory, playbooks, limit, extra))
}

/// Refuses what is certain to fail, before anything is contacted.
fn foresee(
    arguments: &PlaybookArguments,
    sources: &Sources,
    todo: &Todo,
) -> Result<(), Vec<Diagnostic>> {
    let mut given = sasrun_engine::MAGIC_NAMES.to_vec();
    given.extend(["hostvars", "environment"]);
    sources.loader.foresee(&Outset {
        playbooks: &todo.playbooks,
        inventory: &todo.inventory,
        limit: todo.limit.as_deref(),
        extra: &todo.extra,
        is_selected: &|tags| selected_by_tags(tags, &arguments.tags, &arguments.skip_tags),
        begins_later: arguments.start_at_task.is_some(),
        given: &given,
    })
}
