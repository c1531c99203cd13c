//! Flags of `sasrun vault`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::VaultArguments;

/// What `sasrun vault` does, named as ansible-vault's actions.
#[derive(Debug, Subcommand)]
pub(crate) enum VaultAction {
    /// Makes a new sealed file in the editor.
    Create(VaultCreate),
    /// Opens files for good.
    Decrypt(VaultFiles),
    /// Opens files in the editor and seals them again.
    Edit(VaultFiles),
    /// Shows what sealed files hold.
    View(VaultFiles),
    /// Seals files.
    Encrypt(VaultFiles),
    /// Seals values, to be pasted into a file of variables.
    #[command(name = "encrypt_string", visible_alias = "encrypt-string")]
    EncryptString(VaultText),
    /// Seals files with another password.
    Rekey(VaultRekey),
}

/// Files to open or seal.
#[derive(Debug, Args)]
pub(crate) struct VaultFiles {
    /// Files; none means standard input.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub vault: VaultArguments,

    /// Id of the secret to seal with, where there are several.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,

    /// Writes to this file, or with `-` to standard output.
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub output: Option<PathBuf>,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// With which secret to seal.
#[derive(Debug, Args)]
pub(crate) struct VaultSealing {
    #[command(flatten)]
    pub vault: VaultArguments,

    /// Id of the secret to seal with, where there are several.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
}

/// A file to make.
#[derive(Debug, Args)]
pub(crate) struct VaultCreate {
    /// The file.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub sealing: VaultSealing,

    /// Opens the editor where there is no terminal too.
    #[arg(long)]
    pub skip_tty_check: bool,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Values to seal.
#[derive(Debug, Args)]
pub(crate) struct VaultText {
    /// Values; `-` or none means standard input.
    #[arg(value_name = "TEXT")]
    pub strings: Vec<String>,

    #[command(flatten)]
    pub sealing: VaultSealing,

    /// Name of the variable; once for each value.
    #[arg(short = 'n', long = "name", value_name = "NAME")]
    pub names: Vec<String>,

    /// Name of the variable that standard input holds.
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,

    /// Asks for the value.
    #[arg(short, long)]
    pub prompt: bool,

    /// Shows what is typed.
    #[arg(long)]
    pub show_input: bool,

    /// Writes to this file.
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub output: Option<PathBuf>,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Files to seal anew.
#[derive(Debug, Args)]
pub(crate) struct VaultRekey {
    /// The files.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub sealing: VaultSealing,

    /// File with the new password.
    #[arg(long, value_name = "FILE")]
    pub new_vault_password_file: Option<PathBuf>,

    /// Id and file of the new password.
    #[arg(long, value_name = "ID", conflicts_with = "new_vault_password_file")]
    pub new_vault_id: Option<String>,

    /// Says more.
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}
