//! Writing a file on a host: beside the old one first, then in its place with one rename.
//!
//! Must not: leave a half-written file where a whole one was, or show new content under looser permissions than it ends with.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use sha1::{Digest, Sha1};

use super::cksum::Cksum;
use super::read::{hex, path_word};
use super::stat::{self, ChecksumAlgorithm, FileStat, StatRequest};
use crate::command::{Command, ExitStatus, Output};
use crate::connection::Connection;
use crate::error::{ConnectionError, Problem, excerpt};
use crate::identity::Identity;
use crate::shell::kept::InputSource;
use crate::shell::{frame, quote};

/// Content up to this size travels inside the frame; more goes through a channel of its own.
const INLINE_BYTES: usize = 64 << 10;

/// A file to write.
#[derive(Debug, Clone)]
pub struct WriteFile {
    /// The path on the host; what is there is replaced, a link included.
    pub path: String,
    /// What to write.
    pub content: Content,
    /// Permission bits; without them those of the old file stay, and a new one gets the usual ones.
    pub mode: Option<u32>,
    /// Owner by name or number; without it the old file's stays.
    pub owner: Option<String>,
    /// Group by name or number; likewise.
    pub group: Option<String>,
    /// Keeps the old file under a name with a time stamp.
    pub backup: bool,
    /// Makes missing directories first.
    pub create_parents: bool,
    /// Refuses when the old file is not the one that was looked at.
    pub expected_before: Option<Expected>,
    /// A command that checks the new content first; `%s` stands for its path.
    pub validate: Option<String>,
    /// Writes into the old file where it cannot be replaced, as with a file that is a mount point.
    pub unsafe_writes: bool,
    /// Longest time for all of it.
    pub timeout: Option<Duration>,
}

impl WriteFile {
    /// Writes bytes, and nothing else is asked for.
    pub fn new(path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        Self {
            path: path.into(),
            content: Content::Bytes(content.into()),
            mode: None,
            owner: None,
            group: None,
            backup: false,
            create_parents: false,
            expected_before: None,
            validate: None,
            unsafe_writes: false,
            timeout: None,
        }
    }
}

/// What to write into a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// These bytes.
    Bytes(Bytes),
    /// A file of the controller, streamed.
    LocalFile {
        /// Its path.
        path: PathBuf,
        /// Number of its bytes.
        size: u64,
        /// SHA-1 of its content, in hexadecimal.
        sha1: String,
        /// What [`Cksum`] makes of its content: what arrives is judged by it.
        cksum: u32,
    },
}

/// What the old file must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// There must be none.
    Absent,
    /// A file with this digest, in hexadecimal.
    Checksum(ChecksumAlgorithm, String),
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenFile {
    /// The new file, with the SHA-1 of its content.
    pub stat: FileStat,
    /// Path of the old file's copy, when one was asked for and there was an old file.
    pub backup: Option<String>,
}

/// The script's words for what went wrong; the first is never used by a shell itself.
mod code {
    pub const CHANGED: i32 = 81;
    pub const REFUSED: i32 = 82;
    pub const FAILED: i32 = 83;
}

impl Connection {
    /// Writes a file and says what is there now.
    pub async fn write_file(
        &self,
        identity: &Identity,
        write: &WriteFile,
    ) -> Result<WrittenFile, ConnectionError> {
        self.write(identity, write)
            .await
            .map_err(|problem| self.error(problem))
    }

    async fn write(&self, identity: &Identity, write: &WriteFile) -> Result<WrittenFile, Problem> {
        let is_inline = matches!(&write.content, Content::Bytes(b) if b.len() <= INLINE_BYTES);
        let sums = match &write.content {
            Content::Bytes(bytes) => Sums {
                size: bytes.len() as u64,
                sha1: hex(&Sha1::digest(bytes)),
                // Inside a frame nothing is summed up.
                cksum: if is_inline { 0 } else { Cksum::of(bytes) },
            },
            Content::LocalFile {
                size, sha1, cksum, ..
            } => Sums {
                size: *size,
                sha1: sha1.clone(),
                cksum: *cksum,
            },
        };
        let command = Command {
            timeout: write.timeout,
            ..Command::shell(script(write, &sums, is_inline)?)
        };
        let output = match &write.content {
            Content::Bytes(_) if is_inline => self.run_kept(identity, &command, None).await?,
            Content::Bytes(bytes) => {
                let input = InputSource::Bytes(bytes.clone());
                self.run_with_input(identity, &command, input, None).await?
            }
            Content::LocalFile { path, size, .. } => {
                let file = tokio::fs::File::open(path)
                    .await
                    .map_err(|error| Problem::local(path, &error))?;
                let input = InputSource::File(file.into_std().await, *size);
                self.run_with_input(identity, &command, input, None).await?
            }
        };
        let mut written = answer(write, &output)?;
        written.stat.checksum = Some((ChecksumAlgorithm::Sha1, sums.sha1));
        Ok(written)
    }
}

/// What is known of the content before it is sent.
struct Sums {
    size: u64,
    sha1: String,
    cksum: u32,
}

