//! Between the contract's requests and the connection's.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sasrun_connection as connection;
use sasrun_plugin::{
    Command, CommandOutput, Content, FileContent, FileKind, FileStatus, JobState, JobStatus, Place,
    Read, ReadAnswer, Refusal, Stat, WriteFile, Written,
};

/// Exit status that stands for a command which a limit ended.
const TIMED_OUT: i32 = 124;

/// A command for the connection, with the task's environment and the time that is left.
pub(super) fn command(
    command: &Command,
    environment: &[(String, String)],
    left: Option<Duration>,
) -> connection::Command {
    let own = command.timeout_ms.map(Duration::from_millis);
    let mut all: Vec<(String, String)> = environment.to_vec();
    all.extend(
        command
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let base = match &command.executable {
        Some(shell) => connection::Command::argv(&[shell.as_str(), "-c", command.script.as_str()]),
        None => connection::Command::shell(command.script.clone()),
    };
    connection::Command {
        stdin: command.stdin.clone().map(Into::into),
        cwd: command.directory.clone(),
        environment: all,
        timeout: match (own, left) {
            (Some(own), Some(left)) => Some(own.min(left)),
            (own, left) => own.or(left),
        },
        idle_timeout: command.silence_ms.map(Duration::from_millis),
        ..base
    }
}

/// What a command came to.
pub(super) fn output(output: &connection::Output) -> CommandOutput {
    let (rc, signal, timed_out) = match output.status {
        connection::ExitStatus::Code(code) => (code, None, false),
        connection::ExitStatus::Signal(signal) => (128 + signal, Some(signal), false),
        connection::ExitStatus::TimedOut(_) => (TIMED_OUT, None, true),
    };
    CommandOutput {
        rc,
        signal,
        timed_out,
        stdout: output.stdout.text().into_owned(),
        stderr: output.stderr.text().into_owned(),
        truncated: output.stdout.is_truncated() || output.stderr.is_truncated(),
        elapsed_ms: u64::try_from(output.elapsed.as_millis()).unwrap_or(u64::MAX),
    }
}

/// A job as modules see it.
pub(super) fn job(id: &str, view: &connection::JobView) -> JobStatus {
    use connection::{ExitStatus, JobState as Seen};
    let (state, ended) = match view.state {
        Seen::Absent => (JobState::Absent, None),
        Seen::Starting => (JobState::Starting, None),
        Seen::Running => (JobState::Running, None),
        Seen::Rebooted => (JobState::Rebooted, None),
        Seen::Gone => (JobState::Gone, None),
        Seen::Finished(status) => (JobState::Finished, Some(status)),
    };
    let output = ended.map(|status: ExitStatus| {
        output(&connection::Output {
            status,
            stdout: connection::Captured::default(),
            stderr: connection::Captured::default(),
            elapsed: Duration::ZERO,
            is_leaving_processes: view.is_leaving_processes,
        })
    });
    JobStatus {
        id: id.to_owned(),
        state,
        started_at: view.started_at,
        ended_at: view.ended_at,
        pid: view.pid,
        stopped: view.was_stopped,
        output,
        stdout_to: view.written.stdout,
        stderr_to: view.written.stderr,
        ..JobStatus::default()
    }
}

/// A listed job as modules see it.
pub(super) fn listed_job(listed: connection::ListedJob) -> JobStatus {
    JobStatus {
        run: listed.word("run").to_owned(),
        step: listed.word("step").to_owned(),
        last_line: listed.last_line.clone(),
        ..job(&listed.id, &listed.view)
    }
}

/// A read that goes with others in one round trip; none for one that needs a channel or place of
/// its own.
pub(super) fn read(
    read: &Read,
    environment: &[(String, String)],
    left: Option<Duration>,
) -> Option<connection::Read> {
    Some(match read {
        Read::Command(given) if given.place == Place::Target && given.stdin.is_none() => {
            connection::Read::Script(command(given, environment, left))
        }
        Read::Stat(stat) => connection::Read::Stat(stat_request(stat)),
        Read::Kind { path } => connection::Read::Kind(path.clone()),
        Read::File {
            path, max_bytes, ..
        } => connection::Read::File {
            path: path.clone(),
            max_bytes: usize::try_from(*max_bytes).unwrap_or(usize::MAX),
        },
        _ => return None,
    })
}

fn stat_request(stat: &Stat) -> connection::StatRequest {
    connection::StatRequest {
        path: stat.path.clone(),
        follow: stat.follow,
        checksum: stat.checksum.as_deref().and_then(algorithm),
    }
}

fn algorithm(name: &str) -> Option<connection::ChecksumAlgorithm> {
    use connection::ChecksumAlgorithm as Algorithm;
    Some(match name {
        "md5" => Algorithm::Md5,
        "sha1" => Algorithm::Sha1,
        "sha224" => Algorithm::Sha224,
        "sha256" => Algorithm::Sha256,
        "sha384" => Algorithm::Sha384,
        "sha512" => Algorithm::Sha512,
        _ => return None,
    })
}

/// The answer to a read.
pub(super) fn answer(read: &Read, answer: connection::ReadAnswer) -> ReadAnswer {
    let path = match read {
        Read::Stat(stat) => stat.path.clone(),
        Read::File { path, .. } | Read::Kind { path } => path.clone(),
        _ => String::new(),
    };
    match answer {
        connection::ReadAnswer::Script(done) => ReadAnswer::Command(output(&done)),
        connection::ReadAnswer::Stat(stat) => ReadAnswer::Stat(status(path, stat)),
        connection::ReadAnswer::File(Ok(content)) => ReadAnswer::File(FileContent {
            path,
            exists: true,
            base64: STANDARD.encode(&content.bytes),
            truncated: content.is_truncated,
        }),
        connection::ReadAnswer::File(Err(error)) if is_absent(&error) => {
            ReadAnswer::File(FileContent {
                path,
                ..FileContent::default()
            })
        }
        connection::ReadAnswer::File(Err(error)) => refusal(&error),
    }
}

fn is_absent(error: &connection::ConnectionError) -> bool {
    matches!(&*error.problem, connection::Problem::File { reason, .. }
        if reason.contains("No such file") || reason.contains("not found") || reason.contains("nonexistent"))
}

/// Why the host could not do what was asked.
pub(super) fn refusal(error: &connection::ConnectionError) -> ReadAnswer {
    ReadAnswer::Refused(Refusal {
        kind: if error.is_unreachable() {
            "unreachable"
        } else {
            error.kind()
        }
        .to_owned(),
        message: error.problem.to_string(),
    })
}

/// What is known of a file.
pub(super) fn status(path: String, stat: connection::FileStat) -> FileStatus {
    let kind = match stat.kind.filter(|_| stat.exists) {
        None => FileKind::Absent,
        Some(connection::FileKind::File) => FileKind::File,
        Some(connection::FileKind::Directory) => FileKind::Directory,
        Some(connection::FileKind::Link) => FileKind::Link,
        Some(connection::FileKind::Fifo) => FileKind::Fifo,
        Some(connection::FileKind::Socket) => FileKind::Socket,
        Some(connection::FileKind::CharacterDevice) => FileKind::CharacterDevice,
        Some(connection::FileKind::BlockDevice) => FileKind::BlockDevice,
    };
    FileStatus {
        path,
        kind,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        owner: stat.owner.unwrap_or_else(|| stat.uid.to_string()),
        group: stat.group.unwrap_or_else(|| stat.gid.to_string()),
        size_bytes: stat.size,
        mtime: stat.mtime.unwrap_or_default(),
        atime: stat.atime.unwrap_or_default(),
        ctime: stat.ctime.unwrap_or_default(),
        inode: stat.inode,
        device: stat.device,
        links: stat.nlink,
        link_target: stat.link_target,
        real_path: stat.link_source,
        readable: stat.readable,
        writable: stat.writable,
        executable: stat.executable,
        checksum: stat.checksum.map(|(_, hex)| hex),
    }
}

/// A file to write, its content found.
pub(super) fn write(file: &WriteFile, content: connection::Content) -> connection::WriteFile {
    connection::WriteFile {
        content,
        mode: file.mode,
        owner: file.owner.clone(),
        group: file.group.clone(),
        backup: file.backup,
        validate: file.validate.clone(),
        unsafe_writes: file.unsafe_writes,
        ..connection::WriteFile::new(file.path.clone(), Vec::new())
    }
}

/// Content that travels by value.
pub(super) fn bytes(content: &Content) -> Result<Option<Vec<u8>>, String> {
    match content {
        Content::Text(text) => Ok(Some(text.clone().into_bytes())),
        Content::Base64(text) => STANDARD
            .decode(text)
            .map(Some)
            .map_err(|error| format!("the content is not Base64: {error}")),
        Content::ControllerFile(_) => Ok(None),
    }
}

/// What was written.
pub(super) fn written(path: &str, done: connection::WrittenFile) -> ReadAnswer {
    ReadAnswer::Written(Written {
        status: status(path.to_owned(), done.stat),
        backup: done.backup,
    })
}
