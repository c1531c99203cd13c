//! The sign `+` before a number or a value, which says nothing and which the parser does not know.

/// Words after which a value begins.
const WORDS: &[&str] = &["and", "or", "not", "in", "if", "else", "elif", "is"];

/// The text with a blank in the place of each sign `+`; none if there is no sign. The length stays,
/// and with it the places of all else.
pub(super) fn without_signs(text: &str, is_expression: bool) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut found = false;
    let mut inside = is_expression;
    let mut quote: Option<char> = None;
    // What stands before, white space left out: whether a value may begin here.
    let mut begins = is_expression;
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        if !inside {
            plain.push(c);
            if c == '{' && matches!(next, Some('{' | '%')) {
                plain.extend(chars.next());
                // White space control of a block is no sign.
                if matches!(chars.peek(), Some('+' | '-')) {
                    plain.extend(chars.next());
                }
                (inside, begins) = (true, true);
            }
            continue;
        }
        match (quote, c) {
            (Some(open), _) => {
                if c == open {
                    quote = None;
                }
                (begins, word) = (false, String::new());
            }
            (None, '\'' | '"') => quote = Some(c),
            (None, '%' | '}') if !is_expression && next == Some('}') => inside = false,
            (None, '+') if begins && next != Some('%') => {
                found = true;
                plain.push(' ');
                continue;
            }
            (None, _) if c.is_whitespace() => {
                begins |= WORDS.contains(&word.as_str());
                word.clear();
            }
            (None, _) if c.is_alphanumeric() || c == '_' => {
                word.push(c);
                begins = false;
            }
            (None, _) => {
                begins = "([{,:=<>!+-*/%~|".contains(c);
                word.clear();
            }
        }
        plain.push(c);
    }
    found.then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::without_signs;

    #[test]
    fn only_signs_go() {
        let cases = [
            (
                "{{ [-2.5, +2.5, 1 + 2] }} + x",
                Some("{{ [-2.5,  2.5, 1 + 2] }} + x"),
            ),
            (
                "{%+ if a == +1 %}+{% endif %}",
                Some("{%+ if a ==  1 %}+{% endif %}"),
            ),
            ("{{ 'a, +b' }}", None),
            ("{{ a + b }} (+1)", None),
        ];
        for (text, expected) in cases {
            assert_eq!(without_signs(text, false).as_deref(), expected, "{text}");
        }
        assert_eq!(without_signs("+1 == a", true).as_deref(), Some(" 1 == a"));
        assert_eq!(without_signs("a and +1", true).as_deref(), Some("a and  1"));
    }
}
