//! `sasrun adhoc`: one task on the hosts of a pattern, without a playbook.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args::{AdhocArguments, PlaybookArguments};
use crate::config::Config;
use crate::log::start_log;
use crate::output;
use crate::run::{Form, Todo, carry_out};
use crate::sources::{Refused, Sources};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: AdhocArguments) -> anyhow::Result<u8> {
    let one_line = arguments.one_line;
    run_as(arguments, Form::Adhoc { one_line })
}

/// Runs the one task and reports in a form.
pub(crate) fn run_as(arguments: AdhocArguments, form: Form) -> anyhow::Result<u8> {
    start_log(arguments.output.verbose);
    output::tell_settings(arguments.output.verbose, &Config::load());
    let folder = arguments.playbook_dir.clone().unwrap_or_default();
    let path = folder.join("adhoc");
    let text = json!([play(&arguments)]).to_string();
    let sources = Sources::open(&arguments.source, std::slice::from_ref(&path))?;
    match todo(&arguments, &sources, &path, &text, form) {
        Ok(todo) if arguments.list_hosts => {
            list_hosts(pattern(&arguments), &todo);
            Ok(0)
        }
        Ok(todo) => carry_out(&as_playbook(arguments, path), &sources, todo),
        Err(Refused(code)) => Ok(code),
    }
}

/// The play that the flags stand for.
fn play(arguments: &AdhocArguments) -> Value {
    let given = match serde_json::from_str(&arguments.args) {
        Ok(Value::Object(named)) => Value::Object(named),
        _ => arguments.args.clone().into(),
    };
    let mut task = json!({ arguments.module_name.as_str(): given });
    if let Some(task) = task.as_object_mut() {
        let limits = [
            ("timeout", arguments.task_timeout),
            ("async", arguments.background),
            (
                "poll",
                arguments.poll.filter(|_| arguments.background.is_some()),
            ),
        ];
        for (keyword, value) in limits {
            if let Some(value) = value {
                task.insert(keyword.to_owned(), value.into());
            }
        }
    }
    let tasks = if arguments.list_hosts {
        Vec::new()
    } else {
        vec![task]
    };
    json!({
        "name": "Ansible Ad-Hoc",
        "hosts": pattern(arguments),
        "gather_facts": false,
        "tasks": tasks,
    })
}

/// The hosts that are meant; commas with nothing between them mean all.
fn pattern(arguments: &AdhocArguments) -> &str {
    let is_empty = arguments
        .pattern
        .split(',')
        .all(|part| part.trim().is_empty());
    if is_empty { "all" } else { &arguments.pattern }
}

fn todo(
    arguments: &AdhocArguments,
    sources: &Sources,
    path: &Path,
    text: &str,
    report: Form,
) -> Result<Todo, Refused> {
    let loader = &sources.loader;
    let refuse = |problems: Vec<_>| sources.refuse(&problems);
    let extra = loader
        .load_extra_variables(&arguments.source.extra_vars)
        .map_err(refuse)?;
    let (mut inventory, _) = sources.load(&[])?;
    loader
        .add_variables_beside_playbook(&mut inventory, path)
        .map_err(refuse)?;
    let playbook = loader.load_playbook_text(path, text).map_err(refuse)?;
    let limit = sources.limit(arguments.source.limit.as_deref(), &inventory)?;
    Ok(Todo {
        inventory,
        playbooks: vec![playbook],
        limit,
        extra,
        report,
        resumed: None,
    })
}

fn list_hosts(pattern: &str, todo: &Todo) {
    let mut hosts = sasrun_load::HostPattern::parse(pattern)
        .map(|pattern| pattern.select(&todo.inventory).hosts)
        .unwrap_or_default();
    let limit = todo.limit.as_ref();
    hosts.retain(|host| limit.is_none_or(|limit| limit.contains(host)));
    output::line(&format!("  hosts ({}):", hosts.len()));
    hosts
        .iter()
        .for_each(|host| output::line(&format!("    {host}")));
}

/// The flags of a playbook that mean the same.
fn as_playbook(arguments: AdhocArguments, path: PathBuf) -> PlaybookArguments {
    PlaybookArguments {
        playbooks: vec![path],
        source: arguments.source,
        check: arguments.check,
        diff: arguments.diff,
        tags: Vec::new(),
        skip_tags: Vec::new(),
        start_at_task: None,
        list_hosts: false,
        list_tasks: false,
        list_tags: false,
        flush_cache: arguments.flush_cache,
        syntax_check: false,
        force_handlers: false,
        pause_at_gates: false,
        no_journal: true,
        events: None,
        connection: arguments.connection,
        output: arguments.output,
    }
}
