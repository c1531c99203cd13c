//! What the engine answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answer to one [`crate::Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
#[non_exhaustive]
pub enum Answer {
    /// To `Read`, one for each read.
    Reads { reads: Vec<ReadAnswer> },
    /// To `Attempt`.
    Command { output: CommandOutput },
    /// To `Change`: one for each that was begun.
    Changes { changes: Vec<ReadAnswer> },
    /// To `Job`.
    Jobs { jobs: Vec<JobStatus> },
    /// To requests that ask for nothing back.
    Done,
    /// To `Dialogue`.
    Screen { screen: Screen },
    /// To `Controller` requests that ask for a value.
    Value { value: Value },
    /// To `ControllerRequest::File`.
    ControllerFile { file: ControllerFile },
    /// The request could not be carried out; the module may react or pass it on.
    Refused { refusal: Refusal },
    /// The task's own limit passed; the module may tidy up with reads only.
    TimedOut,
    /// The run is being stopped; the module should end.
    Cancelled,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable kind: `unreachable`, `not_found`, `permission`, `template`, `undefined`, `undeclared`,
    /// `unanswered`, `protocol`, `other`.
    pub kind: String,
    /// One sentence for a person.
    pub message: String,
}

/// The answer to one read or change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
#[non_exhaustive]
pub enum ReadAnswer {
    Command(CommandOutput),
    Stat(FileStatus),
    File(FileContent),
    Written(Written),
    Refused(Refusal),
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CommandOutput {
    /// Exit status; `128 + n` for death by signal `n`, with `signal` set.
    pub rc: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether a limit of time or silence ended it.
    #[serde(default)]
    pub timed_out: bool,
    /// Output as text; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    pub stderr: String,
    /// Whether output was cut to its head and tail.
    #[serde(default)]
    pub truncated: bool,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub elapsed_ms: u64,
}

impl CommandOutput {
    /// Tells whether the command ended by itself with status 0.
    pub fn succeeded(&self) -> bool {
        self.rc == 0 && self.signal.is_none() && !self.timed_out
    }
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobState {
    /// There is none of that name.
    #[default]
    Absent,
    /// Its name is taken; it has not begun yet.
    Starting,
    /// It runs.
    Running,
    /// It ended.
    Finished,
    /// The host was booted since it began; how far it came is not known.
    Rebooted,
    /// Its process is gone without a result; how far it came is not known.
    Gone,
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct JobStatus {
    /// Its name.
    pub id: String,
    /// How it stands.
    pub state: JobState,
    /// Run that it belongs to.
    pub run: String,
    /// Step that it belongs to.
    pub step: String,
    /// Seconds since 1970 when it began and ended, by the host's clock.
    pub started_at: Option<u64>,
    pub ended_at: Option<u64>,
    /// Process id of its session.
    pub pid: Option<u32>,
    /// Whether somebody told it to end.
    pub stopped: bool,
    /// The last line of its output, in a listing.
    pub last_line: String,
    /// What it came to, once it has ended; for `Read` the output from the offsets on.
    pub output: Option<CommandOutput>,
    /// Where the output goes on.
    pub stdout_to: u64,
    pub stderr_to: u64,
    /// Whether output is there that was not read.
    pub has_more: bool,
    /// The result of the task that left it running, where this run knows it.
    pub result: Option<crate::Object>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    #[default]
    Absent,
    File,
    Directory,
    Link,
    Fifo,
    Socket,
    CharacterDevice,
    BlockDevice,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileStatus {
    pub path: String,
    pub kind: FileKind,
    /// Permission bits with set-uid, set-gid and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub owner: String,
    pub group: String,
    pub size_bytes: u64,
    /// Seconds since 1970.
    pub mtime: f64,
    pub atime: f64,
    pub ctime: f64,
    pub inode: u64,
    pub device: u64,
    pub links: u64,
    /// Text of a symbolic link.
    pub link_target: Option<String>,
    /// Where a symbolic link leads in the end.
    pub real_path: Option<String>,
    pub readable: bool,
    pub writable: bool,
    pub executable: bool,
    /// Checksum in hexadecimal, if asked for and the file is regular and readable.
    pub checksum: Option<String>,
}

impl FileStatus {
    /// Tells whether there is anything at the path.
    pub fn exists(&self) -> bool {
        self.kind != FileKind::Absent
    }
}

/// Content of a file that was read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FileContent {
    pub path: String,
    pub exists: bool,
    /// Content in Base64, for files may hold any bytes.
    pub base64: String,
    /// Whether the file is longer than was asked for.
    #[serde(default)]
    pub truncated: bool,
}

/// What a write came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Written {
    pub status: FileStatus,
    /// Where the old file was kept.
    pub backup: Option<String>,
}

/// A file or directory of the controller's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ControllerFile {
    /// Absolute path.
    pub path: String,
    pub is_directory: bool,
    pub size_bytes: u64,
    pub mode: u32,
    pub mtime: f64,
    pub checksum: Option<String>,
    /// Whether its content begins as that of a vault does.
    pub is_vaulted: bool,
    /// For a directory: everything below it, parents first.
    pub entries: Vec<ControllerEntry>,
}

/// One entry below a controller's directory.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ControllerEntry {
    /// Path below the directory.
    pub path: String,
    pub kind: FileKind,
    pub size_bytes: u64,
    pub mode: u32,
    pub checksum: Option<String>,
    pub link_target: Option<String>,
    /// Whether its content begins as that of a vault does.
    pub is_vaulted: bool,
}

/// What a dialogue has printed so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Screen {
    /// Offset of the first byte in `text`, counted from the start of the dialogue.
    pub from: u64,
    /// Offset just past the last byte printed.
    pub to: u64,
    /// What was printed between, as text.
    pub text: String,
    /// For `Send`: whether it was typed.
    #[serde(default)]
    pub sent: bool,
    /// Set once the program ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<CommandOutput>,
    /// Set when nothing is known of the program any more: the connection was lost, or its host
    /// lost it.
    #[serde(default)]
    pub lost: bool,
    /// How a program was lost whose terminal its host held; empty where the connection was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lost_because: String,
    /// For `Adopt`: the line that was kept with the dialogue.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
