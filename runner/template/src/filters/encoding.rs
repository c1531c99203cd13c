//! Filters that encode and hash.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use uuid::Uuid;

use super::codecs::Encoding;
use super::{Filter, crypt, filter};
use crate::eval::Call;
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("b64decode", &["encoding", "urlsafe"], decode_base64),
    filter("b64encode", &["encoding", "urlsafe"], encode_base64),
    filter("checksum", &[], |call| hashed(call, "sha1")),
    filter("hash", &["hashtype"], |call| {
        hashed(call, &call.text_or(0, "sha1")?)
    }),
    filter("md5", &[], |call| hashed(call, "md5")),
    filter(
        "password_hash",
        &["hashtype", "salt", "salt_size", "rounds", "ident"],
        crypt::password_hash,
    ),
    filter("sha1", &[], |call| hashed(call, "sha1")),
    filter("to_uuid", &["namespace"], to_uuid),
];

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
    .with_decode_allow_trailing_bits(true);

fn engine(call: &Call<'_>) -> Eval<GeneralPurpose> {
    let alphabet = if call.flag(1, false)? {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    Ok(GeneralPurpose::new(alphabet, LENIENT))
}

/// The encoding that the filter is told.
fn encoding(call: &Call<'_>) -> Eval<(String, Encoding)> {
    let name = call.text_or(0, "utf-8")?;
    match Encoding::named(&name) {
        Some(encoding) => Ok((name, encoding)),
        None => Err(call.fail(format!("encoding '{name}' is not known"))),
    }
}

fn encode_base64(call: &Call<'_>) -> Eval {
    let (name, encoding) = encoding(call)?;
    let bytes = encoding.encode(&call.subject_text()?);
    let bytes = bytes.ok_or_else(|| call.fail(format!("the text does not fit {name}")))?;
    Ok(Val::from(engine(call)?.encode(bytes)))
}

/// Bytes that are no text of the encoding are refused: texts hold no other bytes here, and a file
/// written from them would not be the one that was meant.
fn decode_base64(call: &Call<'_>) -> Eval {
    let text: String = call
        .subject_text()?
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let bytes = engine(call)?
        .decode(text)
        .map_err(|err| call.fail(err.to_string()))?;
    let (name, encoding) = encoding(call)?;
    encoding.decode(bytes).map(Val::from).ok_or_else(|| {
        call.fail(format!(
            "the decoded bytes are not text in {name}; `encoding` says what they are in"
        ))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hashed(call: &Call<'_>, kind: &str) -> Eval {
    let text = call.subject_text()?;
    let data = text.as_bytes();
    Ok(Val::from(match kind {
        "md5" => hex(&Md5::digest(data)),
        "sha1" => hex(&Sha1::digest(data)),
        "sha224" => hex(&Sha224::digest(data)),
        "sha256" => hex(&Sha256::digest(data)),
        "sha384" => hex(&Sha384::digest(data)),
        "sha512" => hex(&Sha512::digest(data)),
        other => return Err(call.fail(format!("unsupported hash type {other}"))),
    }))
}

/// The namespace of Ansible's name-based identifiers.
const NAMESPACE: Uuid = Uuid::from_u128(0x361E_6D51_FAEC_444A_9079_3413_86DA_8E2E);

fn to_uuid(call: &Call<'_>) -> Eval {
    let namespace = match call.text(0)? {
        Some(text) => Uuid::parse_str(&text)
            .map_err(|err| call.fail(format!("invalid value '{text}' for 'namespace': {err}")))?,
        None => NAMESPACE,
    };
    let name = call.subject_text()?;
    Ok(Val::from(
        Uuid::new_v5(&namespace, name.as_bytes()).to_string(),
    ))
}
