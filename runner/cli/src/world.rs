//! The controller as templates may ask about it.

use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use sasrun_load::{VaultDecrypt, VaultError};
use sasrun_model::Value;
use sasrun_template::{CommandOutput, PageError, PageRequest, PathKind, World, WorldError};

use crate::config::Config;
use crate::pages;

/// How a sealed file begins.
const SEALED: &str = "$ANSIBLE_VAULT;";

/// The controller's disk, clock, environment and shell.
pub(crate) struct Controller {
    vault: Arc<dyn VaultDecrypt>,
    config: Config,
}

fn failed(what: impl std::fmt::Display) -> WorldError {
    WorldError::Failed(what.to_string())
}

impl World for Controller {
    fn now(&self) -> jiff::Zoned {
        jiff::Zoned::now()
    }

    fn random(&self) -> u64 {
        rand::random()
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, WorldError> {
        let content = fs::read(path).map_err(|error| failed(error.to_string()))?;
        unsealed(content, &*self.vault).map_err(|error| failed(closed(Path::new(path), &error)))
    }

    fn write_private_file(&self, path: &str, content: &[u8]) -> Result<(), WorldError> {
        use std::io::Write;
        let write = || {
            if let Some(parent) = Path::new(path).parent() {
                use std::os::unix::fs::DirBuilderExt;
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(parent)?;
            }
            let mut options = fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(path)?;
            file.write_all(content)
        };
        write().map_err(|error: std::io::Error| failed(format!("{path}: {error}")))
    }

    fn path_kind(&self, path: &str) -> Option<PathKind> {
        let own = fs::symlink_metadata(path).ok()?;
        let followed = fs::metadata(path).ok();
        // As for `mountpoint`: the root of all is its own parent.
        let parent = fs::metadata(Path::new(path).join("..")).ok();
        Some(PathKind {
            is_file: followed.as_ref().is_some_and(fs::Metadata::is_file),
            is_directory: followed.as_ref().is_some_and(fs::Metadata::is_dir),
            is_link: own.is_symlink(),
            is_mount: !own.is_symlink()
                && parent
                    .is_some_and(|parent| parent.dev() != own.dev() || parent.ino() == own.ino()),
        })
    }

    fn real_path(&self, path: &str) -> Result<String, WorldError> {
        let real = fs::canonicalize(path).map_err(|error| failed(format!("{path}: {error}")))?;
        Ok(real.display().to_string())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, WorldError> {
        let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let glob = globset::Glob::new(name).map_err(failed)?.compile_matcher();
        let Ok(entries) = fs::read_dir(folder) else {
            return Ok(Vec::new());
        };
        let mut found: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| glob.is_match(entry.file_name()))
            .filter_map(|entry| std::path::absolute(entry.path()).ok())
            .map(|path| path.display().to_string())
            .collect();
        found.sort();
        Ok(found)
    }

    fn run_command(&self, command: &str) -> Result<CommandOutput, WorldError> {
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(command)
            .output();
        let output = output.map_err(failed)?;
        Ok(CommandOutput {
            code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }

    fn setting(&self, variable: &str, section: &str, key: &str) -> Option<String> {
        self.config.text(variable, section, key)
    }

    fn fetch(&self, page: &PageRequest) -> Result<Vec<u8>, PageError> {
        pages::fetch(page)
    }

    fn parse_yaml(&self, text: &str) -> Result<Vec<Value>, WorldError> {
        sasrun_load::parse_data(text).map_err(failed)
    }

    fn is_sealed_file(&self, path: &str) -> Result<bool, WorldError> {
        let content = fs::read(path).map_err(|error| failed(format!("{path}: {error}")))?;
        Ok(content.starts_with(SEALED.as_bytes()))
    }

    fn was_sealed(&self, text: &str) -> bool {
        self.vault.has_held(text.as_bytes())
    }
}

/// What a file holds, opened if it is encrypted.
pub(crate) fn unsealed(content: Vec<u8>, vault: &dyn VaultDecrypt) -> Result<Vec<u8>, VaultError> {
    match std::str::from_utf8(&content) {
        Ok(text) if text.starts_with(SEALED) => vault.decrypt(text),
        _ => Ok(content),
    }
}

/// Why a file stays closed; without a password in the words that Ansible says it with.
pub(crate) fn closed(path: &Path, error: &VaultError) -> String {
    let path = path.display();
    match error {
        VaultError::NoSecret => {
            format!("A vault password or secret must be specified to decrypt {path}")
        }
        error => format!("{path}: {error}"),
    }
}

/// The controller, shared.
pub(crate) fn controller(vault: Arc<dyn VaultDecrypt>, config: Config) -> Arc<dyn World> {
    Arc::new(Controller { vault, config })
}
