//! Reading a host's files, into memory or into a file of the controller.
//!
//! Must not: hold more of a file in memory than was allowed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use crate::command::{Command, ExitStatus, Output, Stream};
use crate::connection::Connection;
use crate::error::{ConnectionError, Problem, excerpt};
use crate::identity::Identity;
use crate::shell::{frame, quote};

/// The content of a file, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// The bytes, at most as many as were allowed.
    pub bytes: Vec<u8>,
    /// Says that the file is longer.
    pub is_truncated: bool,
}

/// A file that was brought to the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedFile {
    /// Number of its bytes.
    pub size: u64,
    /// SHA-1 of its content, in hexadecimal.
    pub sha1: String,
}

/// Makes the command that prints at most so many bytes of a file, and one more if there is more.
pub(crate) fn command(path: &str, max_bytes: usize) -> Result<Command, Problem> {
    let file = path_word(path)?;
    let limit = max_bytes.saturating_add(1);
    let script = format!(
        "if [ -d {file} ]; then echo 'it is a directory' >&2; _s=1\n\
         elif head -c {limit} {file} 2>/dev/null; then _s=0\n\
         else cat {file}; _s=$?; fi{}",
        frame::OWN_END
    );
    Ok(Command {
        output_bytes: Some(limit),
        ..Command::shell(script)
    })
}

/// Makes the content of what came back.
pub(crate) fn content(
    path: &str,
    max_bytes: usize,
    output: &Output,
) -> Result<FileContent, Problem> {
    check("read", path, output)?;
    let is_truncated = output.stdout.total_bytes() > max_bytes as u64;
    // A host without `head -c` sends the whole file, of which only head and tail are here.
    let mut bytes = output.stdout.head().to_vec();
    bytes.truncate(max_bytes);
    Ok(FileContent {
        bytes,
        is_truncated,
    })
}

pub(crate) fn path_word(path: &str) -> Result<String, Problem> {
    if path.is_empty() || path.contains('\0') {
        return Err(Problem::Request {
            reason: format!("{path:?} is no path"),
        });
    }
    Ok(quote::path(path))
}

pub(crate) fn check(action: &'static str, path: &str, output: &Output) -> Result<(), Problem> {
    if output.status == ExitStatus::Code(0) {
        return Ok(());
    }
    let said = excerpt(&output.stderr.bytes());
    let reason = match (said.as_str(), output.status) {
        ("", ExitStatus::Code(code)) => format!("exit code {code}"),
        ("", status) => format!("{status:?}"),
        (text, _) => text.to_owned(),
    };
    Err(Problem::File {
        action,
        path: path.to_owned(),
        reason,
    })
}

impl Connection {
    /// Reads a file into memory.
    pub async fn read_file(
        &self,
        identity: &Identity,
        path: &str,
        max_bytes: usize,
    ) -> Result<FileContent, ConnectionError> {
        let reading = async {
            let command = command(path, max_bytes)?;
            let output = self.run_kept(identity, &command, None).await?;
            content(path, max_bytes, &output)
        };
        reading.await.map_err(|problem| self.error(problem))
    }

    /// Brings a file to the controller, piece by piece; the local file appears when it is complete.
    pub async fn fetch_file(
        &self,
        identity: &Identity,
        path: &str,
        local: &Path,
    ) -> Result<FetchedFile, ConnectionError> {
        self.fetch(identity, path, local)
            .await
            .map_err(|problem| self.error(problem))
    }

    async fn fetch(
        &self,
        identity: &Identity,
        path: &str,
        local: &Path,
    ) -> Result<FetchedFile, Problem> {
        let file = path_word(path)?;
        let script = format!(
            "if [ -d {file} ]; then echo 'it is a directory' >&2; exit 1; fi\nexec cat {file}"
        );
        let command = Command {
            output_bytes: Some(4096),
            ..Command::shell(script)
        };
        let mut arriving = Arriving::create(local)?;
        let mut sink = |stream: Stream, bytes: &[u8]| {
            if stream == Stream::Stdout {
                arriving.take(bytes);
            }
        };
        let output = self.run_kept(identity, &command, Some(&mut sink)).await?;
        check("read", path, &output)?;
        arriving.finish(output.stdout.total_bytes())
    }
}

/// A local file that is not complete yet; it is removed again if it never is.
struct Arriving {
    path: PathBuf,
    partial: PathBuf,
    file: Option<BufWriter<File>>,
    digest: Sha1,
    failure: Option<std::io::Error>,
}

impl Arriving {
    fn create(path: &Path) -> Result<Self, Problem> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let partial = path.with_file_name(format!(".{name}.{:08x}", rand::random::<u32>()));
        let file = File::create_new(&partial).map_err(|error| Problem::local(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            file: Some(BufWriter::with_capacity(256 << 10, file)),
            digest: Sha1::new(),
            failure: None,
        })
    }

    fn take(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        if let (Some(file), None) = (&mut self.file, &self.failure) {
            self.failure = file.write_all(bytes).err();
        }
    }

    fn finish(mut self, size: u64) -> Result<FetchedFile, Problem> {
        let mut outcome = self.failure.take().map_or(Ok(()), Err);
        if let (Ok(()), Some(mut file)) = (&outcome, self.file.take()) {
            outcome = file
                .flush()
                .and_then(|()| std::fs::rename(&self.partial, &self.path));
        }
        outcome.map_err(|error| Problem::local(&self.path, &error))?;
        let sha1 = hex(&std::mem::take(&mut self.digest).finalize());
        Ok(FetchedFile { size, sha1 })
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        // Gone already when the file is complete.
        if let Err(error) = std::fs::remove_file(&self.partial) {
            tracing::trace!(%error, "no partial file");
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
