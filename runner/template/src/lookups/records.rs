//! The lookup `csvfile`: one value of a file of records.

use super::{Lookup, LookupCall, lookup, own_option as option, read_term};
use crate::values::{Eval, Val};

/// Options that may stand beside the key in a term.
const OPTIONS: &[&str] = &["col", "default", "delimiter", "encoding", "file", "keycol"];

pub(super) const LOOKUPS: &[Lookup] = &[lookup("csvfile", csv)];

fn csv(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let terms = call.term_texts()?;
    if terms.is_empty() {
        return Err(call.fail("Search key is required but was not found"));
    }
    let mut found = Vec::new();
    for term in terms {
        let (key, own) = read_term(&term, OPTIONS);
        if let Some((name, _)) = own.iter().find(|(name, _)| !OPTIONS.contains(&&**name)) {
            return Err(call.fail(format!("{name} is not a valid option")));
        }
        if key.is_empty() {
            return Err(call.fail("Search key is required but was not found"));
        }
        let file = option(call, &own, "file", "ansible.csv")?;
        let delimiter = match option(call, &own, "delimiter", "TAB")?.as_str() {
            "TAB" | "t" | "\\t" => '\t',
            other => other.chars().next().unwrap_or(','),
        };
        let column = |name: &str, default: &str| -> Eval<usize> {
            option(call, &own, name, default)?
                .parse()
                .map_err(|_| call.fail(format!("{name} has an invalid value: it must be a number")))
        };
        let (value_column, key_column) = (column("col", "1")?, column("keycol", "0")?);
        let text = call.file_text("files", &file)?;
        let row = text
            .lines()
            .map(|line| fields(line, delimiter))
            .find(|fields| fields.get(key_column) == Some(&key));
        let own_default = own.iter().find(|(name, _)| name == "default");
        let default = match own_default {
            Some((_, text)) => Some(Val::from(text.as_str())),
            None => call.option("default").cloned(),
        };
        match (row.and_then(|row| row.get(value_column).cloned()), default) {
            (Some(value), _) => found.push(Val::from(value)),
            // As many values as it lists.
            (None, Some(list)) if list.is_sequence() => {
                found.extend(call.session().iterate(&list)?);
            }
            (None, Some(default)) => found.push(default),
            (None, None) => {}
        }
    }
    Ok(found)
}

/// Fields of a line, with quotes read.
fn fields(line: &str, delimiter: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(field) = fields.last_mut() else {
            break;
        };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            c if c == delimiter && !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields
}
