//! Several reads in one round trip.
//!
//! Must not: carry anything that changes the host; the answers of a batch are all there or none is.

use crate::command::{Command, Output};
use crate::connection::{Asked, Connection};
use crate::error::{ConnectionError, Problem};
use crate::file::bulk;
use crate::file::read::{self, FileContent};
use crate::file::stat::{self, FileStat, StatRequest};
use crate::identity::Identity;
use crate::shell::frame;

/// One read of a batch.
#[derive(Debug, Clone)]
pub enum Read {
    /// A command that changes nothing; its `stdin` and `terminal` are not heeded.
    Script(Command),
    /// A look at a path.
    Stat(StatRequest),
    /// What kind of file a path leads to, told by the shell alone.
    Kind(String),
    /// The content of a file.
    File {
        /// The path on the host.
        path: String,
        /// Bytes to read at most.
        max_bytes: usize,
    },
}

/// The answer to one read.
#[derive(Debug, Clone)]
pub enum ReadAnswer {
    /// What came of a command.
    Script(Output),
    /// What is known of a path.
    Stat(FileStat),
    /// The content of a file, or why it cannot be read.
    File(Result<FileContent, ConnectionError>),
}

impl Connection {
    /// Looks at any number of paths in one round trip.
    pub async fn stat(
        &self,
        identity: &Identity,
        requests: &[StatRequest],
    ) -> Result<Vec<FileStat>, ConnectionError> {
        let looking = async {
            if requests.is_empty() {
                return Ok(Vec::new());
            }
            if requests.len() >= bulk::MANY
                && let Some(stats) = self.look_at_many(identity, requests).await?
            {
                return Ok(stats);
            }
            let looks: Vec<Look<'_>> = requests.iter().map(Look::Stat).collect();
            let command = look_command(&looks)?;
            let output = self.run_kept(identity, &command, None).await?;
            seen(&looks, &output)
        };
        looking.await.map_err(|problem| self.error(problem))
    }

    /// Answers any number of reads in one round trip, in their order.
    pub async fn read_batch(
        &self,
        identity: &Identity,
        reads: Vec<Read>,
    ) -> Result<Vec<ReadAnswer>, ConnectionError> {
        self.batch(identity, &reads)
            .await
            .map_err(|problem| self.error(problem))
    }

    /// Looks at many paths by few programs; none when the host's programs are not up to it.
    async fn look_at_many(
        &self,
        identity: &Identity,
        requests: &[StatRequest],
    ) -> Result<Option<Vec<FileStat>>, Problem> {
        let mut script = stat::functions(&[]);
        for request in requests {
            stat::check_path(&request.path)?;
        }
        bulk::script_into(&mut script, requests);
        script.push_str("_s=0");
        script.push_str(frame::OWN_END);
        let asked = [own(Command::shell(script))];
        let output = next(&mut self.run_all(identity, &asked).await?.into_iter())?;
        Ok(bulk::parse(&output.stdout.bytes(), requests))
    }

    async fn batch(&self, identity: &Identity, reads: &[Read]) -> Result<Vec<ReadAnswer>, Problem> {
        let only_looks: Option<Vec<StatRequest>> = reads
            .iter()
            .map(|read| match read {
                Read::Stat(request) => Some(request.clone()),
                _ => None,
            })
            .collect();
        if let Some(requests) = only_looks.filter(|all| all.len() >= bulk::MANY)
            && let Some(stats) = self.look_at_many(identity, &requests).await?
        {
            return Ok(stats.into_iter().map(ReadAnswer::Stat).collect());
        }
        let looks: Vec<Look<'_>> = reads
            .iter()
            .filter_map(|read| match read {
                Read::Stat(request) => Some(Look::Stat(request)),
                Read::Kind(path) => Some(Look::Kind(path)),
                _ => None,
            })
            .collect();
        let mut commands = Vec::new();
        if !looks.is_empty() {
            commands.push(own(look_command(&looks)?));
        }
        for read in reads {
            match read {
                Read::Script(command) => commands.push(Asked {
                    command: command.clone(),
                    is_own: false,
                }),
                Read::File { path, max_bytes } => {
                    commands.push(own(read::command(path, *max_bytes)?));
                }
                Read::Stat(_) | Read::Kind(_) => {}
            }
        }
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let mut outputs = self.run_all(identity, &commands).await?.into_iter();
        let mut stats = match looks.is_empty() {
            true => Vec::new(),
            false => seen(&looks, &next(&mut outputs)?)?,
        }
        .into_iter();
        let mut answers = Vec::with_capacity(reads.len());
        for read in reads {
            answers.push(match read {
                Read::Script(_) => ReadAnswer::Script(next(&mut outputs)?),
                Read::Stat(_) | Read::Kind(_) => ReadAnswer::Stat(stats.next().unwrap_or_default()),
                Read::File { path, max_bytes } => {
                    let content = read::content(path, *max_bytes, &next(&mut outputs)?);
                    ReadAnswer::File(content.map_err(|problem| self.error(problem)))
                }
            });
        }
        Ok(answers)
    }
}

fn own(command: Command) -> Asked {
    Asked {
        command,
        is_own: true,
    }
}

fn next(outputs: &mut impl Iterator<Item = Output>) -> Result<Output, Problem> {
    outputs.next().ok_or_else(|| Problem::Protocol {
        request: "a batch of reads",
        answer: "fewer answers than questions".to_owned(),
    })
}

/// A look at a path, all of them by one script.
enum Look<'a> {
    Stat(&'a StatRequest),
    Kind(&'a str),
}

impl Look<'_> {
    fn algorithm(&self) -> Option<stat::ChecksumAlgorithm> {
        match self {
            Self::Stat(request) => request.checksum,
            Self::Kind(_) => None,
        }
    }
}

fn look_command(looks: &[Look<'_>]) -> Result<Command, Problem> {
    let algorithms: Vec<_> = looks.iter().filter_map(Look::algorithm).collect();
    let mut script = stat::functions(&algorithms);
    if looks.iter().any(|look| matches!(look, Look::Kind(_))) {
        script.push_str(stat::KIND_FUNCTION);
    }
    for look in looks {
        match look {
            Look::Stat(request) => stat::call_into(&mut script, request)?,
            Look::Kind(path) => stat::call_kind_into(&mut script, path)?,
        }
    }
    script.push_str("_s=0");
    script.push_str(frame::OWN_END);
    Ok(Command::shell(script))
}

/// For the test that looks at every script.
#[cfg(test)]
pub(crate) fn every_script() -> String {
    let mut request = StatRequest::new("/a b");
    request.checksum = Some(stat::ChecksumAlgorithm::Sha1);
    let looks = [Look::Stat(&request), Look::Kind("/a b")];
    look_command(&looks).unwrap().script
}

fn seen(looks: &[Look<'_>], output: &Output) -> Result<Vec<FileStat>, Problem> {
    let request = |look: &Look<'_>| match look {
        Look::Stat(request) => (*request).clone(),
        Look::Kind(path) => StatRequest::new(*path),
    };
    let requests: Vec<StatRequest> = looks.iter().map(request).collect();
    stat::parse(&output.stdout.bytes(), &requests)
}
