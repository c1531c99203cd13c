//! A module's view of its host: one method for each thing it may ask.

use std::sync::Arc;

use serde_json::Value;

use crate::conversation::{Asking, SharedExchange};
use crate::{
    Answer, Change, Command, CommandOutput, ControllerFile, ControllerRequest, Declaration,
    DialogueRequest, Diff, Failure, FileContent, FileStatus, JobRequest, JobStatus, Object, Read,
    ReadAnswer, Refusal, Request, Screen, SearchIn, Stat, WriteFile, WriteTree, Written,
};

/// The host of the task, as a module sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Host {
    exchange: SharedExchange,
}

impl Host {
    pub(crate) fn new(exchange: SharedExchange) -> Self {
        Self { exchange }
    }

    /// Asks the engine anything; the methods below are this one in better words.
    pub async fn ask(&self, request: Request) -> Answer {
        Asking::new(Arc::clone(&self.exchange), request).await
    }

    /// Reads several independent things in one round trip.
    ///
    /// # Errors
    /// The host could not be reached, or the limit of the task passed. A single read that was
    /// refused is an answer in the list.
    pub async fn read(&self, reads: Vec<Read>) -> Result<Vec<ReadAnswer>, Failure> {
        let wanted = reads.len();
        match self.ask(Request::Read { reads }).await {
            Answer::Reads { reads } if reads.len() == wanted => Ok(reads),
            other => Err(unexpected("read", other)),
        }
    }

    /// Runs a command that only reads.
    ///
    /// # Errors
    /// As [`read`](Self::read). A status other than 0 is no error.
    pub async fn read_command(&self, command: Command) -> Result<CommandOutput, Failure> {
        match self.read(vec![Read::Command(command)]).await?.pop() {
            Some(ReadAnswer::Command(output)) => Ok(output),
            other => Err(odd("command", other)),
        }
    }

