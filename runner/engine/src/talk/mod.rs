//! The conversation with a module: each request carried out, and check mode kept.
//!
//! Here and nowhere else it is decided what a module may do: reads always, attempts and changes
//! only when the run applies, changes only after they were declared.

mod archive;
mod controller;
mod convert;
mod dialogue;
mod gate;
mod host;
mod job;
mod output;
mod tree;
mod variables;

pub(crate) use variables::learn_files;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sasrun_connection::{Connection, ConnectionError, JobId};
use sasrun_model::{EventKind, HostTask, Keyword, Name};
use sasrun_plugin::{
    Answer, ControllerRequest, Declaration, Diff, Failure, Outcome, ReadAnswer, Refusal, Request,
    Step,
};
use sasrun_template::{Scope, TemplateError};

pub(crate) use job::JobPlan;

use crate::reach::{Reach, Reaching};
use crate::registry::Talk;
use crate::task::HostRun;
use crate::variables::{ScopeParts, TaskScope};

/// How long after the task's limit a module may still take to say so in its own words.
const GRACE: Duration = Duration::from_secs(2);

/// Kind of a refusal because a value is only known when the run applies.
const CANNOT_KNOW: &str = "cannot_know";

/// How a conversation ended.
pub(crate) enum Ending {
    Done {
        outcome: Outcome,
        declared: Vec<Diff>,
    },
    WouldChange(Declaration),
    CannotKnow(String),
    /// A job goes on that nobody waits for; the conversation waits for its end.
    InBackground(JobId),
    Failed(Failure),
    /// The run stops before the conversation's end.
    Left,
}

/// The engine's side of one conversation.
pub(crate) struct Talking<'a> {
    host_run: &'a HostRun<'a>,
    scope: Arc<TaskScope>,
    delegate: Option<Name>,
    environment: Vec<(String, String)>,
    check: bool,
    deadline: Option<Instant>,
    reach: Option<(Reach, Connection)>,
    local: Option<Connection>,
    dialogue: Option<dialogue::Terminal>,
    is_declared: bool,
    diffs: Vec<Diff>,
    step: HostTask,
    plan: JobPlan,
    /// Jobs that were asked for.
    jobs: u32,
    /// Commands whose output was collected.
    commands: Cell<u32>,
    /// The last job.
    job: Option<JobId>,
    /// Answers to the changes before the job that was left running, in its request.
    answered: Vec<ReadAnswer>,
}

/// What one request leads to.
enum Reply {
    Answer(Answer),
    End(Ending),
}

