//! Lookups of one value in a file of records: `ini` and `csvfile`.

use super::{Lookup, LookupCall, lookup};
use crate::python::regex::{self, Flags};
use crate::values::{Eval, Val};

pub(super) const LOOKUPS: &[Lookup] = &[lookup("csvfile", csv), lookup("ini", ini)];

/// A term such as `key section=one file=users.ini`: the key, and options that stand beside it.
fn read_term(term: &str) -> (String, Vec<(String, String)>) {
    let mut key = Vec::new();
    let mut options = Vec::new();
    for word in term.split_whitespace() {
        match word.split_once('=') {
            Some((name, value)) => options.push((name.to_owned(), value.to_owned())),
            None => key.push(word),
        }
    }
    (key.join(" "), options)
}

fn option(
    call: &LookupCall<'_>,
    own: &[(String, String)],
    name: &str,
    default: &str,
) -> Eval<String> {
    match own.iter().find(|(key, _)| key == name) {
        Some((_, value)) => Ok(value.clone()),
        None => call.option_text(name, default),
    }
}

fn ini(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for term in call.term_texts()? {
        let (key, own) = read_term(&term);
        let file = option(call, &own, "file", "ansible.ini")?;
        let is_properties = option(call, &own, "type", "ini")? == "properties";
        let section = option(call, &own, "section", "global")?;
        let wanted = if is_properties { "" } else { &*section };
        let is_regex = call.option_flag("re", false)?;
        let pattern =
            regex::compile(&key, Flags::default()).map_err(|message| call.fail(message))?;
        let text = call.file_text("files", &file)?;
        let before = found.len();
        for (name, value) in settings(&text, wanted) {
            let same = if is_regex {
                pattern.is_match(&name).unwrap_or(false)
            } else {
                name.eq_ignore_ascii_case(&key)
            };
            if same {
                found.push(Val::from(value));
            }
        }
        if found.len() == before && !is_regex {
            match call.option("default") {
                Some(default) => found.push(default.clone()),
                None => found.push(Val::from("")),
            }
        }
    }
    Ok(found)
}

/// Settings of one section; those before any section belong to the section without a name.
fn settings(text: &str, wanted: &str) -> Vec<(String, String)> {
    let mut here = String::new();
    let mut settings = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            here = name.to_owned();
            continue;
        }
        if here == wanted
            && let Some((name, value)) = line.split_once(['=', ':'])
        {
            settings.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    settings
}

fn csv(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let mut found = Vec::new();
    for term in call.term_texts()? {
        let (key, own) = read_term(&term);
        let file = option(call, &own, "file", "ansible.csv")?;
        let delimiter = match option(call, &own, "delimiter", "TAB")?.as_str() {
            "TAB" | "t" | "\\t" => '\t',
            other => other.chars().next().unwrap_or(','),
        };
        let column = |name: &str, default: &str| -> Eval<usize> {
            option(call, &own, name, default)?
                .parse()
                .map_err(|_| call.fail(format!("{name} must be a number")))
        };
        let (value_column, key_column) = (column("col", "1")?, column("keycol", "0")?);
        let text = call.file_text("files", &file)?;
        let row = text
            .lines()
            .map(|line| fields(line, delimiter))
            .find(|fields| fields.get(key_column) == Some(&key));
        match (
            row.and_then(|row| row.get(value_column).cloned()),
            call.option("default"),
        ) {
            (Some(value), _) => found.push(Val::from(value)),
            (None, Some(default)) => found.push(default.clone()),
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
