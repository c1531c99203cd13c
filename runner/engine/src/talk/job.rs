//! Commands that run as jobs of the host, and what modules may ask about such jobs.
//!
//! The host is the referee: a step's job has one name, and asking for it again finds the one that is there. So a run that goes
//! on asks as if nothing had happened, and is answered with the job that a former process of it began.
//!
//! Must not: begin a job again whose end is not known, unless the step may be repeated or a person said so.

use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use sasrun_connection as connection;
use sasrun_connection::{
    BadJobId, Connection, ConnectionError, Identity, JobId, JobOffsets, JobView, Patience,
};
use sasrun_model::{Decision, StepClass};
use sasrun_plugin::{
    Answer, Command, CommandOutput, Failure, JobRequest, JobState, JobStatus, JobWish, Object,
    Place, ReadAnswer,
};

use super::output::Collected;
use super::{Ending, Reply, Talking, convert, lost, refused};
use crate::jobs::Suspended;

/// How the commands of a task run that may run as jobs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JobPlan {
    /// Whether the task asks for jobs.
    pub is_asked: bool,
    /// Longest time that a job may take, held on the host.
    pub limit: Option<Duration>,
    /// Whether the task does not wait for the end.
    pub is_left: bool,
}

/// Most bytes of a job's output that one look gives to a module.
const LOOK_BYTES: usize = 1 << 20;