impl<'a> Talking<'a> {
    pub(crate) fn new(
        host_run: &'a HostRun<'a>,
        scope: Arc<TaskScope>,
        delegate: Option<Name>,
        environment: Vec<(String, String)>,
        check: bool,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            host_run,
            scope,
            delegate,
            environment,
            check,
            deadline,
            reach: None,
            local: None,
            dialogue: None,
            is_declared: false,
            diffs: Vec::new(),
            step: host_run.id(None, 0),
            plan: JobPlan::default(),
            jobs: 0,
            commands: Cell::new(0),
            job: None,
            answered: Vec::new(),
        }
    }

    /// Says which step it is, down to the item and the try, and how its jobs run.
    pub(crate) fn for_step(mut self, step: HostTask, plan: JobPlan) -> Self {
        self.step = step;
        self.plan = plan;
        self
    }

    /// The job that the conversation asked for last.
    pub(crate) fn job(&self) -> Option<&JobId> {
        self.job.as_ref()
    }

    /// Answers of the request that ended with a job left running, up to that job.
    pub(crate) fn take_answered(&mut self) -> Vec<ReadAnswer> {
        std::mem::take(&mut self.answered)
    }

    /// Answers the module until it is done or may not go on.
    pub(crate) async fn carry_on(&mut self, talk: &mut dyn Talk) -> Ending {
        self.converse(talk, None).await
    }

    /// Goes on with an answer until the module is done or may not go on.
    async fn converse(&mut self, talk: &mut dyn Talk, first: Option<Answer>) -> Ending {
        let mut answer = first;
        loop {
            let step = match self.step(talk, answer.take()).await {
                Ok(step) => step,
                Err(ending) => return ending,
            };
            match step {
                Step::Done { outcome } => {
                    return Ending::Done {
                        outcome,
                        declared: std::mem::take(&mut self.diffs),
                    };
                }
                Step::Failed { failure } => return Ending::Failed(failure),
                Step::Ask { request } => match self.reply(request).await {
                    Reply::Answer(given) => answer = Some(given),
                    Reply::End(ending) => return ending,
                },
            }
        }
    }

    /// The module's next step. One that says nothing when the task's limit is over is left.
    async fn step(&self, talk: &mut dyn Talk, answer: Option<Answer>) -> Result<Step, Ending> {
        let Some(left) = self.left() else {
            return Ok(talk.next(answer).await);
        };
        let last = left + GRACE;
        let step = tokio::time::timeout(last, talk.next(answer)).await;
        step.map_err(|_| {
            Ending::Failed(Failure::new(
                "the module did not answer within the task's timeout",
            ))
        })
    }

    /// Ends what the conversation left open.
    pub(crate) async fn close(&mut self) {
        if let Err(error) = self.close_terminal().await {
            tracing::warn!(%error, "a dialogue could not be closed");
        }
    }

    async fn reply(&mut self, request: Request) -> Reply {
        if self.is_late() {
            return Reply::Answer(Answer::TimedOut);
        }
        match request {
            Request::Read { reads } => self.read(reads).await,
            Request::Attempt { .. } | Request::Change { .. } if self.check => Reply::End(
                Ending::CannotKnow("it would change or try something to find out".to_owned()),
            ),
            Request::Attempt { command } => self.attempt(command).await,
            Request::Declare { declaration } => self.declare(declaration),
            Request::CannotKnow { reason } if self.check => Reply::End(Ending::CannotKnow(reason)),
            Request::CannotKnow { .. } => {
                self.is_declared = true;
                Reply::Answer(Answer::Done)
            }
            Request::Change { .. } if !self.is_declared => Reply::Answer(refused(
                "undeclared",
                "the module asked for a change that it had not declared",
            )),
            Request::Change { changes } => self.change(changes).await,
            Request::Controller {
                request: ControllerRequest::Gate { id, text },
            } => match self.gate(&id, &text).await {
                Some(value) => Reply::Answer(Answer::Value { value }),
                None => Reply::End(Ending::Left),
            },
            Request::Controller { request } => {
                let answer = self.controller(request).await;
                self.unless_unknowable(answer)
            }
            Request::Dialogue { request } => self.dialogue(request).await,
            Request::Job { request } => self.ask_job(request).await,
            Request::Sleep { milliseconds } => self.sleep(milliseconds).await,
            Request::Progress { line } => {
                self.tell_progress(line);
                Reply::Answer(Answer::Done)
            }
            Request::Secrets { values } => {
                values
                    .iter()
                    .for_each(|value| self.host_run.run.secrets.register(value));
                Reply::Answer(Answer::Done)
            }
            _ => Reply::Answer(refused("protocol", "this engine does not know the request")),
        }
    }

    /// Shows a line beside the running task, unless nothing of it may be shown.
    fn tell_progress(&self, line: String) {
        let id = self.host_run.id(None, 0);
        let scope: Arc<dyn Scope> = Arc::clone(&self.scope) as _;
        let no_log = self.host_run.flag(Keyword::NoLog, &scope);
        if !no_log.unwrap_or(true) {
            let event = EventKind::HostProgress { id, line };
            self.host_run.run.dispatcher.emit(event);
        }
    }

    /// A prediction ends where it depends on what cannot be known.
    fn unless_unknowable(&self, answer: Answer) -> Reply {
        let scope: Arc<dyn Scope> = Arc::clone(&self.scope) as _;
        match answer {
            Answer::Refused { refusal }
                if refusal.kind == CANNOT_KNOW
                    && self.host_run.is_check(&scope).unwrap_or(false) =>
            {
                Reply::End(Ending::CannotKnow(refusal.message))
            }
            answer => Reply::Answer(answer),
        }
    }

    fn declare(&mut self, declaration: Declaration) -> Reply {
        if self.check {
            return Reply::End(Ending::WouldChange(declaration));
        }
        self.is_declared = true;
        self.diffs.extend(declaration.diff);
        Reply::Answer(Answer::Done)
    }

    async fn sleep(&mut self, milliseconds: u64) -> Reply {
        let wanted = Duration::from_millis(milliseconds);
        let until_deadline = self.left().unwrap_or(wanted);
        if !self.host_run.run.pause(wanted.min(until_deadline)).await {
            return Reply::Answer(Answer::Cancelled);
        }
        let answer = if self.is_late() {
            Answer::TimedOut
        } else {
            Answer::Done
        };
        Reply::Answer(answer)
    }

    fn is_late(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Time that the task's limit leaves.
    fn left(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Asks a reading command of the playbook's how it ends; none when the host cannot be asked.
    pub(crate) async fn probe(&mut self, script: String) -> Option<i32> {
        let command = sasrun_plugin::Command {
            script,
            ..sasrun_plugin::Command::default()
        };
        match self.command(&command).await {
            Ok(sasrun_plugin::ReadAnswer::Command(output)) => Some(output.rc),
            _ => None,
        }
    }

    /// The connection to the task's host, opened now if it was not needed before.
    async fn connection(&mut self) -> Result<(Connection, sasrun_connection::Identity), Reply> {
        if self.reach.is_none() {
            let reach =
                reach(self.host_run, &self.scope, self.delegate.as_ref()).map_err(|error| {
                    Reply::End(Ending::Failed(Failure::new(format!(
                        "how to connect: {error}"
                    ))))
                })?;
            let connection = self
                .host_run
                .run
                .pool
                .connection(&reach.target)
                .await
                .map_err(|e| lost(&e))?;
            self.reach = Some((reach, connection));
        }
        match &self.reach {
            Some((reach, connection)) => Ok((connection.clone(), reach.identity.clone())),
            None => Err(Reply::End(Ending::Failed(Failure::new(
                "the host has no connection",
            )))),
        }
    }

    /// A connection to the controller itself.
    async fn controller_connection(&mut self) -> Result<Connection, Reply> {
        if self.local.is_none() {
            let target = sasrun_connection::Target::local("controller");
            let pool = &self.host_run.run.pool;
            self.local = Some(
                pool.connection(&target)
                    .await
                    .map_err(|error| lost(&error))?,
            );
        }
        self.local
            .clone()
            .ok_or_else(|| Reply::End(Ending::Failed(Failure::new("the controller has no shell"))))
    }
}

/// How a task reaches its host, or the one it is delegated to.
pub(crate) fn reach(
    host_run: &HostRun<'_>,
    scope: &Arc<TaskScope>,
    delegate: Option<&Name>,
) -> Result<Reach, TemplateError> {
    let task_scope: Arc<dyn Scope> = Arc::clone(scope) as _;
    let (host, host_scope) = match delegate {
        Some(delegate) => {
            let parts = ScopeParts {
                shared: Arc::clone(&host_run.run.shared),
                play: host_run.play.facts(),
                play_variables: Arc::default(),
                level: None,
                task: None,
                host: Arc::clone(delegate),
            };
            (delegate, Arc::new(TaskScope::new(parts)) as Arc<dyn Scope>)
        }
        None => (host_run.host, Arc::clone(&task_scope)),
    };
    Reaching {
        templates: host_run.templates(),
        options: &host_run.run.options,
        secrets: &*host_run.run.secrets,
        scope: &host_scope,
        task_scope: &task_scope,
        level: Some(host_run.level),
        task: Some(host_run.task),
        host,
    }
    .reach()
}

fn refused(kind: &str, message: impl Into<String>) -> Answer {
    Answer::Refused {
        refusal: Refusal {
            kind: kind.to_owned(),
            message: message.into(),
        },
    }
}

/// What a failed connection means: an answer, for a module may be there to wait for a host that
/// goes away. One that is not passes it on, and the host is unreachable.
fn lost(error: &ConnectionError) -> Reply {
    let kind = if error.is_unreachable() {
        "unreachable"
    } else {
        error.kind()
    };
    Reply::Answer(refused(kind, error.to_string()))
}
