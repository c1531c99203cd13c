//! The one gate through which all output goes: values that are secret become stars.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// What a secret is shown as; of one width, so that its length is not told.
const STARS: &str = "********";
/// Values shorter than this would turn ordinary words into stars and hide nothing.
const SHORTEST: usize = 3;

/// Knows the secrets of a run. Clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    forms: Arc<RwLock<Vec<String>>>,
}

impl Mask {
    /// Registers a value that must never be shown, in each form it may take.
    pub fn register(&self, secret: &str) {
        let mut forms = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        for part in std::iter::once(secret).chain(secret.lines()) {
            for form in forms_of(part) {
                if form.chars().count() >= SHORTEST && !forms.contains(&form) {
                    forms.push(form);
                }
            }
        }
        // The longest first, so that a secret inside another leaves no rest behind.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Places of every form of every secret, in order and apart from each other.
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Range<usize>> = Vec::new();
        // The longest come first, and what overlaps them is hidden with them.
        for form in forms.iter() {
            for (at, form) in text.match_indices(form.as_str()) {
                let range = at..at + form.len();
                if found
                    .iter()
                    .all(|other| range.end <= other.start || other.end <= range.start)
                {
                    found.push(range);
                }
            }
        }
        found.sort_by_key(|range| range.start);
        found
    }

    /// Replaces every form of every secret.
    pub fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let mut masked = Cow::Borrowed(text);
        for form in forms.iter() {
            if masked.contains(form.as_str()) {
                masked = Cow::Owned(masked.replace(form.as_str(), STARS));
            }
        }
        masked
    }
}

/// A secret as it is, in Base64, for URLs, quoted for a shell, and as inside JSON.
fn forms_of(secret: &str) -> Vec<String> {
    let secret = secret.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Vec::new();
    }
    let json = serde_json::Value::from(secret).to_string();
    vec![
        secret.to_owned(),
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        STANDARD.encode(format!("{secret}\n")),
        url_encoded(secret),
        url_encoded(secret).replace("%2F", "/"),
        url_encoded(secret).replace("%20", "+"),
        secret.replace('\'', "'\\''"),
        secret.replace('\'', "'\"'\"'"),
        json.trim_matches('"').to_owned(),
    ]
}

fn url_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let mask = Mask::default();
        mask.register("p@ss 'w\"rd");
        for form in forms_of("p@ss 'w\"rd") {
            let shown = mask.apply(&format!("before {form} after")).into_owned();
            assert_eq!(shown, "before ******** after", "{form}");
        }
    }

    #[test]
    fn a_secret_inside_another_leaves_nothing() {
        let mask = Mask::default();
        mask.register("abc");
        mask.register("abcdef");
        assert_eq!(mask.apply("abcdef"), STARS);
    }

    #[test]
    fn places_of_secrets_do_not_overlap() {
        let mask = Mask::default();
        mask.register("abc");
        mask.register("abcdef");
        assert_eq!(mask.ranges("xabcdefabc-"), [1..7, 7..10]);
        assert_eq!(mask.ranges("nothing"), []);
    }

    #[test]
    fn short_values_are_left_alone() {
        let mask = Mask::default();
        mask.register("a");
        mask.register("");
        assert_eq!(mask.apply("banana"), "banana");
    }
}