impl Talking<'_> {
    /// Whether a command runs as a job.
    pub(super) fn is_job(&self, command: &Command) -> bool {
        let is_wished = match command.job {
            JobWish::Never => false,
            JobWish::OnRequest => self.plan.is_asked,
            JobWish::Always => true,
        };
        is_wished && command.place == Place::Target
    }

    /// Runs a command as a job and waits for its end, or leaves it running.
    pub(super) async fn run_job(&mut self, command: &Command) -> Result<ReadAnswer, Reply> {
        let (connection, identity) = self.connection().await?;
        let Some(id) = self.host_run.run.jobs.id(&self.step, self.jobs) else {
            return Err(failed(Failure::new("the job has no name")));
        };
        self.jobs += 1;
        self.job = Some(id.clone());
        let limit = [self.plan.limit, self.left()].into_iter().flatten().min();
        let request = connection::JobRequest {
            id: id.clone(),
            command: convert::command(command, &self.environment, limit),
            about: self.about(),
        };
        let patience = self.patience(command);
        self.forget_if_repeated(&connection, &identity, &id).await?;
        let began = Instant::now();
        loop {
            let begun = connection.ensure_job(&identity, &request, &patience).await;
            match begun {
                Ok(_) => {}
                Err(error) if error.is_unreachable() => return Err(left_alone(&id, &error)),
                Err(error) => return Ok(convert::refusal(&error)),
            }
            if self.plan.is_left {
                return Err(Reply::End(Ending::InBackground(id)));
            }
            let (view, collected) = self.watch(&connection, &identity, &id, &patience).await?;
            let status = match view.state {
                connection::JobState::Finished(status) => status,
                state => {
                    self.interrupted(&connection, &identity, &id, state).await?;
                    continue;
                }
            };
            let jobs = &self.host_run.run.jobs;
            jobs.has_ended(&self.step, connection, identity, id);
            if matches!(status, connection::ExitStatus::TimedOut(_)) && self.plan.limit == limit {
                return Err(failed(out_of_time(self.plan.limit)));
            }
            let output = self.output(status, collected, elapsed(&view, Some(began)));
            return Ok(ReadAnswer::Command(output));
        }
    }

    /// Follows a job while others see what it writes. Dropped, as when the run is to end now, it leaves the job alone.
    async fn watch(
        &self,
        connection: &Connection,
        identity: &Identity,
        id: &JobId,
        patience: &Patience,
    ) -> Result<(JobView, Collected), Reply> {
        let mut collected = self.collected(id.as_str());
        let last_line = collected.last_line();
        let mut offsets = JobOffsets::default();
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        let view = {
            let following =
                connection.follow_job(identity, id, &mut offsets, &mut collected, patience);
            let mut following = std::pin::pin!(following);
            loop {
                tokio::select! {
                    view = &mut following => break view.map_err(|error| left_alone(id, &error))?,
                    _ = ticks.tick() => {
                        if let Some(line) = last_line.take() {
                            self.tell_progress(line);
                        }
                    }
                }
            }
        };
        Ok((view, collected))
    }

    /// A job that came to no end: begun anew where that is safe, else its outcome is not known.
    async fn interrupted(
        &self,
        connection: &Connection,
        identity: &Identity,
        id: &JobId,
        state: connection::JobState,
    ) -> Result<(), Reply> {
        let why = match state {
            connection::JobState::Rebooted => "the host was booted while it ran",
            connection::JobState::Absent => "its files are gone from the host",
            _ => "its process is gone and left no result",
        };
        if self.host_run.class() == StepClass::Once {
            return Err(unknown(format!(
                "it is not known how the job {id} ended: {why}; its output is shown by `sasrun logs {id}`"
            )));
        }
        self.host_run.run.warn(format!(
            "{}: {}: {why}; it is begun anew",
            self.step.host, self.step.task
        ));
        let removal = connection.remove_job(identity, id).await;
        removal.map(drop).map_err(|error| lost(&error))
    }

    /// Removes the traces of the last time when a person decided that the step is done again.
    pub(super) async fn forget_if_repeated(
        &self,
        connection: &Connection,
        identity: &Identity,
        id: &JobId,
    ) -> Result<(), Reply> {
        if self.host_run.run.past.decision(&self.step) != Some(Decision::Repeat) {
            return Ok(());
        }
        let removal = connection.remove_job(identity, id).await;
        match removal {
            Ok(true) => Ok(()),
            Ok(false) => Err(unknown(format!(
                "its job {id} is still running; `sasrun stop {id}` ends it, or go on without `--repeat`"
            ))),
            Err(error) => Err(lost(&error)),
        }
    }

    fn patience(&self, command: &Command) -> Patience {
        Patience {
            silence: command.silence_ms.map(Duration::from_millis),
            ..Patience::default()
        }
    }

    pub(super) fn about(&self) -> Vec<(String, String)> {
        let words = [
            ("run", self.host_run.run.jobs.run().to_owned()),
            ("step", self.step.to_string()),
            ("host", self.step.host.to_string()),
        ];
        let words = words.into_iter();
        words
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Answers a module that asks about jobs.
    pub(super) async fn ask_job(&mut self, request: JobRequest) -> Reply {
        let is_change = matches!(request, JobRequest::Stop { .. } | JobRequest::Remove { .. });
        if is_change && !self.is_declared {
            let message = "the module asked for a change that it had not declared";
            return Reply::Answer(refused("undeclared", message));
        }
        match self.job_answer(request).await {
            Ok(jobs) => Reply::Answer(Answer::Jobs { jobs }),
            Err(reply) => reply,
        }
    }

    async fn job_answer(&mut self, request: JobRequest) -> Result<Vec<JobStatus>, Reply> {
        let (connection, identity) = self.connection().await?;
        let (id, offsets, wait) = match request {
            JobRequest::List => {
                let listed = connection.list_jobs(&identity).await;
                let listed = listed.map_err(|error| lost(&error))?;
                return Ok(listed.into_iter().map(convert::listed_job).collect());
            }
            JobRequest::Read {
                id,
                stdout_from,
                stderr_from,
                wait_ms,
            } => {
                let from = JobOffsets {
                    stdout: stdout_from,
                    stderr: stderr_from,
                };
                (id, Some(from), Duration::from_millis(wait_ms))
            }
            JobRequest::Status { id } | JobRequest::Stop { id } | JobRequest::Remove { id }
                if JobId::new(&id).is_err() =>
            {
                return Ok(vec![absent(id)]);
            }
            JobRequest::Status { id } => return Ok(vec![self.job_status(&id).await?]),
            JobRequest::Stop { id } => {
                let id = JobId::new(&id).map_err(|error| misnamed(&error))?;
                let stopped = connection.stop_job(&identity, &id).await;
                stopped.map_err(|error| lost(&error))?;
                return Ok(vec![self.look(&connection, &identity, &id).await?]);
            }
            JobRequest::Remove { id } => {
                self.host_run.run.jobs.forget(&id);
                let id = JobId::new(&id).map_err(|error| misnamed(&error))?;
                let before = self.look(&connection, &identity, &id).await?;
                let removed = connection.remove_job(&identity, &id).await;
                removed.map_err(|error| lost(&error))?;
                return Ok(vec![before]);
            }
            _ => {
                return Err(Reply::Answer(refused(
                    "protocol",
                    "this engine does not know the request",
                )));
            }
        };
        let id = JobId::new(&id).map_err(|error| misnamed(&error))?;
        let offsets = offsets.unwrap_or_default();
        let read = self
            .read_output(&connection, &identity, &id, offsets, wait)
            .await?;
        Ok(vec![read])
    }

    async fn look(
        &self,
        connection: &Connection,
        identity: &Identity,
        id: &JobId,
    ) -> Result<JobStatus, Reply> {
        let view = connection.look_at_job(identity, id).await;
        let view = view.map_err(|error| lost(&error))?;
        Ok(convert::job(id.as_str(), &view))
    }

    /// A job's output from offsets on, after waiting a while for more.
    async fn read_output(
        &self,
        connection: &Connection,
        identity: &Identity,
        id: &JobId,
        from: JobOffsets,
        wait: Duration,
    ) -> Result<JobStatus, Reply> {
        let deadline = Instant::now() + wait;
        let mut offsets = from;
        let mut collected = Collected::new(usize::MAX, None);
        loop {
            let reading =
                connection.read_part(identity, id, &mut offsets, &mut collected, LOOK_BYTES);
            let view = reading.await.map_err(|error| lost(&error))?;
            let is_idle = offsets == from && !view.state.is_final();
            if is_idle && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            let mut status = convert::job(id.as_str(), &view);
            status.has_more =
                offsets.stdout < view.written.stdout || offsets.stderr < view.written.stderr;
            (status.stdout_to, status.stderr_to) = (offsets.stdout, offsets.stderr);
            let end = status.output.take().unwrap_or_default();
            let (stdout, stderr, _) = collected.finish();
            status.output = Some(CommandOutput {
                stdout: stdout.text().into_owned(),
                stderr: stderr.text().into_owned(),
                ..end
            });
            return Ok(status);
        }
    }

    /// How a job stands; when it has ended, with what came of the task that left it running.
    async fn job_status(&mut self, id: &str) -> Result<JobStatus, Reply> {
        if let Some(result) = self.host_run.run.jobs.result(id) {
            return Ok(JobStatus {
                id: id.to_owned(),
                state: JobState::Finished,
                result: Some(result),
                ..JobStatus::default()
            });
        }
        let (connection, identity) = self.connection().await?;
        let id = JobId::new(id).map_err(|error| misnamed(&error))?;
        let status = self.look(&connection, &identity, &id).await?;
        if status.state != JobState::Finished {
            return Ok(status);
        }
        let patience = Patience::default();
        let (view, collected) = self.watch(&connection, &identity, &id, &patience).await?;
        let connection::JobState::Finished(ended) = view.state else {
            return Ok(convert::job(id.as_str(), &view));
        };
        let output = self.output(ended, collected, elapsed(&view, None));
        let mut status = convert::job(id.as_str(), &view);
        status.output = Some(output.clone());
        let jobs = &self.host_run.run.jobs;
        if let Some(suspended) = jobs.take_suspended(id.as_str()) {
            let result = self.go_on(suspended, output).await;
            let jobs = &self.host_run.run.jobs;
            jobs.keep_result(id.as_str(), result.clone());
            jobs.has_ended(&self.step, connection, identity, id);
            status.result = Some(result);
        }
        Ok(status)
    }

    /// Goes on with a conversation that left its job running, now that it has ended.
    fn go_on(&mut self, suspended: Suspended, output: CommandOutput) -> LocalBoxFuture<'_, Object> {
        Box::pin(async move {
            let Suspended { mut talk, answered } = suspended;
            let plan = std::mem::take(&mut self.plan);
            let was_declared = std::mem::replace(&mut self.is_declared, true);
            let mut changes = answered;
            changes.push(ReadAnswer::Command(output));
            let answer = Answer::Changes { changes };
            let ending = self.converse(&mut *talk, Some(answer)).await;
            self.plan = plan;
            self.is_declared = was_declared;
            result_of(ending)
        })
    }
}

