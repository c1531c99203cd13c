//! Encrypted files and values in the form that `ansible-vault` writes.
//!
//! Knows bytes and passwords only: where a password comes from, and what a file is for, is not its
//! business. [`Keyring`] opens envelopes, [`seal`] makes them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cipher;
mod envelope;
mod hexadecimal;
mod keyring;

pub use envelope::{Envelope, is_sealed};
pub use keyring::{DEFAULT_ID, Keyring, Opened, Password, Secret, seal};

/// Why an envelope cannot be opened or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no password at all.
    #[error("Attempting to decrypt but no vault secrets found.")]
    NoSecret,
    /// No password fits.
    #[error("Decryption failed (no vault secrets were found that could decrypt).")]
    WrongSecret,
    /// The data does not begin as an envelope does.
    #[error("Input is not vault encrypted data.")]
    NotSealed,
    /// The data begins as an envelope does, and is none.
    #[error("Vault format {0}")]
    Malformed(&'static str),
    /// The envelope names a cipher that there is not.
    #[error("Cipher '{0}' could not be found.")]
    UnknownCipher(String),
    /// A password is empty.
    #[error("Invalid vault password was provided: it is empty")]
    EmptyPassword,
}
