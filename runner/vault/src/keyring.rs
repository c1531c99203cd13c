//! Secrets by id: which of them opens an envelope.

use std::fmt;

use zeroize::Zeroizing;

use crate::VaultError;
use crate::cipher::{SALT_BYTES, decrypt, encrypt};
use crate::envelope::{self, Envelope};

/// Id of a secret that was given none.
pub const DEFAULT_ID: &str = "default";

/// A password that nothing shows, and that is wiped when it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Takes a password.
    ///
    /// # Errors
    /// It is empty.
    pub fn new(bytes: Vec<u8>) -> Result<Self, VaultError> {
        if bytes.is_empty() {
            return Err(VaultError::EmptyPassword);
        }
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

/// A password and the id it goes by.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The id, [`DEFAULT_ID`] for none.
    pub id: String,
    /// The password.
    pub password: Password,
}

/// An envelope's content.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What it held.
    pub plain: Vec<u8>,
    /// Id that the envelope named.
    pub named: Option<String>,
    /// The secret that opened it.
    pub secret: Secret,
}

/// All secrets of a run, in the order they were given.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    secrets: Vec<Secret>,
    only_named: bool,
}

impl Keyring {
    /// Makes a keyring. With `only_named` an envelope that names an id is opened by secrets of
    /// that id alone.
    pub fn new(only_named: bool) -> Self {
        Self {
            secrets: Vec::new(),
            only_named,
        }
    }

    /// Adds a secret.
    pub fn add(&mut self, secret: Secret) {
        self.secrets.push(secret);
    }

    /// The secrets, in order.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// Opens an envelope with the first secret that fits; those of the id it names come first.
    ///
    /// # Errors
    /// There is no secret, none fits, or the envelope is damaged.
    pub fn open(&self, data: &[u8]) -> Result<Opened, VaultError> {
        let envelope = Envelope::parse(data)?;
        if self.secrets.is_empty() {
            return Err(VaultError::NoSecret);
        }
        let named = envelope.id.as_deref().unwrap_or(DEFAULT_ID);
        let (of_id, others): (Vec<_>, Vec<_>) =
            self.secrets.iter().partition(|secret| secret.id == named);
        let others = others.into_iter().filter(|_| !self.only_named);
        for secret in of_id.into_iter().chain(others) {
            if let Some(plain) = decrypt(envelope.body.as_bytes(), &secret.password.0)? {
                return Ok(Opened {
                    plain,
                    named: envelope.id,
                    secret: secret.clone(),
                });
            }
        }
        Err(VaultError::WrongSecret)
    }
}

/// Seals data. The salt is random where none is given; the envelope names the secret's id unless
/// it is the default.
///
/// # Errors
/// Only where a key cannot be made.
pub fn seal(plain: &[u8], secret: &Secret, salt: Option<&[u8]>) -> Result<String, VaultError> {
    let random: [u8; SALT_BYTES] = rand::random();
    let body = encrypt(plain, &secret.password.0, salt.unwrap_or(&random))?;
    let id = Some(secret.id.as_str()).filter(|id| *id != DEFAULT_ID);
    Ok(envelope::write(&body, id))
}

#[cfg(test)]
mod tests {
    use super::{Keyring, Password, Secret, seal};
    use crate::VaultError;

    fn secret(id: &str, password: &str) -> Secret {
        Secret {
            id: id.to_owned(),
            password: Password::new(password.into()).unwrap(),
        }
    }

    fn ring(only_named: bool, secrets: &[Secret]) -> Keyring {
        let mut ring = Keyring::new(only_named);
        secrets.iter().cloned().for_each(|secret| ring.add(secret));
        ring
    }

    /// Written by ansible-vault 2.19 with the password `test-vault-password`.
    const FOREIGN: &str = include_str!("../tests/from-ansible-vault.txt");

    #[test]
    fn an_envelope_of_ansible_vault_opens() {
        let opened = ring(false, &[secret("default", "test-vault-password")])
            .open(FOREIGN.as_bytes())
            .unwrap();
        assert_eq!(opened.plain, b"a secret of the house\n");
    }

    #[test]
    fn any_secret_opens_unless_ids_must_match() {
        let sealed = seal(b"x", &secret("dev", "right"), None).unwrap();
        let cases: &[(bool, &[Secret], Result<(), VaultError>)] = &[
            (false, &[], Err(VaultError::NoSecret)),
            (
                false,
                &[secret("dev", "wrong")],
                Err(VaultError::WrongSecret),
            ),
            (false, &[secret("a", "wrong"), secret("b", "right")], Ok(())),
            (true, &[secret("b", "right")], Err(VaultError::WrongSecret)),
            (
                true,
                &[secret("dev", "wrong"), secret("dev", "right")],
                Ok(()),
            ),
        ];
        for (only_named, secrets, expected) in cases {
            let got = ring(*only_named, secrets).open(sealed.as_bytes());
            assert_eq!(got.map(|_| ()), *expected, "{secrets:?}");
        }
    }

    #[test]
    fn the_default_id_is_not_named() {
        let salt = Some(b"salty".as_slice());
        let plain = seal(b"x", &secret("default", "p"), salt).unwrap();
        assert!(plain.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
        let named = seal(b"x", &secret("dev", "p"), salt).unwrap();
        assert!(named.starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
        assert_eq!(plain.lines().nth(1), named.lines().nth(1));
    }

    #[test]
    fn an_empty_password_is_refused() {
        assert_eq!(
            Password::new(Vec::new()).unwrap_err(),
            VaultError::EmptyPassword
        );
    }
}
