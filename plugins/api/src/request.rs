//! What a module may ask of the engine. Data only: how a request is carried out is the engine's
//! and the connection's business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Object;
use crate::outcome::Diff;

/// One request of a conversation. The engine answers each with one [`crate::Answer`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask")]
#[non_exhaustive]
pub enum Request {
    /// Independent reads, carried out in one round trip where the host allows it. Always answered,
    /// in check mode too. Answer: `Reads`, one for each, in order.
    Read { reads: Vec<Read> },
    /// A command that counts against something on the host, such as a logon. Refused in check
    /// mode (the task then ends as *cannot know*). Answer: `Command`.
    Attempt { command: Command },
    /// Says what the first change will be. In check mode the engine ends the conversation here
    /// with *would change*. Answer: `Done`.
    Declare { declaration: Declaration },
    /// Says that whether there is a change cannot be known without making it. In check mode the
    /// engine ends the conversation here with *cannot know*. Answer: `Done`.
    CannotKnow { reason: String },
    /// Changes, carried out in order; the first that fails ends the list. Only after `Declare` or
    /// `CannotKnow`. Answer: `Changes`, one for each that was begun.
    Change { changes: Vec<Change> },
    /// Something of the controller's: files beside the playbook, templates, expressions, prompts.
    Controller { request: ControllerRequest },
    /// One step of a dialogue with a program on a terminal of its own. Opening one needs
    /// `Declare` or `CannotKnow` before. Answer: `Screen`.
    Dialogue { request: DialogueRequest },
    /// Something about the jobs of the host: commands that outlive the connection. Stopping and
    /// removing need `Declare` before. Answer: `Jobs`.
    Job { request: JobRequest },
    /// Lets time pass. Answer: `Done`.
    Sleep { milliseconds: u64 },
    /// Shows a line of progress beside the running task. Answer: `Done`.
    Progress { line: String },
    /// Registers values that no output may ever show. Must come before any answer or outcome that
    /// could carry them. Answer: `Done`.
    Secrets { values: Vec<String> },
}

/// One read of the host; it must not change anything there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "read")]
#[non_exhaustive]
pub enum Read {
    /// Runs a command that only reads. Answer: `Command`.
    Command(Command),
    /// Looks at a file. Answer: `Stat`.
    Stat(Stat),
    /// Tells what kind of file a path leads to, links followed, and nothing more: cheaper than
    /// `Stat`, for the host starts no program. A link that leads nowhere is a link. Answer: `Stat`.
    Kind { path: String },
    /// Reads a file whole, up to `max_bytes`. Answer: `File`.
    File {
        path: String,
        max_bytes: u64,
        /// Keeps the content out of every log; its values are for the module alone.
        #[serde(default)]
        sensitive: bool,
    },
}

/// Where a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On the task's host, as the task's user.
    #[default]
    Target,
    /// On the controller, as the user who runs sasrun.
    Controller,
}

/// A command for `/bin/sh`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Command {
    /// Text for the shell. Quote arguments with [`crate::Host::quote`].
    pub script: String,
    /// Text given on standard input; without it the input is empty. Never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// Directory to start in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Variables added to the environment of the task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Limit of this command alone, in milliseconds; the task's own limit holds besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Limit of silence: no output for so many milliseconds ends the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_ms: Option<u64>,
    /// Where it runs.
    #[serde(default)]
    pub place: Place,
    /// Keeps the output out of every log and event; it is for the module alone.
    #[serde(default)]
    pub sensitive: bool,
    /// Executable that reads the script instead of `/bin/sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// Whether it runs as a job of the host's, which outlives the connection. For changes on the
    /// target only.
    #[serde(default, skip_serializing_if = "JobWish::is_never")]
    pub job: JobWish,
    /// Account that must not be in use: shells of it that the run keeps open are ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frees_account: Option<String>,
}

/// Whether a command runs as a job: in a session of its own on the host, with its output in files,
/// begun once whatever happens to the connection or the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobWish {
    /// It is a small help on the way.
    #[default]
    Never,
    /// It is the task's own work: a job where the task asks for one (`async`, `job`).
    OnRequest,
    /// It is expected to be long.
    Always,
}

impl JobWish {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_never(&self) -> bool {
        *self == JobWish::Never
    }
}

/// Something about the jobs of a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "job")]
#[non_exhaustive]
pub enum JobRequest {
    /// How a job stands, and what came of it when it has ended. Answer: one job.
    Status { id: String },
    /// All jobs that the task's user may see.
    List,
    /// A job's output from these offsets on, after waiting up to `wait_ms` for more. Answer: one
    /// job.
    Read {
        id: String,
        stdout_from: u64,
        stderr_from: u64,
        wait_ms: u64,
    },
    /// Ends a job with all that it started. Answer: one job, as it stands then.
    Stop { id: String },
    /// Removes what an ended job left on the host. Answer: one job, as it stands then.
    Remove { id: String },
}