/// The result of a task, as fields.
fn result_of(ending: Ending) -> Object {
    let (mut result, changed, failed) = match ending {
        Ending::Done { outcome, .. } => (outcome.result, outcome.changed, None),
        Ending::Failed(failure) => {
            let changed = failure
                .result
                .get("changed")
                .and_then(serde_json::Value::as_bool);
            (failure.result, changed.unwrap_or(false), Some(failure.msg))
        }
        _ => (
            Object::new(),
            false,
            Some("it did not come to its end".to_owned()),
        ),
    };
    result.insert("changed".into(), changed.into());
    if let Some(msg) = failed {
        result.insert("failed".into(), true.into());
        result.insert("msg".into(), msg.into());
    }
    result
}

fn misnamed(error: &BadJobId) -> Reply {
    Reply::Answer(refused("other", error.to_string()))
}

fn absent(id: String) -> JobStatus {
    JobStatus {
        id,
        ..JobStatus::default()
    }
}

/// How long a job took: as watched from its beginning, or else by the host's clock, which counts seconds.
fn elapsed(view: &JobView, began: Option<Instant>) -> Duration {
    let on_host = view.ended_at.zip(view.started_at);
    let on_host = on_host.map(|(end, start)| Duration::from_secs(end.saturating_sub(start)));
    let on_host = on_host.unwrap_or_default();
    match began.map(|began| began.elapsed()) {
        Some(here) if here + Duration::from_secs(1) >= on_host => here,
        _ => on_host,
    }
}

fn failed(failure: Failure) -> Reply {
    Reply::End(Ending::Failed(failure))
}

pub(super) fn unknown(msg: String) -> Reply {
    failed(Failure {
        unknown: true,
        ..Failure::new(msg)
    })
}

/// A job that could not be reached any more; it goes on alone.
pub(super) fn left_alone(id: &JobId, error: &ConnectionError) -> Reply {
    unknown(format!(
        "{error}; its job {id} goes on alone, if it began: `sasrun resume` finds it again, `sasrun ps` shows it"
    ))
}

fn out_of_time(limit: Option<Duration>) -> Failure {
    let seconds = limit.unwrap_or_default().as_secs();
    Failure::new(format!(
        "async task did not complete within the requested time - {seconds}s"
    ))
}
