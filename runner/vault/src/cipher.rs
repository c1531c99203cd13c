//! AES-256 in counter mode, authenticated with HMAC-SHA256; keys from PBKDF2.

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::VaultError;
use crate::hexadecimal::{decode, encode};

const ROUNDS: u32 = 10_000;
const KEY_BYTES: usize = 32;
const BLOCK_BYTES: usize = 16;
/// Length of a salt that we make.
pub(crate) const SALT_BYTES: usize = 32;

/// What a password and a salt give: key of the cipher, key of the authentication, first counter.
struct Keys(Zeroizing<[u8; KEY_BYTES * 2 + BLOCK_BYTES]>);

impl Keys {
    fn derive(password: &[u8], salt: &[u8]) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_BYTES * 2 + BLOCK_BYTES]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, ROUNDS, &mut *bytes);
        Self(bytes)
    }

    fn apply_cipher(&self, data: &mut [u8]) -> Result<(), VaultError> {
        let (keys, counter) = self.0.split_at(KEY_BYTES * 2);
        let (key, _) = keys.split_at(KEY_BYTES);
        Ctr128BE::<Aes256>::new_from_slices(key, counter)
            .map_err(|_| VaultError::Malformed("error: a key has the wrong length"))?
            .apply_keystream(data);
        Ok(())
    }

    fn authentication(&self, data: &[u8]) -> Result<Hmac<Sha256>, VaultError> {
        let (_, key) = self.0.split_at(KEY_BYTES);
        let (key, _) = key.split_at(KEY_BYTES);
        let mut code = Hmac::<Sha256>::new_from_slice(key)
            .map_err(|_| VaultError::Malformed("error: a key has the wrong length"))?;
        code.update(data);
        Ok(code)
    }
}

/// The body of an envelope: salt, authentication and data, as digits within digits.
pub(crate) fn encrypt(plain: &[u8], password: &[u8], salt: &[u8]) -> Result<String, VaultError> {
    let keys = Keys::derive(password, salt);
    let mut data = padded(plain);
    keys.apply_cipher(&mut data)?;
    let code = keys.authentication(&data)?.finalize().into_bytes();
    let parts = [encode(salt), encode(&code), encode(&data)].join("\n");
    Ok(encode(parts.as_bytes()))
}

/// What the body holds; none when the password is not the one.
pub(crate) fn decrypt(body: &[u8], password: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
    let parts = decode(body)?;
    let mut parts = parts.splitn(3, |byte| *byte == b'\n');
    let mut part = || -> Result<Vec<u8>, VaultError> {
        let digits = parts.next().ok_or(VaultError::Malformed(
            "error: salt, code and data are not three",
        ))?;
        decode(digits)
    };
    let (salt, code, mut data) = (part()?, part()?, part()?);
    let keys = Keys::derive(password, &salt);
    if keys.authentication(&data)?.verify_slice(&code).is_err() {
        return Ok(None);
    }
    keys.apply_cipher(&mut data)?;
    unpad(&mut data)?;
    Ok(Some(data))
}

/// Fills the last block; each byte added says how many were.
fn padded(plain: &[u8]) -> Vec<u8> {
    let missing = BLOCK_BYTES - plain.len() % BLOCK_BYTES;
    let mut data = plain.to_vec();
    data.resize(plain.len() + missing, u8::try_from(missing).unwrap_or(0));
    data
}

fn unpad(data: &mut Vec<u8>) -> Result<(), VaultError> {
    const WRONG: VaultError =
        VaultError::Malformed("error: the last block is not filled as it should be");
    let added = usize::from(*data.last().ok_or(WRONG)?);
    let kept = data.len().checked_sub(added).ok_or(WRONG)?;
    if added == 0 || added > BLOCK_BYTES {
        return Err(WRONG);
    }
    data.truncate(kept);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{decrypt, encrypt};

    #[test]
    fn what_was_sealed_comes_back() {
        for length in [0, 1, 15, 16, 17, 1000] {
            let plain = vec![7; length];
            let body = encrypt(&plain, b"secret", b"salty").unwrap();
            assert_eq!(decrypt(body.as_bytes(), b"secret").unwrap(), Some(plain));
        }
    }

    #[test]
    fn another_password_or_a_changed_byte_opens_nothing() {
        let body = encrypt(b"plain", b"secret", b"salty").unwrap();
        assert_eq!(decrypt(body.as_bytes(), b"other").unwrap(), None);
        // The last two digits stand for one digit of the data.
        let (rest, last) = body.split_at(body.len() - 2);
        let changed = format!("{rest}{}", if last == "30" { "31" } else { "30" });
        assert_eq!(decrypt(changed.as_bytes(), b"secret").unwrap(), None);
    }

    #[test]
    fn a_body_that_is_none_is_malformed() {
        for body in ["", "zz", "6", "3132", "31320a3334"] {
            assert!(decrypt(body.as_bytes(), b"secret").is_err(), "{body:?}");
        }
    }
}
