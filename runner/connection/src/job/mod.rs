//! Long steps that outlive the connection: the host is their referee.
//!
//! A job has a name that its author chose before anything is sent. On the host that name is a directory below
//! `/var/tmp/sasrun-UID/jobs`, taken by `mkdir`, which succeeds once; the command runs in a session of its own with its output
//! in files, and its end is a file renamed into place. A connection is only a viewer: whoever comes back finds the job
//! absent, running, finished or interrupted, and reads on from the byte where it stopped.
//!
//! Must not: decide what an outcome means, or begin a job a second time.

mod follow;
mod held;
mod list;
mod script;
mod terminal;
mod view;

use std::fmt;

use crate::command::{Command, OutputSink};
use crate::connection::Connection;
use crate::error::{ConnectionError, Problem, excerpt};
use crate::identity::Identity;
use crate::shell::timeout;
use crate::target::Transport;

pub use follow::{JobOffsets, Patience};
pub use held::{HeldDialogue, Typed};
pub use list::ListedJob;
pub use terminal::TerminalMaker;
pub use view::{JobState, JobView};

/// One of each text, for the test that all shells read them.
#[cfg(test)]
pub(crate) fn every_script() -> Vec<String> {
    [script::every_script(), terminal::every_script()].concat()
}

/// The name of a job, which is a file name on the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(String);

/// A text that cannot name a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name for a job: up to 120 letters, digits, `.`, `_` and `-`, beginning with a letter or digit"
)]
pub struct BadJobId(String);

impl JobId {
    /// Takes a text that is safe as a file name.
    ///
    /// # Errors
    /// It is empty, too long, or has other characters than letters, digits, `.`, `_` and `-`.
    pub fn new(text: &str) -> Result<Self, BadJobId> {
        let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let begins_well = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        if begins_well && text.len() <= 120 && text.bytes().all(is_safe) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadJobId(text.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A job to be begun.
#[derive(Debug, Clone)]
pub struct JobRequest {
    /// Its name.
    pub id: JobId,
    /// What runs; its time limit is held on the host, also when nobody looks.
    pub command: Command,
    /// Words about it, kept beside it for those who list the jobs of a host.
    pub about: Vec<(String, String)>,
}

/// What came of beginning a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStart {
    /// It was begun.
    Begun,
    /// A job of this name is there already; nothing was begun.
    Taken,
}

/// What came of telling a job to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStop {
    /// All its processes are proven gone.
    Ended,
    /// It was not running.
    NotRunning,
    /// It was told to end, but whether it did is not known.
    Unconfirmed,
}

impl Connection {
    /// Begins a job, unless there is one of that name.
    ///
    /// When the connection is lost meanwhile, whether it began is not known: [`settle_job`](Self::settle_job) tells.
    ///
    /// # Errors
    /// The host could not be reached, or takes no jobs.
    pub async fn start_job(
        &self,
        identity: &Identity,
        request: &JobRequest,
    ) -> Result<JobStart, ConnectionError> {
        let script = script::start(request, &self.job_shell()).map_err(|p| self.error(p))?;
        let command = Command {
            stdin: request.command.stdin.clone(),
            output_bytes: Some(16 << 10),
            ..Command::shell(script)
        };
        let output = self.run(identity, &command, None).await?;
        let text = output.stdout.text().into_owned();
        match text.lines().next_back().unwrap_or_default() {
            "begun" => Ok(JobStart::Begun),
            "taken" => Ok(JobStart::Taken),
            other => Err(self.error(refusal(other, &output.stderr.bytes()))),
        }
    }

    /// Looks at a job without reading its output.
    ///
    /// # Errors
    /// The host could not be reached.
    pub async fn look_at_job(
        &self,
        identity: &Identity,
        id: &JobId,
    ) -> Result<JobView, ConnectionError> {
        self.view_job(identity, &script::state(id, false)).await
    }

    /// Looks at a job whose beginning is in doubt, and settles it: one that has not begun by now never will.
    ///
    /// # Errors
    /// The host could not be reached.
    pub async fn settle_job(
        &self,
        identity: &Identity,
        id: &JobId,
    ) -> Result<JobView, ConnectionError> {
        self.view_job(identity, &script::state(id, true)).await
    }

    /// Reads a job's output from given offsets on, up to some 64 MiB of each stream, and looks at its state.
    ///
    /// What reached the sink counts in `offsets`, also when the connection is lost in the middle.
    ///
    /// # Errors
    /// The host could not be reached.
    pub async fn read_job(
        &self,
        identity: &Identity,
        id: &JobId,
        offsets: &mut JobOffsets,
        sink: &mut dyn OutputSink,
    ) -> Result<JobView, ConnectionError> {
        self.read_part(identity, id, offsets, sink, script::LOOK_BYTES)
            .await
    }