    /// Runs shell text that only reads.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_script(&self, script: impl Into<String>) -> Result<CommandOutput, Failure> {
        self.read_command(Command {
            script: script.into(),
            ..Command::default()
        })
        .await
    }

    /// Looks at a file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn stat(&self, stat: Stat) -> Result<FileStatus, Failure> {
        match self.read(vec![Read::Stat(stat)]).await?.pop() {
            Some(ReadAnswer::Stat(status)) => Ok(status),
            other => Err(odd("stat", other)),
        }
    }

    /// Reads a file whole, up to `max_bytes`.
    ///
    /// # Errors
    /// As [`read`](Self::read), and when the file may not be read. An absent file is no error.
    pub async fn read_file(&self, path: &str, max_bytes: u64) -> Result<FileContent, Failure> {
        let read = Read::File {
            path: path.to_owned(),
            max_bytes,
            sensitive: false,
        };
        match self.read(vec![read]).await?.pop() {
            Some(ReadAnswer::File(content)) => Ok(content),
            other => Err(odd("file", other)),
        }
    }

    /// Runs a command that counts against something, such as a logon. Ends the task in check mode.
    ///
    /// # Errors
    /// The host could not be reached, or the limit of the task passed.
    pub async fn attempt(&self, command: Command) -> Result<CommandOutput, Failure> {
        match self.ask(Request::Attempt { command }).await {
            Answer::Command { output } => Ok(output),
            other => Err(unexpected("attempt", other)),
        }
    }

    /// Says what the first change will be. In check mode the task ends here.
    ///
    /// # Errors
    /// The run is being stopped.
    pub async fn declare(&self, declaration: Declaration) -> Result<(), Failure> {
        self.done("declaration", Request::Declare { declaration })
            .await
    }

    /// Says what the first change will be, with one difference to show.
    ///
    /// # Errors
    /// As [`declare`](Self::declare).
    pub async fn will_change(
        &self,
        summary: impl Into<String>,
        diff: Option<Diff>,
        result: Object,
    ) -> Result<(), Failure> {
        let diff = diff.into_iter().collect();
        self.declare(Declaration {
            summary: summary.into(),
            diff,
            result,
        })
        .await
    }

    /// Says that only doing it will tell whether there is a change. In check mode the task ends
    /// here as *cannot know*.
    ///
    /// # Errors
    /// The run is being stopped.
    pub async fn cannot_know(&self, reason: impl Into<String>) -> Result<(), Failure> {
        self.done(
            "declaration",
            Request::CannotKnow {
                reason: reason.into(),
            },
        )
        .await
    }

    /// Carries out changes in order; the list ends with the first that failed.
    ///
    /// # Errors
    /// The host could not be reached, or a change was refused.
    pub async fn change(&self, changes: Vec<Change>) -> Result<Vec<ReadAnswer>, Failure> {
        match self.ask(Request::Change { changes }).await {
            Answer::Changes { changes } => Ok(changes),
            other => Err(unexpected("change", other)),
        }
    }

    /// Runs a command that changes something.
    ///
    /// # Errors
    /// As [`change`](Self::change). A status other than 0 is no error.
    pub async fn run(&self, command: Command) -> Result<CommandOutput, Failure> {
        match self.change(vec![Change::Command(command)]).await?.pop() {
            Some(ReadAnswer::Command(output)) => Ok(output),
            other => Err(odd("command", other)),
        }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// As [`change`](Self::change), and when the file could not be written.
    pub async fn write(&self, file: WriteFile) -> Result<Written, Failure> {
        self.written(Change::Write(file)).await
    }

    /// Writes a tree of files in one stream.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_tree(&self, tree: WriteTree) -> Result<Written, Failure> {
        self.written(Change::Tree(tree)).await
    }

    /// Carries out one change that answers with a file.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn written(&self, change: Change) -> Result<Written, Failure> {
        match self.change(vec![change]).await?.pop() {
            Some(ReadAnswer::Written(written)) => Ok(written),
            other => Err(odd("write", other)),
        }
    }

    /// Finds a file on the controller as Ansible searches.
    ///
    /// # Errors
    /// There is no such file, or it cannot be read.
    pub async fn controller_file(
        &self,
        name: &str,
        search: SearchIn,
        checksum: Option<&str>,
    ) -> Result<ControllerFile, Failure> {
        let follow_links = false;
        self.controller_tree(name, search, checksum, follow_links)
            .await
    }

    /// Finds a file on the controller as Ansible searches; with `follow_links`, symbolic links below
    /// a directory are described by what they lead to.
    ///
    /// # Errors
    /// There is no such file, or it cannot be read.
    pub async fn controller_tree(
        &self,
        name: &str,
        search: SearchIn,
        checksum: Option<&str>,
        follow_links: bool,
    ) -> Result<ControllerFile, Failure> {
        let request = ControllerRequest::File {
            name: name.to_owned(),
            search,
            checksum: checksum.map(str::to_owned),
            follow_links,
        };
        match self.ask(Request::Controller { request }).await {
            Answer::ControllerFile { file } => Ok(file),
            other => Err(unexpected("file of the controller", other)),
        }
    }

    /// Asks the controller for a value: an expression, a rendered template, a prompt.
    ///
    /// # Errors
    /// The engine's reason, such as an undefined variable.
    pub async fn controller(&self, request: ControllerRequest) -> Result<Value, Failure> {
        match self.ask(Request::Controller { request }).await {
            Answer::Value { value } => Ok(value),
            other => Err(unexpected("controller", other)),
        }
    }

    /// Takes one step of the dialogue.
    ///
    /// # Errors
    /// The terminal could not be opened, or the limit of the task passed.
    pub async fn dialogue(&self, request: DialogueRequest) -> Result<Screen, Failure> {
        match self.ask(Request::Dialogue { request }).await {
            Answer::Screen { screen } => Ok(screen),
            other => Err(unexpected("dialogue", other)),
        }
    }

    /// Goes on with the dialogue that this step began before its run was cut off; none when it
    /// began none.
    ///
    /// # Errors
    /// The host could not be reached, or how far the dialogue came cannot be known.
    pub async fn adopt(&self) -> Result<Option<Screen>, Failure> {
        let request = DialogueRequest::Adopt;
        match self.ask(Request::Dialogue { request }).await {
            Answer::Screen { screen } => Ok(Some(screen)),
            Answer::Refused { refusal } if refusal.kind == "absent" => Ok(None),
            other => Err(unexpected("dialogue", other)),
        }
    }

    /// Asks about the jobs of the host, or ends or removes one.
    ///
    /// # Errors
    /// The host could not be reached, or takes no jobs.
    pub async fn jobs(&self, request: JobRequest) -> Result<Vec<JobStatus>, Failure> {
        match self.ask(Request::Job { request }).await {
            Answer::Jobs { jobs } => Ok(jobs),
            other => Err(unexpected("job", other)),
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// The limit of the task passed, or the run is being stopped.
    pub async fn sleep(&self, milliseconds: u64) -> Result<(), Failure> {
        self.done("sleep", Request::Sleep { milliseconds }).await
    }

    /// Shows a line of progress beside the running task.
    ///
    /// # Errors
    /// The run is being stopped.
    pub async fn progress(&self, line: impl Into<String>) -> Result<(), Failure> {
        self.done("progress", Request::Progress { line: line.into() })
            .await
    }

    /// Registers values that no output may ever show.
    ///
    /// # Errors
    /// The run is being stopped.
    pub async fn secrets(&self, values: Vec<String>) -> Result<(), Failure> {
        self.done("secrets", Request::Secrets { values }).await
    }

    /// Quotes one word for `/bin/sh`.
    pub fn quote(word: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=./:@%,".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            return word.to_owned();
        }
        format!("'{}'", word.replace('\'', "'\\''"))
    }

    async fn done(&self, what: &str, request: Request) -> Result<(), Failure> {
        match self.ask(request).await {
            Answer::Done => Ok(()),
            other => Err(unexpected(what, other)),
        }
    }
}

fn unexpected(what: &str, answer: Answer) -> Failure {
    match answer {
        Answer::Refused { refusal } => refused(refusal),
        Answer::TimedOut => Failure::new("the time limit of the task has passed"),
        Answer::Cancelled => Failure::new("the run is being stopped"),
        other => Failure::new(format!(
            "the answer to a {what} request does not fit it: {other:?}"
        )),
    }
}

fn odd(what: &str, answer: Option<ReadAnswer>) -> Failure {
    match answer {
        Some(ReadAnswer::Refused(refusal)) => refused(refusal),
        Some(ReadAnswer::Command(output)) => Failure::new(format!(
            "a {what} request was answered with a command's output"
        ))
        .with("rc", output.rc)
        .with("stderr", output.stderr),
        _ => Failure::new(format!("the answer to a {what} request does not fit it")),
    }
}

fn refused(refusal: Refusal) -> Failure {
    let unreachable = refusal.kind == "unreachable";
    Failure {
        msg: refusal.message,
        unreachable,
        ..Failure::default()
    }
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn words_are_quoted_only_when_they_must_be() {
        assert_eq!(Host::quote("/etc/passwd"), "/etc/passwd");
        assert_eq!(Host::quote(""), "''");
        assert_eq!(Host::quote("a b"), "'a b'");
        assert_eq!(Host::quote("it's"), "'it'\\''s'");
        assert_eq!(Host::quote("~"), "'~'");
    }
}
