//! Bytes as hexadecimal digits and back.

use crate::VaultError;

/// Two lower-case digits for each byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The bytes of pairs of digits.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, VaultError> {
    const ODD: VaultError = VaultError::Malformed("unhexlify error: Odd-length string");
    const NO_DIGIT: VaultError =
        VaultError::Malformed("unhexlify error: Non-hexadecimal digit found");
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|n| u8::try_from(n).ok())
    };
    text.chunks(2)
        .map(|pair| match pair {
            [high, low] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => Ok(high << 4 | low),
                _ => Err(NO_DIGIT),
            },
            _ => Err(ODD),
        })
        .collect()
}
