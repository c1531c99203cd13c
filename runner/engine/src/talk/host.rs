//! Requests about the host: reads in one round trip, commands, files.

use std::path::Path;
use std::time::Duration;

use sasrun_connection::{Connection, ConnectionError, ExitStatus, Identity, JobId, Output};
use sasrun_plugin::{
    Answer, Change, Command, CommandOutput, Content, JobWish, Place, Read, ReadAnswer, Refusal,
    WriteFile, Written,
};

use super::output::Collected;
use super::{Reply, Talking, convert, lost};

/// Largest file of the controller's that is taken into memory to be sent.
const SMALL_BYTES: u64 = 32 << 10;

impl Talking<'_> {
    /// Answers reads: those of the host together, the others one by one.
    pub(super) async fn read(&mut self, reads: Vec<Read>) -> Reply {
        let environment = std::mem::take(&mut self.environment);
        let batch: Vec<_> = reads
            .iter()
            .map(|read| convert::read(read, &environment, self.left()))
            .collect();
        self.environment = environment;
        let together: Vec<_> = batch.iter().flatten().cloned().collect();
        let mut answered = Vec::new();
        if !together.is_empty() {
            let (connection, identity) = match self.connection().await {
                Ok(both) => both,
                Err(reply) => return reply,
            };
            match connection.read_batch(&identity, together).await {
                Ok(answers) => answered = answers,
                Err(error) if self.is_late() => {
                    tracing::debug!(%error, "a read ended with the task's limit");
                    return Reply::Answer(Answer::TimedOut);
                }
                Err(error) => return lost(&error),
            }
        }
        let mut answered = answered.into_iter();
        let mut answers = Vec::with_capacity(reads.len());
        for (read, in_batch) in reads.iter().zip(&batch) {
            let answer = match (in_batch, read) {
                (Some(_), _) => answered.next().map(|given| convert::answer(read, given)),
                (None, Read::Command(command)) => match self.command(command).await {
                    Ok(answer) => Some(answer),
                    Err(reply) => return reply,
                },
                _ => None,
            };
            answers.push(answer.unwrap_or_else(|| refused("the read was not answered")));
        }
        Reply::Answer(Answer::Reads { reads: answers })
    }

    pub(super) async fn attempt(&mut self, command: Command) -> Reply {
        match self.command(&command).await {
            Ok(ReadAnswer::Command(output)) => Reply::Answer(Answer::Command { output }),
            Ok(_) => Reply::Answer(super::refused("other", "the command was not answered")),
            Err(reply) => reply,
        }
    }

    /// Carries changes out in order, up to the first that fails.
    pub(super) async fn change(&mut self, changes: Vec<Change>) -> Reply {
        let mut answers = Vec::with_capacity(changes.len());
        for change in changes {
            let answer = match self.one_change(change).await {
                Ok(answer) => answer,
                Err(reply) => {
                    self.answered = answers;
                    return reply;
                }
            };
            let failed = match &answer {
                ReadAnswer::Command(output) => !output.succeeded(),
                ReadAnswer::Refused(_) => true,
                _ => false,
            };
            answers.push(answer);
            if failed {
                break;
            }
        }
        Reply::Answer(Answer::Changes { changes: answers })
    }

    async fn one_change(&mut self, change: Change) -> Result<ReadAnswer, Reply> {
        match change {
            Change::Command(command) if self.is_job(&command) => self.run_job(&command).await,
            Change::Command(command) => self.changing_command(&command).await,
            Change::Write(file) => self.write(&file).await,
            Change::Tree(tree) => self.tree(&tree).await,
            Change::Fetch {
                path,
                controller_path,
            } => self.fetch(&path, &controller_path).await,
            Change::WriteController { path, content } => Ok(self.write_controller(&path, &content)),
            _ => Ok(refused("this engine does not know the change")),
        }
    }

    /// Runs a command where it belongs.
    pub(super) async fn command(&mut self, command: &Command) -> Result<ReadAnswer, Reply> {
        let (connection, identity) = match command.place {
            Place::Target => self.connection().await?,
            Place::Controller => (self.controller_connection().await?, Identity::Login),
        };
        if let Some(account) = &command.frees_account {
            connection.leave_user(account).await;
        }
        let ready = convert::command(command, &self.environment, self.left());
        match connection.run(&identity, &ready, None).await {
            Ok(output) => Ok(ReadAnswer::Command(convert::output(&output))),
            Err(error) => Err(lost(&error)),
        }
    }

    /// Runs a command that changes something; what it writes beyond the bound goes to a file.
    async fn changing_command(&mut self, command: &Command) -> Result<ReadAnswer, Reply> {
        if command.place == Place::Controller || command.job == JobWish::Never {
            return self.command(command).await;
        }
        let (connection, identity) = self.connection().await?;
        let mut ready = convert::command(command, &self.environment, self.left());
        ready.output_bytes = Some(0);
        let mut collected = self.collected("");
        let run = connection.run(&identity, &ready, Some(&mut collected));
        match run.await {
            Ok(done) => {
                let output = self.output(done.status, collected, done.elapsed);
                Ok(ReadAnswer::Command(output))
            }
            Err(error) => Err(lost(&error)),
        }
    }

    /// A place for the output of a command that may be long.
    pub(super) fn collected(&self, job: &str) -> Collected {
        let options = &self.host_run.run.options;
        let name = match job {
            "" => self.host_run.run.jobs.id(&self.step, self.commands.get()),
            job => JobId::new(job).ok(),
        };
        self.commands.set(self.commands.get() + 1);
        let spool = options.spool.as_ref().zip(name);
        let spool = spool.map(|(folder, name)| folder.join(name.as_str()));
        Collected::new(options.output_bytes, spool)
    }

    /// What a command came to whose output was collected.
    pub(super) fn output(
        &self,
        status: ExitStatus,
        collected: Collected,
        elapsed: Duration,
    ) -> CommandOutput {
        let (stdout, stderr, sentences) = collected.finish();
        for sentence in sentences {
            let step = &self.step;
            self.host_run
                .run
                .warn(format!("{}: {}: {sentence}", step.host, step.task));
        }
        convert::output(&Output {
            status,
            stdout,
            stderr,
            elapsed,
            is_leaving_processes: false,
        })
    }

    pub(super) async fn write(&mut self, file: &WriteFile) -> Result<ReadAnswer, Reply> {
        let content = match convert::bytes(&file.content) {
            Ok(Some(bytes)) => sasrun_connection::Content::Bytes(bytes.into()),
            Ok(None) => match self.local_content(&file.content) {
                Ok(content) => content,
                Err(message) => return Ok(refused(message)),
            },
            Err(message) => return Ok(refused(message)),
        };
        let (connection, identity) = self.connection().await?;
        let written = connection
            .write_file(&identity, &convert::write(file, content))
            .await;
        match written {
            Ok(done) => Ok(convert::written(&file.path, done)),
            Err(error) if error.is_unreachable() => Err(lost(&error)),
            Err(error) => Ok(convert::refusal(&error)),
        }
    }

    fn local_content(&self, content: &Content) -> Result<sasrun_connection::Content, String> {
        let Content::ControllerFile(path) = content else {
            return Err("the content is not a file".to_owned());
        };
        let path = Path::new(path);
        let files = &self.host_run.run.files;
        // What is small travels in the frame; a stream would need a channel and a shell of its own.
        let is_small = files.describe(path, None)?.size_bytes <= SMALL_BYTES;
        if is_small && let Ok(bytes) = std::fs::read(path) {
            return Ok(sasrun_connection::Content::Bytes(bytes.into()));
        }
        let file = files.describe(path, Some("sha1"))?;
        let cksum = files.describe(path, Some("cksum"))?.checksum;
        Ok(sasrun_connection::Content::LocalFile {
            path: path.to_owned(),
            size: file.size_bytes,
            sha1: file.checksum.unwrap_or_default(),
            cksum: cksum.and_then(|sum| sum.parse().ok()).unwrap_or_default(),
        })
    }

    async fn fetch(&mut self, path: &str, to: &str) -> Result<ReadAnswer, Reply> {
        let to = Path::new(to);
        if let Some(parent) = to.parent()
            && let Err(error) = std::fs::create_dir_all(parent)
        {
            return Ok(refused(format!("{}: {error}", parent.display())));
        }
        let (connection, identity) = self.connection().await?;
        match fetch_file(&connection, &identity, path, to).await {
            Ok(written) => Ok(ReadAnswer::Written(written)),
            Err(error) if error.is_unreachable() => Err(lost(&error)),
            Err(error) => Ok(convert::refusal(&error)),
        }
    }

    fn write_controller(&self, path: &str, content: &Content) -> ReadAnswer {
        let files = &self.host_run.run.files;
        let bytes = match convert::bytes(content) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => {
                Err("a file of the controller is not copied onto the controller".to_owned())
            }
            Err(message) => Err(message),
        };
        match bytes.and_then(|bytes| files.write(Path::new(path), &bytes)) {
            Ok(()) => ReadAnswer::Written(Written::default()),
            Err(message) => refused(message),
        }
    }
}

async fn fetch_file(
    connection: &Connection,
    identity: &Identity,
    path: &str,
    to: &Path,
) -> Result<Written, ConnectionError> {
    let fetched = connection.fetch_file(identity, path, to).await?;
    let status = sasrun_plugin::FileStatus {
        path: to.display().to_string(),
        kind: sasrun_plugin::FileKind::File,
        size_bytes: fetched.size,
        checksum: Some(fetched.sha1),
        ..sasrun_plugin::FileStatus::default()
    };
    Ok(Written {
        status,
        backup: None,
    })
}

pub(super) fn refused(message: impl Into<String>) -> ReadAnswer {
    ReadAnswer::Refused(Refusal {
        kind: "other".to_owned(),
        message: message.into(),
    })
}
