//! Checksums of content that is known on this side.

use md5::{Digest as _, Md5};
use sha1::Sha1;

/// SHA-1 in hexadecimal, which results call `checksum`.
pub(crate) fn sha1(bytes: &[u8]) -> String {
    hexadecimal(&Sha1::digest(bytes))
}

/// MD5 in hexadecimal, which results call `md5sum`.
pub(crate) fn md5(bytes: &[u8]) -> String {
    hexadecimal(&Md5::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn digests_are_those_of_the_tools() {
        assert_eq!(
            super::sha1(b"hello"),
            "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
        );
        assert_eq!(super::md5(b"hello"), "5d41402abc4b2a76b9719d911017c592");
    }
}
