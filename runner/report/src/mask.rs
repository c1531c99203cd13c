//! The one gate through which all output goes: values that are secret become stars.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, BuildError};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// What a secret is shown as; of one width, so that its length is not told.
const STARS: &str = "********";
/// Values shorter than this would turn ordinary words into stars and hide nothing.
const SHORTEST: usize = 3;

/// Knows the secrets of a run. Clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    known: Arc<RwLock<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    forms: HashSet<String>,
    /// Finds all forms in one pass; made when it is first needed after a form came.
    searcher: Option<Arc<AhoCorasick>>,
}

impl Mask {
    /// Registers a value that must never be shown, in each form it may take.
    pub fn register(&self, secret: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for part in std::iter::once(secret).chain(secret.lines()) {
            for form in forms_of(part) {
                if form.chars().count() >= SHORTEST && known.forms.insert(form) {
                    known.searcher = None;
                }
            }
        }
    }

    /// Places of every form of every secret, in order and apart from each other. Where two overlap,
    /// one place holds both.
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let searcher = match self.searcher() {
            Ok(Some(searcher)) => searcher,
            Ok(None) => return Vec::new(),
            // What cannot be searched is hidden whole.
            Err(_) => return Vec::from_iter(std::iter::once(0..text.len())),
        };
        let mut found: Vec<Range<usize>> = Vec::new();
        // They come by their ends, so that one of the last places may lie inside the next.
        for place in searcher.find_overlapping_iter(text) {
            let mut range = place.range();
            while let Some(last) = found.pop_if(|last| range.start < last.end) {
                range.start = range.start.min(last.start);
            }
            found.push(range);
        }
        found
    }

    /// Replaces every form of every secret.
    pub fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let ranges = self.ranges(text);
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for range in ranges {
            masked.push_str(&text[end..range.start]);
            masked.push_str(STARS);
            end = range.end;
        }
        masked.push_str(&text[end..]);
        Cow::Owned(masked)
    }

    /// What finds all forms; none while no secret is known. Fails where secrets fill gigabytes.
    fn searcher(&self) -> Result<Option<Arc<AhoCorasick>>, BuildError> {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if known.forms.is_empty() || known.searcher.is_some() {
                return Ok(known.searcher.clone());
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.searcher.is_none() {
            known.searcher = Some(Arc::new(AhoCorasick::new(&known.forms)?));
        }
        Ok(known.searcher.clone())
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
        assert!(mask.ranges("nothing").is_empty());
    }

    #[test]
    fn secrets_that_overlap_leave_nothing() {
        let mask = Mask::default();
        for secret in ["abcd", "cdefgh", "defg", "ghij"] {
            mask.register(secret);
        }
        assert_eq!(mask.apply("-abcdefghij-abcd-"), "-********-********-");
        assert_eq!(mask.ranges("-abcdefghij-abcd-"), [1..11, 12..16]);
    }

    #[test]
    fn a_secret_that_comes_later_is_found_too() {
        let mask = Mask::default();
        mask.register("abcd");
        assert_eq!(mask.apply("abcd wxyz"), "******** wxyz");
        mask.clone().register("wxyz");
        assert_eq!(mask.apply("abcd wxyz"), "******** ********");
    }

    #[test]
    fn short_values_are_left_alone() {
        let mask = Mask::default();
        mask.register("a");
        mask.register("");
        assert_eq!(mask.apply("banana"), "banana");
    }
}