    /// As [`read_job`](Self::read_job), up to about so many bytes of each stream.
    ///
    /// # Errors
    /// The host could not be reached.
    pub async fn read_part(
        &self,
        identity: &Identity,
        id: &JobId,
        offsets: &mut JobOffsets,
        sink: &mut dyn OutputSink,
        bytes: usize,
    ) -> Result<JobView, ConnectionError> {
        let command = Command {
            output_bytes: Some(4096),
            ..Command::shell(script::read(id, offsets, bytes))
        };
        let mut reading = view::Reading::new(offsets, sink);
        let output = self.run(identity, &command, Some(&mut reading)).await?;
        let header = reading.header();
        view::parse(&header).ok_or_else(|| {
            let answer = format!("{header} {}", excerpt(&output.stderr.bytes()));
            self.error(Problem::Protocol {
                request: "a look at a job",
                answer,
            })
        })
    }

    /// Ends a job and everything in its process group and below it.
    ///
    /// # Errors
    /// The host could not be reached.
    pub async fn stop_job(
        &self,
        identity: &Identity,
        id: &JobId,
    ) -> Result<JobStop, ConnectionError> {
        let view = self.look_at_job(identity, id).await?;
        let is_there = view.state == JobState::Running || view.is_leaving_processes;
        let Some(process) = view.process.filter(|_| is_there) else {
            return Ok(JobStop::NotRunning);
        };
        let kill = timeout::kill_command(&process, self.pool.target.limits.kill_grace);
        let command = Command {
            timeout: kill.timeout,
            ..Command::shell(script::stop(id, &kill.script))
        };
        let output = self.run(identity, &command, None).await?;
        let text = output.stdout.text().into_owned();
        Ok(match text.lines().next_back() {
            Some("gone") => JobStop::Ended,
            Some("absent") => JobStop::NotRunning,
            _ => JobStop::Unconfirmed,
        })
    }

    /// Removes what a job left on the host; false when it still runs, and then nothing is removed.
    ///
    /// # Errors
    /// The host could not be reached, or something could not be removed.
    pub async fn remove_job(
        &self,
        identity: &Identity,
        id: &JobId,
    ) -> Result<bool, ConnectionError> {
        let command = Command::shell(script::remove(id));
        let output = self.run(identity, &command, None).await?;
        match output.stdout.text().lines().next_back() {
            Some("removed") => Ok(true),
            Some("running") => Ok(false),
            other => {
                let problem = refusal(other.unwrap_or_default(), &output.stderr.bytes());
                Err(self.error(problem))
            }
        }
    }

    /// Lists the jobs on the host that the identity may see: its own, or everybody's for root.
    ///
    /// # Errors
    /// The host could not be reached.
    pub async fn list_jobs(&self, identity: &Identity) -> Result<Vec<ListedJob>, ConnectionError> {
        let command = Command::shell(script::list());
        let output = self.run(identity, &command, None).await?;
        Ok(list::parse(&output.stdout.text()))
    }

    async fn view_job(
        &self,
        identity: &Identity,
        script: &str,
    ) -> Result<JobView, ConnectionError> {
        let output = self.run(identity, &Command::shell(script), None).await?;
        let text = output.stdout.text();
        view::parse(text.lines().next().unwrap_or_default())
            .ok_or_else(|| self.error(refusal(&text, &output.stderr.bytes())))
    }

    /// The shell that runs a job, as words of a command line.
    fn job_shell(&self) -> String {
        match &self.pool.target.transport {
            Transport::Local(local) => {
                let words: Vec<String> = local
                    .shell
                    .iter()
                    .map(|w| crate::shell::quote::word(w))
                    .collect();
                words.join(" ")
            }
            Transport::Ssh(ssh) => ssh.shell.clone(),
        }
    }
}

/// What a host said instead of an answer about a job.
fn refusal(said: &str, errors: &[u8]) -> Problem {
    let reason = match said.strip_prefix("refused ") {
        Some(reason) => reason.trim().to_owned(),
        None => format!("{} {}", said.trim(), excerpt(errors))
            .trim()
            .to_owned(),
    };
    Problem::Job { reason }
}

#[cfg(test)]
mod tests {
    use super::JobId;

    #[test]
    fn names_are_safe_file_names() {
        for good in ["20261123-0353-abc.1_2", "a", "0"] {
            assert_eq!(JobId::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            ".",
            "..",
            "-x",
            "a/b",
            "a b",
            "a\n",
            "é",
            &"x".repeat(121),
        ] {
            assert!(JobId::new(bad).is_err(), "{bad:?}");
        }
    }
}
