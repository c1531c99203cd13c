//! The envelope around encrypted data: a line that says what it is, and digits in lines of 80.

use crate::VaultError;

const MARK: &str = "$ANSIBLE_VAULT";
const CIPHER: &str = "AES256";
const LINE_DIGITS: usize = 80;

/// Whether data begins as an envelope does.
pub fn is_sealed(data: &[u8]) -> bool {
    data.starts_with(MARK.as_bytes())
}

/// An envelope, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Id of the secret that sealed it, where it says so.
    pub id: Option<String>,
    /// Digits, in one line.
    pub(crate) body: String,
}

impl Envelope {
    /// Takes an envelope apart.
    ///
    /// # Errors
    /// It is none, or its cipher is not known.
    pub fn parse(data: &[u8]) -> Result<Self, VaultError> {
        if !is_sealed(data) {
            return Err(VaultError::NotSealed);
        }
        let text = std::str::from_utf8(data)
            .map_err(|_| VaultError::Malformed("error: the envelope is not text"))?;
        let mut lines = text.lines().map(str::trim);
        let mut header = lines.next().unwrap_or_default().split(';');
        let (_, version, cipher) = (header.next(), header.next(), header.next());
        let version = version.ok_or(VaultError::Malformed(
            "error: the first line names no version",
        ))?;
        match cipher.map(str::trim) {
            Some(CIPHER) => {}
            Some(other) => return Err(VaultError::UnknownCipher(other.to_owned())),
            None => {
                return Err(VaultError::Malformed(
                    "error: the first line names no cipher",
                ));
            }
        }
        let id = header
            .next()
            .filter(|_| version.trim() == "1.2")
            .map(|id| id.trim().to_owned());
        Ok(Self {
            id,
            body: lines.collect(),
        })
    }
}

/// Writes an envelope, with a newline at its end. Only ids other than the default are named.
pub(crate) fn write(body: &str, id: Option<&str>) -> String {
    let mut text = match id {
        Some(id) => format!("{MARK};1.2;{CIPHER};{id}\n"),
        None => format!("{MARK};1.1;{CIPHER}\n"),
    };
    let mut rest = body;
    while !rest.is_empty() {
        let (line, others) = rest.split_at_checked(LINE_DIGITS).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = others;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Envelope, write};
    use crate::VaultError;

    #[test]
    fn an_envelope_is_read_as_written() {
        let body = "0123456789abcdef".repeat(11);
        for id in [None, Some("dev")] {
            let text = write(&body, id);
            assert!(text.lines().all(|line| line.len() <= 80));
            let envelope = Envelope::parse(text.as_bytes()).unwrap();
            assert_eq!((envelope.id.as_deref(), &envelope.body), (id, &body));
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let cases = [
            ("plain", VaultError::NotSealed),
            (
                "$ANSIBLE_VAULT;1.1;AES",
                VaultError::UnknownCipher("AES".into()),
            ),
            (
                "$ANSIBLE_VAULT;1.1",
                VaultError::Malformed("error: the first line names no cipher"),
            ),
        ];
        for (text, why) in cases {
            assert_eq!(Envelope::parse(text.as_bytes()).unwrap_err(), why);
        }
    }
}
