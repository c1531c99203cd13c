//! Where vault passwords come from: files, scripts, prompts; and the loader's way to open values.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use sasrun_load::{VaultDecrypt, VaultError};
use sasrun_vault::{DEFAULT_ID, Keyring, Password, Secret, is_sealed};

use crate::args::VaultArguments;
use crate::config::{Config, expand_home};
use crate::console::read_line;
use crate::output;

/// Source of a password that a person types.
const PROMPT: &str = "prompt";
/// The same, asked for by `--ask-vault-pass`, which never names the id.
const PLAIN_PROMPT: &str = "prompt_ask_vault_pass";

/// What a keyring is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Opening what may be sealed: nothing is asked for unless wished.
    Reading,
    /// Opening what is sealed: without another source the password is asked for.
    Opening,
    /// Sealing: a typed password is asked for twice.
    Sealing,
}

/// Collects the secrets that flags and settings name. A source that cannot be read is reported
/// and left out; it is an error when none is left.
pub(crate) fn keyring(
    arguments: &VaultArguments,
    config: &Config,
    purpose: Purpose,
) -> anyhow::Result<Keyring> {
    let mut sources = config.list(
        "ANSIBLE_VAULT_IDENTITY_LIST",
        "defaults",
        "vault_identity_list",
    );
    sources.extend(arguments.vault_id.iter().cloned());
    let default = config.path(
        "ANSIBLE_VAULT_PASSWORD_FILE",
        "defaults",
        "vault_password_file",
    );
    let files = arguments.vault_password_file.iter().chain(&default);
    sources.extend(files.map(|file| format!("{DEFAULT_ID}@{}", file.display())));
    if arguments.ask_vault_pass || (sources.is_empty() && purpose != Purpose::Reading) {
        sources.push(format!("{DEFAULT_ID}@{PLAIN_PROMPT}"));
    }
    from_sources(&sources, config, purpose)
}

/// Collects the secrets of sources `id@source`.
pub(crate) fn from_sources(
    sources: &[String],
    config: &Config,
    purpose: Purpose,
) -> anyhow::Result<Keyring> {
    let only_named = config.flag("ANSIBLE_VAULT_ID_MATCH", "defaults", "vault_id_match");
    let mut ring = Keyring::new(only_named.unwrap_or(false));
    let mut last_error = None;
    for source in sources {
        let (id, source) = match source.split_once('@') {
            Some((id, source)) => (Some(id).filter(|id| !id.is_empty()), source),
            None => (None, source.as_str()),
        };
        match password(id, source, &ring, purpose) {
            Ok(password) => ring.add(Secret {
                id: id.unwrap_or(DEFAULT_ID).to_owned(),
                password,
            }),
            Err(error) if matches!(source, PROMPT | PLAIN_PROMPT) => return Err(error),
            Err(error) => {
                let what = if expand_home(source).exists() {
                    "Error in vault password file loading"
                } else {
                    "Error getting vault password file"
                };
                let id = id.unwrap_or("None");
                output::error_line(&format!("[WARNING]: {what} ({id}): {error:#}"));
                last_error = Some(error);
            }
        }
    }
    match last_error {
        Some(error) if ring.secrets().is_empty() => Err(error),
        _ => Ok(ring),
    }
}

fn password(
    id: Option<&str>,
    source: &str,
    ring: &Keyring,
    purpose: Purpose,
) -> anyhow::Result<Password> {
    let bytes = match source {
        PROMPT | PLAIN_PROMPT => typed(id, source, purpose)?,
        file => read(id, &expand_home(file), ring)?,
    };
    Ok(Password::new(bytes)?)
}

fn typed(id: Option<&str>, source: &str, purpose: Purpose) -> anyhow::Result<Vec<u8>> {
    let of = match source {
        PROMPT => format!(" ({})", id.unwrap_or(DEFAULT_ID)),
        _ => String::new(),
    };
    let ask = |prompt: &str| read_line(prompt, false).context("no vault password was typed");
    if purpose != Purpose::Sealing {
        return Ok(ask(&format!("Vault password{of}: "))?.into_bytes());
    }
    let first = ask(&format!("New Vault password{of}: "))?;
    if ask(&format!("Confirm New Vault password{of}: "))? != first {
        bail!("Passwords do not match");
    }
    Ok(first.into_bytes())
}

/// What a file holds or a script prints. A file may itself be sealed with an earlier secret.
fn read(id: Option<&str>, path: &Path, ring: &Keyring) -> anyhow::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)
        .with_context(|| format!("The vault password file {} was not found", path.display()))?;
    if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
        return printed(id, path);
    }
    let content = std::fs::read(path)
        .with_context(|| format!("Could not read vault password file {}", path.display()))?;
    let content = content.trim_ascii();
    let plain = if is_sealed(content) {
        ring.open(content)?.plain
    } else {
        content.to_vec()
    };
    Ok(without_line_end(plain))
}

/// Runs a script for a password. One whose name ends with `-client` is told the id.
fn printed(id: Option<&str>, script: &Path) -> anyhow::Result<Vec<u8>> {
    let absolute = std::path::absolute(script)?;
    let mut command = Command::new(&absolute);
    let stem = script.file_stem().unwrap_or_default().to_string_lossy();
    let is_client = stem.ends_with("-client");
    if is_client {
        command.arg("--vault-id").arg(id.unwrap_or(DEFAULT_ID));
    }
    let shown = absolute.display();
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("Problem running vault password script {shown}"))?;
    match output.status.code() {
        Some(0) => Ok(without_line_end(output.stdout)),
        Some(2) if is_client => bail!(
            "Vault password client script {shown} did not find a secret for vault-id={}",
            id.unwrap_or(DEFAULT_ID)
        ),
        code => bail!(
            "Vault password script {shown} returned non-zero ({})",
            code.unwrap_or(-1)
        ),
    }
}

fn without_line_end(mut bytes: Vec<u8>) -> Vec<u8> {
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    bytes
}

/// Opens values for the loader, and remembers what they held.
pub(crate) struct Unsealing {
    keyring: Keyring,
    held: Mutex<HashSet<Vec<u8>>>,
}

impl Unsealing {
    pub(crate) fn new(keyring: Keyring) -> Self {
        Self {
            keyring,
            held: Mutex::default(),
        }
    }
}

impl VaultDecrypt for Unsealing {
    fn decrypt(&self, envelope: &str) -> Result<Vec<u8>, VaultError> {
        let opened = self.keyring.open(envelope.trim().as_bytes());
        opened
            .map(|opened| {
                let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                held.insert(opened.plain.clone());
                opened.plain
            })
            .map_err(|error| match error {
                sasrun_vault::VaultError::NoSecret => VaultError::NoSecret,
                sasrun_vault::VaultError::WrongSecret => VaultError::WrongSecret,
                other => VaultError::Malformed {
                    detail: other.to_string(),
                },
            })
    }

    fn has_held(&self, content: &[u8]) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        !content.is_empty() && held.contains(content)
    }
}
