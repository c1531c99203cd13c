//! `async_status`: tells how a task in the background stands.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FunctionModule, Host, JobRequest, JobState, JobStatus,
    Module, ModuleResult, ModuleSpec, Object, Outcome, Repetition,
};
use serde_json::Value;

use crate::describe::{core, example, needed, path, returns, text};
use crate::lines::{exit_status, split_lines};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        description: vec![
            "The job is looked up on the host, as the user of this task: use the same `become` as \
             the task that began it."
                .into(),
            "In check mode a job that was never begun counts as ended.".into(),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[
            ("ansible_job_id", "str", "The job."),
            ("started", "bool", "Whether it was begun."),
            ("finished", "bool", "Whether it has ended."),
            ("results_file", "str", "Where the host keeps its end."),
            ("erased", "str", "What was removed, for `mode: cleanup`."),
        ]),
        examples: vec![example(
            "Wait for a task in the background",
            "ansible.builtin.async_status:\n  jid: '{{ upgrade.ansible_job_id }}'\nregister: result\nuntil: result is finished\nretries: 100\ndelay: 10",
        )],
        ..core(
            "async_status",
            "Tells how a task in the background stands.",
            vec![
                needed(text(
                    "jid",
                    "The job, `ansible_job_id` of the task that began it.",
                )),
                text(
                    "mode",
                    "`status` tells how it stands, `cleanup` removes what it left on the host.",
                )
                .choices(&["status", "cleanup"])
                .defaults_to("status"),
                path("_async_dir", "Accepted for old playbooks; it does nothing."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let is_check = call.check_mode;
    let arguments = Arguments::validated(call.arguments);
    let id = arguments.text_or_empty("jid").to_owned();
    if arguments.text_or_empty("mode") == "cleanup" {
        host.will_change(
            format!("remove the traces of job {id}"),
            None,
            Object::new(),
        )
        .await?;
        host.jobs(JobRequest::Remove { id: id.clone() }).await?;
        return Ok(Outcome::unchanged()
            .with("ansible_job_id", id.as_str())
            .with("erased", results_file(&id)));
    }
    let jobs = host.jobs(JobRequest::Status { id: id.clone() }).await?;
    let job = jobs.into_iter().next().unwrap_or_default();
    match job.state {
        JobState::Starting | JobState::Running => Ok(Outcome {
            result: described(Object::new(), &id, false),
            ..Outcome::unchanged()
        }),
        JobState::Finished => finished(&id, job),
        JobState::Absent if is_check => Ok(Outcome {
            result: described(Object::new(), &id, true),
            ..Outcome::unchanged()
        }),
        JobState::Absent => Err(failure("could not find job", &id)),
        state => {
            let why = match state {
                JobState::Rebooted => "the host was booted while the job ran",
                _ => "the process of the job is gone and left no result",
            };
            Err(Failure {
                unknown: true,
                ..failure(why, &id)
            })
        }
    }
}

/// The result of the task that left the job running, or what the host itself knows of it.
fn finished(id: &str, job: JobStatus) -> ModuleResult {
    let (fields, is_failed, changed) = match job.result {
        Some(result) => {
            let is = |name: &str| result.get(name).and_then(Value::as_bool).unwrap_or(false);
            let (failed, changed) = (is("failed"), is("changed"));
            (result, failed, changed)
        }
        None => {
            let output = job.output.unwrap_or_default();
            let failed = !output.succeeded();
            let mut fields = Object::new();
            fields.insert("rc".into(), exit_status(&output).into());
            for (name, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
                let text = text.trim_end_matches(['\r', '\n']);
                fields.insert(name.into(), text.into());
                fields.insert(format!("{name}_lines"), split_lines(text).into());
            }
            if output.timed_out {
                fields.insert("msg".into(), "the job's time was over".into());
            } else if failed {
                fields.insert("msg".into(), "non-zero return code".into());
            }
            (fields, failed, true)
        }
    };
    let msg = fields
        .get("msg")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let msg = msg.to_owned();
    let mut result = described(fields, id, true);
    result.shift_remove("failed");
    if is_failed {
        result.shift_remove("msg");
        result.insert("changed".into(), changed.into());
        return Err(Failure {
            result,
            ..Failure::new(msg)
        });
    }
    result.shift_remove("changed");
    Ok(Outcome {
        changed,
        result,
        ..Outcome::unchanged()
    })
}

fn failure(msg: &str, id: &str) -> Failure {
    Failure {
        result: described(Object::new(), id, true),
        ..Failure::new(msg)
    }
}

fn described(mut fields: Object, id: &str, is_finished: bool) -> Object {
    fields.insert("ansible_job_id".into(), id.into());
    fields.insert("started".into(), true.into());
    fields.insert("finished".into(), is_finished.into());
    fields.insert("results_file".into(), results_file(id).into());
    fields
}

fn results_file(id: &str) -> String {
    format!("/var/tmp/sasrun-UID/jobs/{id}/rc")
}
