//! SSH keys of a lab: the operator's and one for every host.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rand::RngCore;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};

/// Makes a new key.
pub fn make(comment: &str) -> io::Result<PrivateKey> {
    let mut seed = [0_u8; 32];
    rand::rng().fill_bytes(&mut seed);
    let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
    PrivateKey::new(pair, comment).map_err(io::Error::other)
}

/// Writes a private key for its owner alone, and the public key beside it.
pub fn write(key: &PrivateKey, path: &Path) -> io::Result<()> {
    let text = key.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
    write_private(path, text.as_bytes())?;
    std::fs::write(path.with_extension("pub"), public_line(key)? + "\n")
}

/// The one-line form of a public key.
pub fn public_line(key: &PrivateKey) -> io::Result<String> {
    key.public_key().to_openssh().map_err(io::Error::other)
}

/// Reads a private key.
pub fn read(path: &Path) -> io::Result<PrivateKey> {
    PrivateKey::from_openssh(std::fs::read(path)?).map_err(io::Error::other)
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let _ = std::fs::remove_file(path);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_only_its_owner_can() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("operator");
        let key = make("lab").unwrap();
        write(&key, &path).unwrap();
        assert_eq!(read(&path).unwrap().public_key(), key.public_key());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(public_line(&key).unwrap().starts_with("ssh-ed25519 "));
        assert_ne!(make("lab").unwrap().public_key(), key.public_key());
    }
}
