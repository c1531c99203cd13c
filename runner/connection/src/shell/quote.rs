//! Quoting of words and bytes for `/bin/sh`, old Bourne shells included.
//!
//! Must not: use anything but single quotes and octal escapes, for nothing else means the same in all shells.

/// Quotes a word so that any shell reads it as it is.
pub fn word(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    word_into(&mut quoted, text);
    quoted
}

/// Appends a quoted word.
pub(crate) fn word_into(out: &mut String, text: &str) {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+,:@".contains(&b);
    if !text.is_empty() && text.bytes().all(is_plain) {
        out.push_str(text);
        return;
    }
    out.push('\'');
    for (index, part) in text.split('\'').enumerate() {
        if index > 0 {
            out.push_str("'\\''");
        }
        out.push_str(part);
    }
    out.push('\'');
}

/// Quotes a path so that no program takes it for an option.
pub fn path(path: &str) -> String {
    if path.starts_with('-') || path.is_empty() {
        word(&format!("./{path}"))
    } else {
        word(path)
    }
}

/// Appends `printf` commands that write exactly these bytes, each in reach of any shell's limits.
pub(crate) fn printf_into(out: &mut String, bytes: &[u8]) {
    const CHUNK_BYTES: usize = 4096;
    for chunk in bytes.chunks(CHUNK_BYTES) {
        out.push_str("printf '");
        // A format must not begin with a dash: some shells take it for an option.
        let mut is_first = true;
        for &byte in chunk {
            match byte {
                b'%' => out.push_str("%%"),
                b'\\' => out.push_str("\\\\"),
                b'\n' => out.push('\n'),
                b'\t' => out.push('\t'),
                b'-' if is_first => out.push_str("\\055"),
                b'\'' | 0..=0x1f | 0x7f..=0xff => {
                    out.push('\\');
                    for shift in [6, 3, 0] {
                        out.push(char::from(b'0' + ((byte >> shift) & 7)));
                    }
                }
                _ => out.push(char::from(byte)),
            }
            is_first = false;
        }
        out.push_str("'\n");
    }
}

/// Tells whether a text can name a shell variable.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::process::Command;

    #[test]
    fn plain_words_stay_plain() {
        for (text, expected) in [
            ("/bin/true", "/bin/true"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$HOME", "'$HOME'"),
            ("~", "'~'"),
            ("a=b", "'a=b'"),
        ] {
            assert_eq!(super::word(text), expected);
        }
        assert_eq!(super::path("-rf"), "./-rf");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_shell_reads_a_quoted_word_back(text in "[^\0]{0,40}") {
            let script = format!("printf %s {}", super::word(&text));
            let out = Command::new("/bin/sh").arg("-c").arg(&script).output().unwrap();
            prop_assert_eq!(out.stdout, text.into_bytes());
        }

        #[test]
        fn printf_writes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut script = String::new();
            super::printf_into(&mut script, &bytes);
            let out = Command::new("/bin/sh").arg("-c").arg(&script).output().unwrap();
            prop_assert_eq!(out.stdout, bytes);
        }
    }
}