/// A look at one file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stat {
    pub path: String,
    /// Follows a symbolic link at the end of the path.
    #[serde(default)]
    pub follow: bool,
    /// Algorithm of the checksum wanted of a regular file: `md5`, `sha1`, `sha224`, `sha256`,
    /// `sha384` or `sha512`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// What will change, said before it does.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Declaration {
    /// What will be done, in a few words.
    pub summary: String,
    /// Differences, where they can be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<Diff>,
    /// Result fields that are known already; they are the task's result in check mode.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub result: Object,
}

/// One change of the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
#[non_exhaustive]
pub enum Change {
    /// Runs a command. Answer: `Command`.
    Command(Command),
    /// Writes a file by way of a temporary one beside it and a rename. Answer: `Written`.
    Write(WriteFile),
    /// Writes many files and directories in one stream. Answer: `Written`.
    Tree(WriteTree),
    /// Copies a file of the host to the controller. Answer: `Written`.
    Fetch {
        path: String,
        controller_path: String,
    },
    /// Writes a file on the controller. Answer: `Written`.
    WriteController { path: String, content: Content },
}

/// Content of a file, by value or by the name of a file on the controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(String),
    Base64(String),
    /// Absolute path on the controller, as a [`ControllerRequest::File`] answered it.
    ControllerFile(String),
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteFile {
    pub path: String,
    pub content: Content,
    /// Permission bits, such as `0o644`; none keeps those of the file that was there, or the
    /// umask's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Keeps a copy of the old file beside it and answers its path.
    #[serde(default)]
    pub backup: bool,
    /// Command that must succeed on the temporary file first; `%s` stands for its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<String>,
    /// Writes in place when the rename is impossible, such as on a bind-mounted file.
    #[serde(default)]
    pub unsafe_writes: bool,
}

/// A tree to be written below one directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteTree {
    pub directory: String,
    pub entries: Vec<TreeEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// One entry of a [`WriteTree`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreeEntry {
    /// Path below the tree's directory.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    #[serde(flatten)]
    pub kind: TreeEntryKind,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum TreeEntryKind {
    Directory,
    File { content: Content },
    Link { target: String },
}

/// Something of the controller's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "controller")]
#[non_exhaustive]
pub enum ControllerRequest {
    /// Finds a file as Ansible searches (role, play directory) and describes it; directories come
    /// with everything below them. Answer: `ControllerFile`.
    File {
        name: String,
        search: SearchIn,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checksum: Option<String>,
        /// Describes what links below a directory lead to, not the links; those that lead nowhere,
        /// or to a directory that they lie in, stay links.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        follow_links: bool,
    },
    /// Reads a file by its absolute path, opened if it is in a vault. Answer: `Value`: its bytes in
    /// Base64.
    Open { path: String },
    /// Renders a template file in the task's scope. Answer: `Value` with the text.
    RenderFile {
        name: String,
        #[serde(default)]
        options: Object,
        #[serde(default)]
        variables: Object,
    },
    /// Renders template text of the user's. Answer: `Value`.
    Render { text: String },
    /// Evaluates an expression in the task's scope, such as a condition. Answer: `Value`, or
    /// `Failed` with the reason.
    Evaluate { expression: String },
    /// Loads variables from files. Answer: `Value` with an object `{variables, files}`.
    LoadVariables { options: Object },
    /// Asks a person, or waits so long for one. Answer: `Value`: the text typed.
    Prompt {
        text: String,
        echo: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
    },
    /// The recorded answer of a manual gate, by its id. Answer: `Value`: the answer, or null.
    Gate { id: String, text: String },
}

/// Folder in which a controller's file is looked for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchIn {
    Files,
    Templates,
    Vars,
    Tasks,
}

/// One step of a dialogue. A conversation holds at most one dialogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "dialogue")]
#[non_exhaustive]
pub enum DialogueRequest {
    /// Starts the command on a terminal of `columns` by `rows`. As a job (`command.job`) the host
    /// holds the terminal where it can: the program then goes on without the connection.
    Open {
        command: Command,
        columns: u16,
        rows: u16,
        /// A line that is kept with a dialogue that runs as a job, for `Adopt`.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Goes on with the dialogue that this very step began, as a job, before its run was cut off.
    /// What was answered then is not typed again: the screen is shown as it came, and sending the
    /// same once more only counts. Refused as `absent` when there is none.
    Adopt,
    /// Waits until there is output past `since` (a byte offset), the program ended, or
    /// `wait_ms` passed.
    Read { since: u64, wait_ms: u64 },
    /// Types `text` if nothing was printed past `if_at`; otherwise types nothing and answers the
    /// screen as it is.
    Send {
        text: String,
        if_at: u64,
        #[serde(default)]
        sensitive: bool,
    },
    /// Sends an interrupt, as Ctrl-C would.
    Interrupt,
    /// Ends the dialogue and what runs in it.
    Close,
}
