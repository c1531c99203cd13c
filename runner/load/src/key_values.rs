//! `k=v` text, as in `include_tasks: file=x.yml`, legacy role entries and extra variables.

/// A word of such text: a pair, or anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    Pair(String, String),
    Other(String),
}

/// Splits text at white space outside of quotes and template marks. None when one is not closed.
pub(crate) fn split(text: &str) -> Option<Vec<Word>> {
    Some(words(text)?.into_iter().map(word).collect())
}

fn word(text: String) -> Word {
    match text.split_once('=') {
        Some((key, value)) if is_key(key) => Word::Pair(key.to_owned(), unquoted(value)),
        _ => Word::Other(unquoted(&text)),
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_.-".contains(c))
}

/// Text without the quotes around it.
pub(crate) fn unquoted(text: &str) -> String {
    let inner = ['"', '\''].iter().find_map(|quote| {
        let inner = text.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.ends_with('\\')).then_some(inner)
    });
    inner.unwrap_or(text).to_owned()
}

/// Words of a text, quotes kept.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut template_depth = 0_usize;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        if c == '\\' && quote == Some('"') {
            word.push(c);
            word.extend(characters.next());
            continue;
        }
        match (c, next) {
            ('{', Some('{' | '%' | '#')) => template_depth += 1,
            ('}' | '%' | '#', Some('}')) if template_depth > 0 => {
                template_depth -= 1;
                word.push(c);
                word.extend(characters.next());
                continue;
            }
            _ => {}
        }
        if template_depth == 0 {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '"' || c == '\'' => quote = Some(c),
                None if c.is_whitespace() => {
                    if !word.is_empty() {
                        words.push(std::mem::take(&mut word));
                    }
                    continue;
                }
                _ => {}
            }
        }
        word.push(c);
    }
    if quote.is_some() || template_depth > 0 {
        return None;
    }
    if !word.is_empty() {
        words.push(word);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_templates_hold_words_together() {
        let split = split("a=1 b='x y' c={{ d | e('f g') }} plain").unwrap();
        let expected = [
            Word::Pair("a".into(), "1".into()),
            Word::Pair("b".into(), "x y".into()),
            Word::Pair("c".into(), "{{ d | e('f g') }}".into()),
            Word::Other("plain".into()),
        ];
        assert_eq!(split, expected);
        assert_eq!(super::split("a='open"), None);
        assert_eq!(super::split("a={{ open"), None);
    }
}