/// Writes the whole script.
fn script(write: &WriteFile, known: &Sums, is_inline: bool) -> Result<String, Problem> {
    let path = path_word(&write.path)?;
    let mut sums = Vec::new();
    if let Some(Expected::Checksum(algorithm, _)) = &write.expected_before {
        sums.push(*algorithm);
    }
    if !is_inline {
        sums.push(ChecksumAlgorithm::Sha1);
    }
    let mut script = stat::functions(&sums);
    let temporary = quote::path(&temporary_path(&write.path));
    script.push_str(&format!(
        "_f={path}\n_t={temporary}\n\
         _fail() {{ rm -f \"$_t\"; exit $1; }}\n\
         trap '_fail {failed}' 1 15\n",
        failed = code::FAILED
    ));
    expect_into(&mut script, write);
    script.push_str(&format!(
        "if [ -d \"$_f\" ]; then echo 'it is a directory' >&2; exit {}; fi\n",
        code::FAILED
    ));
    if write.create_parents {
        let parent = quote::path(parent_path(&write.path));
        script.push_str(&format!(
            "if [ -d {parent} ]; then :; else mkdir -p {parent} || exit {}; fi\n",
            code::FAILED
        ));
    }
    content_into(&mut script, write, known, is_inline);
    permissions_into(&mut script, write);
    place_into(&mut script, write);
    Ok(script)
}

fn expect_into(script: &mut String, write: &WriteFile) {
    let changed = code::CHANGED;
    match &write.expected_before {
        None => {}
        Some(Expected::Absent) => script.push_str(&format!(
            "if [ -f \"$_f\" ] || [ -h \"$_f\" ]; then exit {changed}; fi\n"
        )),
        Some(Expected::Checksum(algorithm, hex)) => script.push_str(&format!(
            "case `_h{algorithm} \"$_f\"` in {hex}*) ;; *) exit {changed} ;; esac\n",
            hex = hex.to_ascii_lowercase()
        )),
    }
}

/// Puts the content beside the old file and makes sure that all of it is there.
fn content_into(script: &mut String, write: &WriteFile, known: &Sums, is_inline: bool) {
    let failed = code::FAILED;
    let Sums { size, sha1, cksum } = known;
    // A copy of the old file has its owner, group, mode and lists; a new one begins with no more than it ends with.
    let creation_mask = 0o777 & !write.mode.unwrap_or(0o666);
    let mask = match (write.mode, &write.owner, &write.group) {
        (_, Some(_), _) | (_, _, Some(_)) => "umask 077; ".to_owned(),
        (Some(_), None, None) => format!("umask {creation_mask:03o}; "),
        (None, None, None) => String::new(),
    };
    let first = match write.mode {
        // The owner must be able to write it for now.
        Some(mode) => format!(" && chmod {:04o} \"$_t\"", mode & 0o777 | 0o200),
        None => String::new(),
    };
    script.push_str(&format!(
        "_new=1 _ro=0\n\
         if [ -f \"$_f\" ]; then _new=0; cp -p \"$_f\" \"$_t\"{first} || _fail {failed}\n\
         if [ -w \"$_t\" ]; then :; else _ro=1; chmod u+w \"$_t\" || _fail {failed}; fi\n\
         else {mask}:; fi\n{{\n"
    ));
    match &write.content {
        Content::Bytes(bytes) if is_inline => {
            // A group must hold a command, even when there is nothing to write.
            script.push_str(":\n");
            quote::printf_into(script, bytes);
        }
        _ => script.push_str("cat\n"),
    }
    script.push_str(&format!(
        "}} >\"$_t\" || _fail {failed}\n\
         # Fields of the look at it: how, mode, uid, gid, size.\n\
         _look() {{ set -- $1; if [ \"$5\" != {size} ]; then echo \"only $5 of {size} bytes were written\" >&2; _fail {failed}; fi; }}\n"
    ));
    if !is_inline {
        // The transport has its own proof against forgers; this one is against accidents, and a digest of all the content
        // would take as long as its way here.
        script.push_str(&format!(
            "_first() {{ _h=$1; }}\n\
             _first `cksum <\"$_t\" 2>/dev/null`\n\
             case $_h in {cksum}) ;; '') _h=`_hsha1 \"$_t\"`\n\
             case $_h in {sha1}*|'') ;; *) _h=- ;; esac ;; *) _h=- ;; esac\n\
             if [ \"$_h\" = - ]; then echo 'the content was damaged on its way' >&2; _fail {failed}; fi\n"
        ));
    }
}

