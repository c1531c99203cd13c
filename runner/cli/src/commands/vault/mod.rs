//! `sasrun vault`: seals, opens, shows and edits files as `ansible-vault` does.

mod edit;
mod place;
mod text;

use std::path::Path;

use anyhow::{Context, bail};
use sasrun_vault::{Keyring, Secret, is_sealed, seal};

use crate::args::{VaultAction, VaultArguments, VaultFiles, VaultRekey, VaultSealing};
use crate::config::Config;
use crate::vault::{Purpose, from_sources, keyring};
use crate::{exit_code, output};
use place::{read, replace, write};

/// A wish that cannot be met as it is written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Runs the command; gives the exit code.
pub(crate) fn run(action: &VaultAction) -> anyhow::Result<u8> {
    let vault = Vault {
        config: Config::load(),
    };
    output::tell_settings(action.verbosity(), &vault.config);
    let done = match action {
        VaultAction::View(arguments) => vault.view(arguments),
        VaultAction::Decrypt(arguments) => vault.decrypt(arguments),
        VaultAction::Encrypt(arguments) => vault.encrypt(arguments),
        VaultAction::EncryptString(arguments) => text::encrypt(&vault, arguments),
        VaultAction::Edit(arguments) => edit::edit(&vault, arguments),
        VaultAction::Create(arguments) => edit::create(&vault, arguments),
        VaultAction::Rekey(arguments) => vault.rekey(arguments),
    };
    let Err(error) = done else { return Ok(0) };
    output::error_line(&format!("[ERROR]: {error:#}"));
    Ok(if error.is::<Usage>() {
        exit_code::INPUT
    } else {
        exit_code::INTERNAL
    })
}

impl VaultAction {
    fn verbosity(&self) -> u8 {
        match self {
            VaultAction::View(arguments)
            | VaultAction::Decrypt(arguments)
            | VaultAction::Encrypt(arguments)
            | VaultAction::Edit(arguments) => arguments.verbose,
            VaultAction::EncryptString(arguments) => arguments.verbose,
            VaultAction::Create(arguments) => arguments.verbose,
            VaultAction::Rekey(arguments) => arguments.verbose,
        }
    }
}

/// What all actions start from.
struct Vault {
    config: Config,
}

impl Vault {
    fn opening(&self, arguments: &VaultArguments) -> anyhow::Result<Keyring> {
        keyring(arguments, &self.config, Purpose::Opening)
    }

    /// The secret to seal with: the one named, else the only one.
    fn sealing(&self, sealing: &VaultSealing) -> anyhow::Result<Secret> {
        let ring = keyring(&sealing.vault, &self.config, Purpose::Sealing)?;
        self.choose(&ring, sealing.encrypt_vault_id.as_deref())
    }

    fn choose(&self, ring: &Keyring, wanted: Option<&str>) -> anyhow::Result<Secret> {
        let setting = self.config.text(
            "ANSIBLE_VAULT_ENCRYPT_IDENTITY",
            "defaults",
            "vault_encrypt_identity",
        );
        let wanted = wanted.map(str::to_owned).or(setting);
        let ids: Vec<&str> = ring.secrets().iter().map(|secret| &*secret.id).collect();
        let Some(wanted) = wanted else {
            return match ring.secrets() {
                [only] => Ok(only.clone()),
                [] => bail!("A vault password is required"),
                _ => Err(Usage(format!(
                    "The vault-ids {} are available to encrypt. Specify the vault-id to \
                     encrypt with --encrypt-vault-id",
                    ids.join(",")
                ))
                .into()),
            };
        };
        let found = ring.secrets().iter().find(|secret| secret.id == wanted);
        found.cloned().with_context(|| {
            format!(
                "Did not find a match for --encrypt-vault-id={wanted} in the known vault-ids {ids:?}"
            )
            .replace('"', "'")
        })
    }

    fn seal(&self, plain: &[u8], secret: &Secret) -> anyhow::Result<String> {
        let salt = self.config.text(
            "ANSIBLE_VAULT_ENCRYPT_SALT",
            "defaults",
            "vault_encrypt_salt",
        );
        Ok(seal(plain, secret, salt.as_deref().map(str::as_bytes))?)
    }

    fn view(&self, arguments: &VaultFiles) -> anyhow::Result<()> {
        let ring = self.opening(&arguments.vault)?;
        for file in &arguments.files {
            let plain = open(&ring, file)?.plain;
            let text = String::from_utf8_lossy(&plain);
            output::line(text.strip_suffix('\n').unwrap_or(&text));
        }
        Ok(())
    }

    fn decrypt(&self, arguments: &VaultFiles) -> anyhow::Result<()> {
        let ring = self.opening(&arguments.vault)?;
        for file in arguments.inputs()? {
            let plain = open(&ring, file)?.plain;
            write(arguments.output.as_deref().unwrap_or(file), &plain)?;
        }
        said("Decryption successful");
        Ok(())
    }

    fn encrypt(&self, arguments: &VaultFiles) -> anyhow::Result<()> {
        let sealing = VaultSealing {
            vault: arguments.vault.clone(),
            encrypt_vault_id: arguments.encrypt_vault_id.clone(),
        };
        let secret = self.sealing(&sealing)?;
        for file in arguments.inputs()? {
            let plain = read(file)?;
            if is_sealed(&plain) {
                bail!("input is already encrypted");
            }
            let sealed = self.seal(&plain, &secret)?;
            let to = arguments.output.as_deref().unwrap_or(file);
            write(to, sealed.as_bytes())?;
        }
        said("Encryption successful");
        Ok(())
    }

    fn rekey(&self, arguments: &VaultRekey) -> anyhow::Result<()> {
        let ring = self.opening(&arguments.sealing.vault)?;
        let new_file = arguments.new_vault_password_file.as_ref();
        let new_file = new_file.map(|file| format!("default@{}", file.display()));
        let mut sources: Vec<String> = arguments.new_vault_id.iter().cloned().collect();
        sources.extend(new_file);
        if sources.is_empty() {
            sources.push("default@prompt_ask_vault_pass".to_owned());
        }
        let new = from_sources(&sources, &self.config, Purpose::Sealing)?;
        let secret = self.choose(&new, arguments.sealing.encrypt_vault_id.as_deref())?;
        for file in &arguments.files {
            let plain = open(&ring, file)?.plain;
            replace(file, self.seal(&plain, &secret)?.as_bytes())?;
        }
        said("Rekey successful");
        Ok(())
    }
}

impl VaultFiles {
    /// Files to work on: standard input when none is named.
    fn inputs(&self) -> anyhow::Result<Vec<&Path>> {
        if self.output.is_some() && self.files.len() > 1 {
            let message = "At most one input file may be used with the --output option";
            return Err(Usage(message.to_owned()).into());
        }
        if self.files.is_empty() {
            return Ok(vec![Path::new("-")]);
        }
        Ok(self.files.iter().map(AsRef::as_ref).collect())
    }
}

/// Opens a sealed file; says which it is when it cannot be.
fn open(ring: &Keyring, file: &Path) -> anyhow::Result<sasrun_vault::Opened> {
    let sealed = read(file)?;
    let opened = ring.open(&sealed);
    opened.map_err(|error| anyhow::anyhow!("{error} for {}", file.display()))
}

/// Tells a person that it is done; scripts see nothing.
fn said(text: &str) {
    if output::is_terminal() {
        output::error_line(text);
    }
}
