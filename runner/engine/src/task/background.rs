//! `async`, `poll` and `job`: tasks whose commands outlive the connection.

use std::sync::Arc;
use std::time::Duration;

use sasrun_connection::JobId;
use sasrun_model::{Action, HostTask, Key, Keyword, Name, Node, Outcome, Value};
use sasrun_plugin::Object;
use sasrun_template::{Scope, TemplateError};

use super::{HostRun, number};
use crate::talk::JobPlan;
use crate::variables::TaskScope;

impl HostRun<'_> {
    /// How the commands of the task run that may run as jobs.
    pub(super) fn job_plan(&self, scope: &Arc<dyn Scope>) -> Result<JobPlan, TemplateError> {
        let seconds = |node: &Option<Node>| -> Result<Option<f64>, TemplateError> {
            let Some(node) = node else { return Ok(None) };
            Ok(number(&self.templates().resolve(node, scope)?))
        };
        let limit = seconds(&self.task.async_seconds)?.filter(|seconds| *seconds > 0.0);
        let limit = limit.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let poll = seconds(&self.task.poll_seconds)?;
        Ok(JobPlan {
            is_asked: limit.is_some() || self.flag(Keyword::Job, scope).unwrap_or(false),
            limit,
            is_left: limit.is_some() && poll == Some(0.0),
        })
    }

    /// Whether the task's own commands run as jobs, of which the host knows what came.
    pub(super) fn is_job(&self, scope: &Arc<TaskScope>) -> bool {
        let plain: Arc<dyn Scope> = Arc::clone(scope) as _;
        let module = match &self.task.action {
            Action::Module(name) => self.run.registry.find(name),
            _ => None,
        };
        module.is_some_and(|module| module.spec().jobs_only)
            || self.job_plan(&plain).is_ok_and(|plan| plan.is_asked)
    }

    /// The name that the first job of the step has on its host; none for loops, whose items have their own.
    pub(super) fn job_name(&self, scope: &Arc<TaskScope>, step: &HostTask) -> Option<Name> {
        let plain: Arc<dyn Scope> = Arc::clone(scope) as _;
        if self.task.each.is_some() || !self.is_job(scope) || self.is_check(&plain).unwrap_or(true)
        {
            return None;
        }
        let id = self.run.jobs.id(step, 0)?;
        Some(id.as_str().into())
    }

    /// Adds what a task in the background tells of its job.
    pub(super) fn describe_job(
        &self,
        outcome: &mut Outcome,
        plan: JobPlan,
        step: &HostTask,
        job: Option<JobId>,
    ) {
        let jobs = &self.run.jobs;
        let is_left = plan.is_left && job.is_some();
        let Some(id) = job.or_else(|| jobs.id(step, 0)) else {
            return;
        };
        let Value::Map(map) = &mut outcome.result else {
            return;
        };
        if plan.limit.is_none() || map.contains_key(&Key::from("skipped")) {
            return;
        }
        let map = Arc::make_mut(map);
        let mut insert = |name: &str, value: Value| {
            map.insert(Key::from(name), value);
        };
        insert("ansible_job_id", id.as_str().into());
        insert(
            "results_file",
            format!("/var/tmp/sasrun-UID/jobs/{id}/rc").into(),
        );
        insert("started", true.into());
        insert("finished", (!is_left).into());
        if plan.is_left
            && !is_left
            && let serde_json::Value::Object(result) = serde_json::Value::from(&outcome.result)
        {
            // A module that runs here, not as a job of the host, has ended already.
            jobs.keep_result(id.as_str(), result.into_iter().collect::<Object>());
        }
    }
}