fn permissions_into(script: &mut String, write: &WriteFile) {
    let failed = code::FAILED;
    let owner = match (&write.owner, &write.group) {
        (Some(owner), Some(group)) => Some(("chown", format!("{owner}:{group}"))),
        (Some(owner), None) => Some(("chown", owner.clone())),
        (None, Some(group)) => Some(("chgrp", group.clone())),
        (None, None) => None,
    };
    if let Some((program, who)) = &owner {
        let who = quote::path(who);
        script.push_str(&format!("{program} {who} \"$_t\" || _fail {failed}\n"));
    }
    match write.mode {
        // Made by the mask alone.
        Some(mode) if owner.is_none() && mode & !0o666 == 0 => script.push_str(&format!(
            "if [ $_new = 0 ]; then chmod {mode:04o} \"$_t\" || _fail {failed}; fi\n"
        )),
        Some(mode) => {
            script.push_str(&format!("chmod {mode:04o} \"$_t\" || _fail {failed}\n"));
        }
        // `=rw` without a class heeds the umask.
        None if owner.is_some() => script.push_str(&format!(
            "if [ $_new = 1 ]; then umask 022; chmod =rw \"$_t\" || _fail {failed}; fi\n"
        )),
        None => script.push_str("if [ $_ro = 1 ]; then chmod u-w \"$_t\"; fi\n"),
    }
}

/// Validates, keeps the old file, renames, and says what is there.
fn place_into(script: &mut String, write: &WriteFile) {
    let (failed, refused) = (code::FAILED, code::REFUSED);
    script.push_str(&format!(
        "_see \"$_t\" 0 || _fail {failed}\n_look \"$_o\"\n"
    ));
    if let Some(validate) = &write.validate {
        // Between double quotes of nobody: `$_t` is one word here whatever the path holds.
        let command = quote::word(&validate.replace("%s", "\"$_t\""));
        script.push_str(&format!(
            "( eval {command} ) >&2 || {{ echo \"code $?\"; _fail {refused}; }}\n"
        ));
    }
    if write.backup {
        script.push_str(&format!(
            "if [ -f \"$_f\" ]; then _b=.$$.`date +%Y-%m-%d@%H:%M:%S`~\n\
             cp -p \"$_f\" \"$_f$_b\" || _fail {failed}\n\
             echo \"backup $_b\"; fi\n"
        ));
    }
    let otherwise = match write.unsafe_writes {
        true => format!("{{ cat \"$_t\" >\"$_f\" && rm -f \"$_t\"; }} || _fail {failed}"),
        false => format!("_fail {failed}"),
    };
    let quiet = match write.unsafe_writes {
        true => " 2>/dev/null",
        false => "",
    };
    script.push_str(&format!(
        "mv -f \"$_t\" \"$_f\"{quiet} || {otherwise}\necho \"$_o\"\necho \"a $_r $_w $_e\"\necho .\n"
    ));
}

fn temporary_path(path: &str) -> String {
    let parent = parent_path(path);
    let name = format!(".{}.tmp", frame::token());
    match parent {
        "/" => format!("/{name}"),
        parent => format!("{parent}/{name}"),
    }
}

fn parent_path(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    }
}

fn answer(write: &WriteFile, output: &Output) -> Result<WrittenFile, Problem> {
    let stdout = output.stdout.bytes();
    match output.status {
        ExitStatus::Code(0) => {}
        ExitStatus::Code(code::CHANGED) => {
            return Err(Problem::FileChanged {
                path: write.path.clone(),
            });
        }
        ExitStatus::Code(code::REFUSED) => {
            let text = String::from_utf8_lossy(&stdout);
            let code = text.lines().find_map(|line| line.strip_prefix("code "));
            return Err(Problem::Validation {
                path: write.path.clone(),
                code: code.and_then(|code| code.parse().ok()).unwrap_or(-1),
                message: excerpt(&output.stderr.bytes()),
            });
        }
        _ => super::read::check("write", &write.path, output)?,
    }
    let (backup, rest) = match stdout.strip_prefix(b"backup ") {
        Some(rest) => {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (suffix, rest) = rest.split_at(end);
            let suffix = String::from_utf8_lossy(suffix);
            let path = format!("{}{suffix}", write.path);
            (Some(path), rest.get(1..).unwrap_or_default())
        }
        None => (None, stdout.as_ref()),
    };
    let request = StatRequest::new(write.path.clone());
    let stat = stat::parse(rest, &[request])?.pop().unwrap_or_default();
    Ok(WrittenFile { stat, backup })
}

/// For the test that looks at every script.
#[cfg(test)]
pub(crate) fn every_script() -> Vec<String> {
    let full = WriteFile {
        mode: Some(0o640),
        owner: Some("a".into()),
        group: Some("b".into()),
        backup: true,
        create_parents: true,
        expected_before: Some(Expected::Checksum(ChecksumAlgorithm::Sha256, "00".into())),
        validate: Some("visudo -cf %s".into()),
        unsafe_writes: true,
        ..WriteFile::new("/a b/c", "content\0 'x'")
    };
    let plain = WriteFile {
        expected_before: Some(Expected::Absent),
        ..WriteFile::new("-c", "")
    };
    let mut scripts = Vec::new();
    for write in [full, plain] {
        for is_inline in [true, false] {
            let known = Sums {
                size: 3,
                sha1: "00".into(),
                cksum: 0,
            };
            scripts.push(script(&write, &known, is_inline).unwrap());
        }
    }
    scripts
}
