//! A folder with a user's files, and the program run in it with nothing of the real user's.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Ended;

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(40);

/// A user's folder, gone when it is dropped.
pub struct Site {
    folder: TempDir,
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// Makes an empty folder that only its owner can write to.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("sasrun-site-")
            .tempdir()
            .unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        let folder = path.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        // Whatever the mask of the user's shell is, only the owner writes here.
        for above in folder
            .ancestors()
            .take_while(|at| at.starts_with(self.folder()))
        {
            fs::set_permissions(above, Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        self
    }

    /// Writes a file that can be started.
    pub fn executable(&self, name: &str, text: &str) -> &Self {
        self.file(name, text);
        fs::set_permissions(self.path(name), Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Copies a file from elsewhere to here.
    pub fn copy(&self, from: &Path, name: &str) -> &Self {
        self.file(name, "");
        fs::copy(from, self.path(name))
            .unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        fs::set_permissions(self.path(name), Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Text of a file; empty when it is not there.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The program, to be run here with an environment of its own.
    pub fn command(&self) -> Command {
        self.command_of(&program())
    }

    /// Another copy of the program, to be run here.
    pub fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder())
            .env("USER", "tester")
            .env("SASRUN_STATE", self.path("state"))
            .current_dir(self.folder())
            .stdin(Stdio::null());
        command
    }

    /// Runs `sasrun` with arguments.
    pub fn sasrun(&self, arguments: &[&str]) -> Ended {
        let mut command = self.command();
        command.args(arguments);
        self.end(command, b"")
    }

    /// Runs `sasrun playbook`, with the events in `events.jsonl`.
    pub fn playbook(&self, arguments: &[&str]) -> Ended {
        let mut command = self.command();
        command.arg("playbook").args(arguments);
        command.args(["--events", "events.jsonl"]);
        self.end(command, b"")
    }

    /// Runs a command to its end, with this on its standard input.
    pub fn end(&self, mut command: Command, input: &[u8]) -> Ended {
        let stdout = self.path(".stdout");
        let stderr = self.path(".stderr");
        command.stdout(fs::File::create(&stdout).unwrap());
        command.stderr(fs::File::create(&stderr).unwrap());
        if !input.is_empty() {
            fs::write(self.path(".stdin"), input).unwrap();
            command.stdin(fs::File::open(self.path(".stdin")).unwrap());
        }
        let began = Instant::now();
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > LIMIT {
                child.kill().unwrap();
                child.wait().unwrap();
                let said = fs::read_to_string(&stdout).unwrap_or_default();
                panic!("{command:?} did not end within {LIMIT:?}; it said\n{said}");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Ended {
            code: status.code(),
            stdout: String::from_utf8_lossy(&fs::read(stdout).unwrap()).into_owned(),
            stderr: String::from_utf8_lossy(&fs::read(stderr).unwrap()).into_owned(),
            events: events(&self.read("events.jsonl")),
            took: began.elapsed(),
        }
    }
}

fn events(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The folder with what cargo built, such as `target/debug`.
pub fn target_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // The test lies in `deps` of that folder.
    test.parent().unwrap().parent().unwrap().to_owned()
}

/// The program under test.
pub fn program() -> PathBuf {
    let path = std::env::var_os("SASRUN_BIN")
        .map_or_else(|| target_folder().join("sasrun"), PathBuf::from);
    assert!(
        path.exists(),
        "{} is not there: cargo build -p sasrun, or set SASRUN_BIN",
        path.display()
    );
    path
}
