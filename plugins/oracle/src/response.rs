//! One value of a response file. Only what a logon needs: choosing, comparing and writing response
//! files is another plugin's business.

/// Why there is no value to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoValue {
    #[error("the response file has no such parameter")]
    Missing,
    #[error("the response file mixes two forms of lines and gives the parameter in both")]
    Mixed,
}

/// The value of `key`, in whichever of the three forms (`%key` and a line below, `key: value`,
/// `key=value`) the file has. Of several the last one holds; the flag tells that there were.
pub(crate) fn value(text: &str, key: &str) -> Result<(String, bool), NoValue> {
    let found = [percent(text, key), colon(text, key), equals(text, key)];
    let mut forms = found.into_iter().filter(|values| !values.is_empty());
    match (forms.next(), forms.next()) {
        (Some(_), Some(_)) => Err(NoValue::Mixed),
        (Some(mut values), None) => {
            let repeated = values.len() > 1;
            values
                .pop()
                .map(|value| (value.to_owned(), repeated))
                .ok_or(NoValue::Missing)
        }
        (None, _) => Err(NoValue::Missing),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
}

fn percent<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    let mut lines = lines(text);
    while let Some(line) = lines.next() {
        if line
            .strip_prefix('%')
            .is_some_and(|name| name.trim() == key)
        {
            values.extend(lines.next());
        }
    }
    values
}

fn colon<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    separated(text, key, ':')
        .map(|value| value.trim_start())
        .collect()
}

fn equals<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    separated(text, key, '=').collect()
}

fn separated<'a>(text: &'a str, key: &str, separator: char) -> impl Iterator<Item = &'a str> {
    let mut below_percent = false;
    let own: Vec<&str> = lines(text)
        .filter(|line| !std::mem::replace(&mut below_percent, line.starts_with('%')))
        .collect();
    own.into_iter()
        .filter_map(move |line| line.split_once(separator))
        .filter(move |(name, _)| name.trim() == key)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_forms() {
        type Case = (&'static str, Result<(&'static str, bool), NoValue>);
        let cases: &[Case] = &[
            ("%a.b\nx:y=z%\n%a.c\nno\n", Ok(("x:y=z%", false))),
            ("# note\na.b: x: y=z\na.c: no\n", Ok(("x: y=z", false))),
            ("a.b= x:y \r\na.c=no\r\n", Ok((" x:y ", false))),
            ("a.b=1\na.b=2\n", Ok(("2", true))),
            ("a.b=\n", Ok(("", false))),
            ("%a.b\n\n", Ok(("", false))),
            ("a.bb=1\nxa.b=2\n", Err(NoValue::Missing)),
            ("a.b=1\na.b: 2\n", Err(NoValue::Mixed)),
            ("%a.c\na.b=1\n", Err(NoValue::Missing)),
            ("", Err(NoValue::Missing)),
        ];
        for (text, expected) in cases {
            let found = value(text, "a.b");
            let expected = expected.map(|(value, repeated)| (value.to_owned(), repeated));
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn two_letters_and_three_are_two_parameters() {
        let text = "truth.aaPwd=two\ntruth.aaaPwd=three\n";
        assert_eq!(value(text, "truth.aaPwd").unwrap().0, "two");
        assert_eq!(value(text, "truth.aaaPwd").unwrap().0, "three");
    }
}
