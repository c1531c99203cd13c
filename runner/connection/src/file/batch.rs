//! Several reads in one round trip.
//!
//! Must not: carry anything that changes the host; the answers of a batch are all there or none is.

use crate::command::{Command, Output};
use crate::connection::{Asked, Connection};
use crate::error::{ConnectionError, Problem};
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
            let requests: Vec<&StatRequest> = requests.iter().collect();
            let command = stat_command(&requests)?;
            let output = self.run_kept(identity, &command, None).await?;
            stats(&requests, &output)
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

    async fn batch(&self, identity: &Identity, reads: &[Read]) -> Result<Vec<ReadAnswer>, Problem> {
        let requests: Vec<&StatRequest> = reads
            .iter()
            .filter_map(|read| match read {
                Read::Stat(request) => Some(request),
                _ => None,
            })
            .collect();
        let mut commands = Vec::new();
        if !requests.is_empty() {
            commands.push(own(stat_command(&requests)?));
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
                Read::Stat(_) => {}
            }
        }
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let mut outputs = self.run_all(identity, &commands).await?.into_iter();
        let mut stats = match requests.is_empty() {
            true => Vec::new(),
            false => stats(&requests, &next(&mut outputs)?)?,
        }
        .into_iter();
        let mut answers = Vec::with_capacity(reads.len());
        for read in reads {
            answers.push(match read {
                Read::Script(_) => ReadAnswer::Script(next(&mut outputs)?),
                Read::Stat(_) => ReadAnswer::Stat(stats.next().unwrap_or_default()),
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

fn stat_command(requests: &[&StatRequest]) -> Result<Command, Problem> {
    let algorithms: Vec<_> = requests.iter().filter_map(|r| r.checksum).collect();
    let mut script = stat::functions(&algorithms);
    for request in requests {
        stat::call_into(&mut script, request)?;
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
    stat_command(&[&request]).unwrap().script
}

fn stats(requests: &[&StatRequest], output: &Output) -> Result<Vec<FileStat>, Problem> {
    let requests: Vec<StatRequest> = requests.iter().map(|&r| r.clone()).collect();
    stat::parse(&output.stdout.bytes(), &requests)
}
