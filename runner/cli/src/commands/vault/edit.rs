//! Editing sealed files: the plain text is in a private folder only while the editor is open.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use sasrun_vault::Secret;

use super::place::{replace, write};
use super::{Usage, Vault, open};
use crate::args::{VaultCreate, VaultFiles};
use crate::output;

/// Edits files; what was not changed stays as it is.
pub(super) fn edit(vault: &Vault, arguments: &VaultFiles) -> anyhow::Result<()> {
    let ring = vault.opening(&arguments.vault)?;
    for file in &arguments.files {
        let opened = open(&ring, file)?;
        let edited = edited(vault, file, &opened.plain)?;
        let is_same_id = opened.named.as_deref().unwrap_or("default") == opened.secret.id;
        if edited != opened.plain || !is_same_id {
            replace(file, vault.seal(&edited, &opened.secret)?.as_bytes())?;
        }
    }
    Ok(())
}

/// Makes a new sealed file in the editor.
pub(super) fn create(vault: &Vault, arguments: &VaultCreate) -> anyhow::Result<()> {
    let [file] = arguments.files.as_slice() else {
        let message = "ansible-vault create can take only one filename argument";
        return Err(Usage(message.to_owned()).into());
    };
    if !output::is_terminal() && !arguments.skip_tty_check {
        return Err(Usage("not a tty, editor cannot be opened".to_owned()).into());
    }
    if file.exists() {
        bail!("{} exists, please use 'edit' instead", file.display());
    }
    let secret: Secret = vault.sealing(&arguments.sealing)?;
    let content = edited(vault, file, b"")?;
    write(file, vault.seal(&content, &secret)?.as_bytes())
}

fn edited(vault: &Vault, file: &Path, content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let folder = Private::make()?;
    let name = file.file_name().context("the file has no name")?;
    let path = folder.0.join(name);
    write(&path, content)?;
    let editor = vault
        .config
        .text("EDITOR", "defaults", "editor")
        .unwrap_or_else(|| "vi".to_owned());
    let words = shell_words::split(&editor).context("EDITOR cannot be read")?;
    let Some((program, arguments)) = words.split_first() else {
        bail!("EDITOR is empty");
    };
    let status = Command::new(program).args(arguments).arg(&path).status();
    let status = status.with_context(|| format!("Unable to run the editor ({editor})"))?;
    if !status.success() {
        bail!("the editor ({editor}) ended with {status}; nothing was changed");
    }
    Ok(std::fs::read(&path)?)
}

/// A folder that only its owner can enter, gone when dropped.
struct Private(PathBuf);

impl Private {
    fn make() -> anyhow::Result<Self> {
        let name = format!("sasrun-vault-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Nothing can be done about a folder that does not go.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
