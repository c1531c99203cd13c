//! What of a call for an account is most likely not meant.

use sasrun_plugin::Arguments;

/// Returns a sentence for each.
pub(super) fn of(arguments: &Arguments) -> Vec<String> {
    let mut warnings = Vec::new();
    if arguments.text("password").is_some_and(is_plain) {
        warnings.push(
            "The input password appears not to have been hashed. The 'password' argument must be \
             encrypted for this module to work properly."
                .to_owned(),
        );
    }
    let adds = arguments.flag("append") && !arguments.has("groups");
    if adds && arguments.text("state") != Some("absent") {
        warnings.push(
            "'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups."
                .to_owned(),
        );
    }
    warnings
}

/// Tells whether a password does not look like what `crypt` makes of one. Some words that no
/// password comes to lock an account, and are meant.
fn is_plain(password: &str) -> bool {
    if password.is_empty() || matches!(password, "*" | "!" | "*************") {
        return false;
    }
    let fields: Vec<&str> = password.split('$').collect();
    let (Some(method), Some(hash)) = (fields.get(1), fields.get(2).and(fields.last())) else {
        return true;
    };
    let length = match *method {
        "1" => 22,
        "5" | "y" => 43,
        "6" => 86,
        _ => hash.len(),
    };
    let is_of_hash = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '=');
    password.contains([':', '*', '!']) || hash.len() != length || !hash.chars().all(is_of_hash)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn what_crypt_makes_is_told_from_words() {
        let sha512 = format!("$6$salt${}", "a".repeat(86));
        for (password, wanted) in [
            (sha512.as_str(), false),
            ("!", false),
            ("*", false),
            ("", false),
            ("secret", true),
            ("$6$salt$short", true),
            ("$1$ab:c$aaaaaaaaaaaaaaaaaaaaaa", true),
            ("$2b$12$abcdefgh", false),
        ] {
            assert_eq!(is_plain(password), wanted, "{password}");
        }
    }
}
