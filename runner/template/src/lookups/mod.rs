//! Lookups: values from the controller, for `lookup()`, `query()` and `with_…`. One table; each subject has a file.

mod config;
mod files;
mod hosts;
mod ini;
mod records;
mod secrets;
mod sequence;
mod shapes;
mod url;
mod variables;

use std::sync::Arc;

use crate::error::Problem;
use crate::eval::{Env, Session};
use crate::values::{Eval, Fault, Val};

/// A built-in lookup.
pub(crate) struct Lookup {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&LookupCall<'_>) -> Eval<Vec<Val>>,
}

/// One call of a lookup.
pub(crate) struct LookupCall<'e> {
    pub(crate) env: &'e Env,
    pub(crate) name: &'e str,
    pub(crate) terms: Vec<Val>,
    pub(crate) options: Vec<(Arc<str>, Val)>,
}

const fn lookup(name: &'static str, run: fn(&LookupCall<'_>) -> Eval<Vec<Val>>) -> Lookup {
    Lookup { name, run }
}

const TABLES: &[&[Lookup]] = &[
    &[lookup("config", config::config)],
    files::LOOKUPS,
    &[lookup("inventory_hostnames", hosts::inventory_host_names)],
    &[lookup("ini", ini::ini)],
    records::LOOKUPS,
    secrets::LOOKUPS,
    sequence::LOOKUPS,
    shapes::LOOKUPS,
    &[lookup("url", url::url)],
    variables::LOOKUPS,
];

/// Finds a built-in lookup by its name or its full name.
pub(crate) fn find(name: &str) -> Option<&'static Lookup> {
    let short = ["ansible.builtin.", "ansible.legacy.", "community.general."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|lookup| lookup.name == short)
}

/// Names of the built-in lookups, without a collection in front.
pub fn lookup_names() -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .map(|lookup| lookup.name)
}

impl LookupCall<'_> {
    pub(crate) fn session(&self) -> &Session {
        self.env.session()
    }

    pub(crate) fn fail(&self, message: impl Into<String>) -> Fault {
        Fault::problem(Problem::Lookup {
            name: self.name.to_owned(),
            message: message.into(),
        })
    }

    fn option(&self, name: &str) -> Option<&Val> {
        self.options
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| value)
    }

    fn option_text(&self, name: &str, default: &str) -> Eval<String> {
        match self.option(name) {
            Some(value) => self.session().text_of(value),
            None => Ok(default.to_owned()),
        }
    }

    fn option_flag(&self, name: &str, default: bool) -> Eval<bool> {
        match self.option(name) {
            Some(value) => {
                let data = self.session().to_data(value)?;
                match data.to_boolean() {
                    Some(value) => Ok(value),
                    None => self.session().truth(value),
                }
            }
            None => Ok(default),
        }
    }

    /// The terms, lists among them taken apart.
    fn terms_apart(&self) -> Eval<Vec<Val>> {
        let mut items = Vec::new();
        for term in &self.terms {
            if term.is_sequence() {
                items.extend(self.session().iterate(term)?);
            } else {
                items.push(term.clone());
            }
        }
        Ok(items)
    }

    /// The terms as texts, lists among them taken apart.
    fn term_texts(&self) -> Eval<Vec<String>> {
        let mut texts = Vec::new();
        for term in &self.terms {
            if term.is_sequence() {
                for item in self.session().iterate(term)? {
                    texts.push(self.session().text_of(&item)?);
                }
            } else {
                texts.push(self.session().text_of(term)?);
            }
        }
        Ok(texts)
    }

    /// The terms as lists: a term that is none counts as a list of one.
    fn term_lists(&self) -> Eval<Vec<Vec<Val>>> {
        self.terms
            .iter()
            .map(|term| {
                if term.is_sequence() {
                    self.session().iterate(term)
                } else {
                    Ok(vec![term.clone()])
                }
            })
            .collect()
    }
}

fn is_word(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A term such as `key section=one file=users.ini`: the key, and options that stand beside it. A
/// word that begins nothing goes on with what stands before it; behind an option `name=value` begins
/// another one, whether it is known or not.
fn read_term(term: &str, known: &[&str]) -> (String, Vec<(String, String)>) {
    let mut key = Vec::new();
    let mut options: Vec<(String, String)> = Vec::new();
    for (at, word) in words(term).enumerate() {
        match (word.split_once('='), options.last_mut()) {
            (Some((name, value)), last)
                if at == 0 || known.contains(&name) || last.is_some() && is_word(name) =>
            {
                options.push((name.to_owned(), unquoted(value).to_owned()));
            }
            (_, Some((_, value))) => {
                value.push(' ');
                value.push_str(&word);
            }
            _ => key.push(word),
        }
    }
    (key.join(" "), options)
}

/// Words of a term. A quote behind a `=` holds a value together; elsewhere it is a letter as any.
fn words(term: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in term.chars() {
        let Some(word) = words.last_mut() else { break };
        match quote {
            None if c.is_whitespace() => {
                words.push(String::new());
                continue;
            }
            None if matches!(c, '"' | '\'') && word.ends_with('=') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        word.push(c);
    }
    words.into_iter().filter(|word| !word.is_empty())
}

fn unquoted(value: &str) -> &str {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

/// An option that stands in the term, else beside it.
fn own_option(
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
