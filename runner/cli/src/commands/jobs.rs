//! `sasrun ps`, `stop` and `logs`: the jobs that are out there, whoever began them.

use sasrun_report::JobForm;
use serde_json::{Value, json};

use super::adhoc;
use crate::args::{AdhocArguments, JobArguments, LogsArguments, PsArguments};
use crate::run::Form;

/// Runs `sasrun ps`; gives the exit code.
pub(crate) fn list(arguments: PsArguments) -> anyhow::Result<u8> {
    ask(arguments, &json!({}), JobForm::Table)
}

/// Runs `sasrun stop`; gives the exit code.
pub(crate) fn stop(arguments: JobArguments) -> anyhow::Result<u8> {
    let asked = json!({ "state": "stopped", "id": arguments.job });
    ask(arguments.hosts, &asked, JobForm::Stopped)
}

/// Runs `sasrun logs`; gives the exit code.
pub(crate) fn logs(arguments: LogsArguments) -> anyhow::Result<u8> {
    let LogsArguments { follow, of } = arguments;
    let asked = json!({ "state": "shown", "id": of.job, "follow": follow });
    ask(of.hosts, &asked, JobForm::Log)
}

/// Asks the hosts through the module about jobs.
fn ask(hosts: PsArguments, asked: &Value, form: JobForm) -> anyhow::Result<u8> {
    let arguments = AdhocArguments {
        pattern: hosts.pattern,
        module_name: "sasrun.builtin.jobs".to_owned(),
        args: asked.to_string(),
        source: hosts.source,
        check: false,
        diff: false,
        background: None,
        poll: None,
        task_timeout: None,
        one_line: false,
        list_hosts: false,
        flush_cache: false,
        playbook_dir: None,
        connection: hosts.connection,
        output: hosts.output,
    };
    adhoc::run_as(arguments, Form::Jobs(form))
}
