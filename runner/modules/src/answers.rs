//! Takes the answers to a batch of reads apart, in order.

use base64::Engine as _;
use sasrun_plugin::{
    Command, CommandOutput, Failure, FileContent, FileStatus, Host, Read, ReadAnswer, Stat,
};

/// Largest file that a module edits or shows as text.
pub(crate) const TEXT_LIMIT_BYTES: u64 = 64 << 20;

/// The answers to one batch, to be taken in the order of the reads.
pub(crate) struct Answers(std::vec::IntoIter<ReadAnswer>);

impl Answers {
    /// Asks for a batch in one round trip.
    pub(crate) async fn of(host: &Host, reads: Vec<Read>) -> Result<Self, Failure> {
        Ok(Self(host.read(reads).await?.into_iter()))
    }

    /// Takes the answer to a look at a file.
    pub(crate) fn status(&mut self) -> Result<FileStatus, Failure> {
        match self.0.next() {
            Some(ReadAnswer::Stat(status)) => Ok(status),
            other => Err(misfit("look at a file", other)),
        }
    }

    /// Takes the output of a command.
    pub(crate) fn command(&mut self) -> Result<CommandOutput, Failure> {
        match self.0.next() {
            Some(ReadAnswer::Command(output)) => Ok(output),
            other => Err(misfit("command", other)),
        }
    }

    /// Takes the content of a file.
    pub(crate) fn file(&mut self) -> Result<FileContent, Failure> {
        match self.0.next() {
            Some(ReadAnswer::File(content)) => Ok(content),
            other => Err(misfit("file", other)),
        }
    }
}

fn misfit(what: &str, answer: Option<ReadAnswer>) -> Failure {
    match answer {
        Some(ReadAnswer::Refused(refusal)) => Failure {
            unreachable: refusal.kind == "unreachable",
            ..Failure::new(refusal.message)
        },
        _ => Failure::new(format!("the answer to a {what} does not fit it")),
    }
}

/// A look at a path, without a checksum.
pub(crate) fn look(path: &str, follow: bool) -> Read {
    Read::Stat(Stat {
        path: path.to_owned(),
        follow,
        checksum: None,
    })
}

/// A look at what kind of file a path leads to, and nothing more.
pub(crate) fn kind(path: &str) -> Read {
    Read::Kind {
        path: path.to_owned(),
    }
}

/// A look at a path with the checksum of its content.
pub(crate) fn look_inside(path: &str, follow: bool) -> Read {
    Read::Stat(Stat {
        path: path.to_owned(),
        follow,
        checksum: Some("sha1".to_owned()),
    })
}

/// A read of a file to be edited or shown.
pub(crate) fn whole(path: &str) -> Read {
    Read::File {
        path: path.to_owned(),
        max_bytes: TEXT_LIMIT_BYTES,
        sensitive: false,
    }
}

/// A read by shell text.
pub(crate) fn script(script: impl Into<String>) -> Read {
    Read::Command(Command {
        script: script.into(),
        ..Command::default()
    })
}

/// Decodes the content of a file that was read.
pub(crate) fn bytes_of(content: &FileContent) -> Result<Vec<u8>, Failure> {
    if content.truncated {
        return Err(Failure::new(format!(
            "{} is too large to be worked on as a whole",
            content.path
        )));
    }
    base64::engine::general_purpose::STANDARD
        .decode(&content.base64)
        .map_err(|_| Failure::new(format!("the content of {} came garbled", content.path)))
}

/// Runs shell text that changes something; a status other than 0 is a failure.
pub(crate) async fn run(
    host: &Host,
    script: String,
    doing: &str,
) -> Result<CommandOutput, Failure> {
    let output = host
        .run(Command {
            script,
            ..Command::default()
        })
        .await?;
    succeeded(output, doing)
}

/// Turns an output that tells of a failure into one.
pub(crate) fn succeeded(output: CommandOutput, doing: &str) -> Result<CommandOutput, Failure> {
    if output.succeeded() {
        return Ok(output);
    }
    let said = [output.stderr.trim(), output.stdout.trim()]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or("it said nothing");
    Err(Failure::new(format!("{doing} failed: {said}"))
        .with("rc", output.rc)
        .with("stdout", output.stdout.clone())
        .with("stderr", output.stderr.clone()))
}
