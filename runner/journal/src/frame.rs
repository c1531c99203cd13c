//! How records lie in the file: one line each, with its length, number and place in the chain.
//!
//! A line is `LENGTH NUMBER CHAIN JSON`: the length of the JSON in bytes (8 digits), the number of
//! the record (16 digits), and the SHA-256 of the chain before, the length, the number and the
//! JSON (64 digits), all hexadecimal. JSON has no line ends, so that a record cut short has none.

use sha2::{Digest, Sha256};

use crate::hexadecimal::{encode, is_digit, number};

/// First line of every journal, without the number of its format.
pub(crate) const MAGIC: &[u8] = b"sasrun-journal ";
/// First line of a journal of format 1.
pub(crate) const FIRST_LINE: &[u8] = b"sasrun-journal 1\n";

const LENGTH_DIGITS: usize = 8;
const NUMBER_DIGITS: usize = 16;
const CHAIN_DIGITS: usize = 64;
/// Bytes of a line before its JSON.
pub(crate) const PREFIX_BYTES: usize = LENGTH_DIGITS + 1 + NUMBER_DIGITS + 1 + CHAIN_DIGITS + 1;

/// The hash over everything so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain([u8; 32]);

impl Chain {
    /// The chain of a journal with no records.
    pub(crate) fn new() -> Self {
        Self(Sha256::digest(FIRST_LINE).into())
    }

    /// The chain after one more record; none when it is too long for its length to be written.
    fn after(self, sequence: u64, payload: &[u8]) -> Option<Self> {
        let length = u32::try_from(payload.len()).ok()?;
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(length.to_be_bytes());
        hasher.update(sequence.to_be_bytes());
        hasher.update(payload);
        Some(Self(hasher.finalize().into()))
    }
}

/// The line of a record and the chain after it; none when it is too long.
pub(crate) fn encode_record(
    chain: Chain,
    sequence: u64,
    payload: &str,
) -> Option<(Vec<u8>, Chain)> {
    let chain = chain.after(sequence, payload.as_bytes())?;
    let mut line = Vec::with_capacity(PREFIX_BYTES + payload.len() + 1);
    line.extend(format!("{:08x} {sequence:016x} ", payload.len()).bytes());
    line.extend(encode(&chain.0).bytes());
    line.push(b' ');
    line.extend(payload.bytes());
    line.push(b'\n');
    Some((line, chain))
}

/// What stands at a place of a journal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// A whole record.
    Record {
        /// Its JSON.
        payload: &'a [u8],
        /// The chain after it.
        chain: Chain,
        /// Bytes it takes.
        length: usize,
    },
    /// Nothing: here the journal ends.
    End,
    /// A record that was being written when the writer died.
    Torn,
    /// Something else.
    Damaged(String),
}

/// Reads what begins with these bytes, as record of this number after this chain.
pub(crate) fn decode_record(rest: &[u8], sequence: u64, chain: Chain) -> Next<'_> {
    if rest.is_empty() {
        return Next::End;
    }
    match whole_record(rest, sequence, chain) {
        Ok(record) => record,
        Err(why) if is_cut_short(rest) => {
            let _ = why;
            Next::Torn
        }
        Err(why) => Next::Damaged(why),
    }
}

fn whole_record(rest: &[u8], sequence: u64, chain: Chain) -> Result<Next<'_>, String> {
    const SHORT: &str = "it is shorter than a record";
    let prefix = rest.get(..PREFIX_BYTES).ok_or(SHORT)?;
    let mut parts = prefix.split(|byte| *byte == b' ');
    let mut part = |digits: usize, what: &str| {
        let part = parts.next().filter(|part| part.len() == digits);
        part.filter(|part| part.iter().copied().all(is_digit))
            .ok_or_else(|| format!("there is no {what} of a record"))
    };
    let length = number(part(LENGTH_DIGITS, "length")?).unwrap_or_default();
    let found = number(part(NUMBER_DIGITS, "number")?).unwrap_or_default();
    let stated = part(CHAIN_DIGITS, "hash")?;
    if found != sequence {
        return Err(format!("record {found} stands where {sequence} should"));
    }
    let length = usize::try_from(length).map_err(|_| SHORT.to_owned())?;
    let end = PREFIX_BYTES.saturating_add(length);
    let payload = rest
        .get(PREFIX_BYTES..end)
        .ok_or("the file ends before the record does")?;
    match rest.get(end) {
        Some(b'\n') => {}
        Some(_) => return Err("the record does not end where its length says".to_owned()),
        None => return Err("the file ends before the record does".to_owned()),
    }
    let chain = chain.after(sequence, payload).ok_or("it is too long")?;
    if encode(&chain.0).as_bytes() != stated {
        return Err("its hash does not fit its content and the records before".to_owned());
    }
    Ok(Next::Record {
        payload,
        chain,
        length: end + 1,
    })
}

/// Whether these bytes are the beginning of a record and nothing more. A file that had been made
/// longer when the power failed may end in zeros.
fn is_cut_short(rest: &[u8]) -> bool {
    let written = rest
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let Some(rest) = rest.get(..written) else {
        return false;
    };
    let is_prefix = rest
        .iter()
        .take(PREFIX_BYTES)
        .enumerate()
        .all(|(at, byte)| {
            let is_gap = [
                LENGTH_DIGITS,
                LENGTH_DIGITS + 1 + NUMBER_DIGITS,
                PREFIX_BYTES - 1,
            ]
            .contains(&at);
            if is_gap {
                *byte == b' '
            } else {
                is_digit(*byte)
            }
        });
    let length = rest.get(..LENGTH_DIGITS).and_then(number);
    let is_shorter = length.is_none_or(|length| {
        let whole = u64::try_from(PREFIX_BYTES)
            .unwrap_or(u64::MAX)
            .saturating_add(length);
        u64::try_from(rest.len()).unwrap_or(u64::MAX) <= whole
    });
    // JSON is written without line ends and zeros.
    let has_end = rest.iter().any(|byte| matches!(byte, b'\n' | 0));
    is_prefix && is_shorter && !has_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_every_cut_of_it_is_torn() {
        let (line, after) = encode_record(Chain::new(), 7, "{\"a\":1}").unwrap();
        let Next::Record {
            payload,
            chain,
            length,
        } = decode_record(&line, 7, Chain::new())
        else {
            panic!("not read");
        };
        assert_eq!(
            (payload, chain, length),
            (&b"{\"a\":1}"[..], after, line.len())
        );
        for cut in 1..line.len() {
            let found = decode_record(&line[..cut], 7, Chain::new());
            assert_eq!(found, Next::Torn, "cut at {cut}");
            let mut zeros = line[..cut].to_vec();
            zeros.resize(cut + 50, 0);
            assert_eq!(
                decode_record(&zeros, 7, Chain::new()),
                Next::Torn,
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let (line, _) = encode_record(Chain::new(), 7, "{\"a\":1}").unwrap();
        for bit in 0..line.len() * 8 {
            let mut flipped = line.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let found = decode_record(&flipped, 7, Chain::new());
            assert!(matches!(found, Next::Damaged(_)), "bit {bit}: {found:?}");
        }
    }

    #[test]
    fn a_record_of_another_place_is_refused() {
        let (line, after) = encode_record(Chain::new(), 7, "{}").unwrap();
        assert!(matches!(
            decode_record(&line, 8, Chain::new()),
            Next::Damaged(_)
        ));
        assert!(matches!(decode_record(&line, 7, after), Next::Damaged(_)));
    }
}
