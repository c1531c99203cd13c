//! `jobs`: lists the jobs of a host, shows what one wrote, ends one.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Failure, FunctionModule, Host, JobRequest, JobState, JobStatus,
    Module, ModuleResult, ModuleSpec, Object, Outcome, Repetition,
};
use serde_json::{Value, json};

use crate::describe::{example, returns, switch, text};

/// Longest wait for more output of a job, in milliseconds; then it is looked for again.
const WAIT_MS: u64 = 5_000;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        name: "sasrun.builtin.jobs".into(),
        aliases: vec!["jobs".into()],
        summary: "Lists the jobs of a host, shows what one wrote, or ends one.".into(),
        description: vec![
            "A job is a command that outlives the connection: of a task with `async` or `job`, or \
             of a module that asked for one. Root sees the jobs of all users."
                .into(),
            "A host that does not know the job named answers with an empty list.".into(),
        ],
        arguments: vec![
            text(
                "state",
                "`listed` lists all; `shown` tells what the job wrote, as progress; `stopped` \
                 ends it with all that it started, and removes it when it had ended before.",
            )
            .choices(&["listed", "shown", "stopped"])
            .defaults_to("listed"),
            text("id", "The job; needed unless all are listed."),
            switch("follow", "Shows on until the job has ended."),
        ],
        check_mode: CheckSupport::Full,
        repetition: Repetition::Repeat,
        returns: returns(&[(
            "jobs",
            "list",
            "Each with `id`, `state`, `run`, `step`, `started_at`, `ended_at`, `rc`, `last_line`.",
        )]),
        examples: vec![
            example("See what runs", "sasrun.builtin.jobs:"),
            example(
                "End a job",
                "sasrun.builtin.jobs:\n  state: stopped\n  id: 20261123-035301-1a2b3c.0123456789ab",
            ),
        ],
        ..ModuleSpec::default()
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let id = arguments.text_or_empty("id").to_owned();
    let state = arguments.text_or_empty("state");
    if state == "listed" {
        let jobs = host.jobs(JobRequest::List).await?;
        return Ok(told(Outcome::unchanged(), &jobs));
    }
    if id.is_empty() {
        return Err(Failure::new("`id` says which job is meant"));
    }
    match state {
        "shown" => show(&host, id, arguments.flag("follow")).await,
        _ => stop(&host, id).await,
    }
}

async fn stop(host: &Host, id: String) -> ModuleResult {
    let before = host.jobs(JobRequest::List).await?;
    let known = before.into_iter().find(|job| job.id == id);
    let Some(before) = known else {
        return Ok(told(Outcome::unchanged(), &[]));
    };
    let is_running = matches!(before.state, JobState::Running | JobState::Gone);
    let summary = match is_running {
        true => format!("end job {id}"),
        false => format!("remove the traces of job {id}"),
    };
    host.will_change(summary, None, Object::new()).await?;
    let request = match is_running {
        true => JobRequest::Stop { id: id.clone() },
        false => JobRequest::Remove { id: id.clone() },
    };
    let after = host.jobs(request).await?;
    if before.state == JobState::Gone {
        // Its own process was gone before; what it had started is now.
        host.jobs(JobRequest::Remove { id: id.clone() }).await?;
    }
    if after.iter().any(|job| job.state == JobState::Running) {
        return Err(Failure::new(format!(
            "job {id} did not end when it was told to"
        )));
    }
    let after: Vec<JobStatus> = after
        .into_iter()
        .map(|job| JobStatus {
            run: before.run.clone(),
            step: before.step.clone(),
            ..job
        })
        .collect();
    Ok(told(Outcome::changed(), &after))
}

async fn show(host: &Host, id: String, follow: bool) -> ModuleResult {
    let (mut stdout_from, mut stderr_from) = (0, 0);
    let mut rest = [String::new(), String::new()];
    loop {
        let request = JobRequest::Read {
            id: id.clone(),
            stdout_from,
            stderr_from,
            wait_ms: if follow { WAIT_MS } else { 0 },
        };
        let jobs = host.jobs(request).await?;
        let Some(job) = jobs
            .into_iter()
            .next()
            .filter(|job| job.state != JobState::Absent)
        else {
            return Ok(told(Outcome::unchanged(), &[]));
        };
        (stdout_from, stderr_from) = (job.stdout_to, job.stderr_to);
        let output = job.output.clone().unwrap_or_default();
        for (rest, text) in rest.iter_mut().zip([&output.stdout, &output.stderr]) {
            rest.push_str(text);
            while let Some((line, after)) = rest.split_once('\n') {
                host.progress(line).await?;
                *rest = after.to_owned();
            }
        }
        let is_running = matches!(job.state, JobState::Starting | JobState::Running);
        let goes_on = job.has_more || (follow && is_running);
        if !goes_on {
            for rest in rest.iter().filter(|rest| !rest.is_empty()) {
                host.progress(rest.as_str()).await?;
            }
            return Ok(told(Outcome::unchanged(), &[job]));
        }
    }
}

fn told(outcome: Outcome, jobs: &[JobStatus]) -> Outcome {
    let jobs: Vec<Value> = jobs.iter().map(one).collect();
    outcome.with("jobs", jobs)
}

fn one(job: &JobStatus) -> Value {
    let ended = job
        .output
        .as_ref()
        .filter(|_| job.state == JobState::Finished);
    json!({
        "id": job.id,
        "state": job.state,
        "run": job.run,
        "step": job.step,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "pid": job.pid,
        "rc": ended.map(crate::lines::exit_status),
        "stopped": job.stopped,
        "last_line": job.last_line,
        "stdout_bytes": job.stdout_to,
        "stderr_bytes": job.stderr_to,
    })
}
