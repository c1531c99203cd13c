//! The impure things templates may ask for. The caller answers, and may record what it answered.

use sasrun_model::Value;

use crate::page::{PageError, PageRequest};

/// Why the world gave no answer: a fragment in lower case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// Templates may not ask this here.
    #[error("{0} is not available here")]
    NotAvailable(&'static str),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
}

/// What stands at a path of the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathKind {
    /// A regular file, links followed.
    pub is_file: bool,
    /// A directory, links followed.
    pub is_directory: bool,
    /// The path itself is a symbolic link.
    pub is_link: bool,
    /// Another file system is mounted there.
    pub is_mount: bool,
}

/// What a command of the `pipe` and `lines` lookups gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandOutput {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// Every impure thing that templates may use, all of it on the controller.
pub trait World: Send + Sync {
    /// The time, in the local time zone.
    fn now(&self) -> jiff::Zoned;
    /// A number that nobody can guess, another one each time.
    fn random(&self) -> u64;
    /// A variable of the environment.
    fn env(&self, name: &str) -> Option<String>;
    /// A setting: of the environment, else of a section of `ansible.cfg`.
    fn setting(&self, variable: &str, section: &str, key: &str) -> Option<String> {
        let _ = (section, key);
        self.env(variable).filter(|text| !text.is_empty())
    }
    /// The content of a file.
    fn read_file(&self, path: &str) -> Result<Vec<u8>, WorldError>;
    /// Writes a file that only its owner may read (`password` lookup).
    fn write_private_file(&self, path: &str, content: &[u8]) -> Result<(), WorldError>;
    /// What stands at a path; None for nothing.
    fn path_kind(&self, path: &str) -> Option<PathKind>;
    /// The path with all links followed.
    fn real_path(&self, path: &str) -> Result<String, WorldError>;
    /// Paths that match a shell pattern, sorted.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, WorldError>;
    /// Runs a shell command.
    fn run_command(&self, command: &str) -> Result<CommandOutput, WorldError>;
    /// Fetches a page (`url` lookup).
    fn fetch(&self, page: &PageRequest) -> Result<Vec<u8>, PageError>;
    /// Reads YAML: all documents of a text.
    fn parse_yaml(&self, text: &str) -> Result<Vec<Value>, WorldError>;
    /// Whether a file is in a vault; reading it gives what the vault holds.
    fn is_sealed_file(&self, path: &str) -> Result<bool, WorldError> {
        Ok(self.read_file(path)?.starts_with(b"$ANSIBLE_VAULT;"))
    }
    /// Whether a text is what a vault held that was opened.
    fn was_sealed(&self, text: &str) -> bool {
        let _ = text;
        false
    }
}

/// A world in which nothing can be asked: time stands still, and every file is missing. For checking templates and for
/// tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClosedWorld;

impl World for ClosedWorld {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn random(&self) -> u64 {
        0
    }

    fn env(&self, _name: &str) -> Option<String> {
        None
    }

    fn read_file(&self, _path: &str) -> Result<Vec<u8>, WorldError> {
        Err(WorldError::NotAvailable("reading files"))
    }

    fn write_private_file(&self, _path: &str, _content: &[u8]) -> Result<(), WorldError> {
        Err(WorldError::NotAvailable("writing files"))
    }

    fn path_kind(&self, _path: &str) -> Option<PathKind> {
        None
    }

    fn real_path(&self, _path: &str) -> Result<String, WorldError> {
        Err(WorldError::NotAvailable("following links"))
    }

    fn glob(&self, _pattern: &str) -> Result<Vec<String>, WorldError> {
        Err(WorldError::NotAvailable("listing files"))
    }

    fn run_command(&self, _command: &str) -> Result<CommandOutput, WorldError> {
        Err(WorldError::NotAvailable("running commands"))
    }

    fn fetch(&self, _page: &PageRequest) -> Result<Vec<u8>, PageError> {
        Err(PageError::NotAvailable)
    }

    fn parse_yaml(&self, _text: &str) -> Result<Vec<Value>, WorldError> {
        Err(WorldError::NotAvailable("reading YAML"))
    }
}
