//! Filters: `value | name(arguments)`. One table; each subject has a file.

mod addresses;
mod choosing;
mod codecs;
mod crypt;
mod data;
mod dates;
mod defaults;
mod encoding;
mod mappings;
mod network;
mod numbers;
mod paths;
mod query;
mod regexes;
mod sequences;
mod sets;
mod text;
mod wrapping;

use crate::eval::Call;
use crate::values::{Eval, Val};

pub(crate) use choosing::attribute_path;
pub(crate) use crypt::{hash_password, salt_from};
pub(crate) use sequences::product_of;

/// A built-in filter.
pub(crate) struct Filter {
    pub(crate) name: &'static str,
    /// Its parameters after the subject; a last `*` or `**` takes more.
    pub(crate) parameters: &'static [&'static str],
    /// Whether subject and arguments may be undefined or unknown.
    pub(crate) takes_anything: bool,
    pub(crate) run: fn(&Call<'_>) -> Eval,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn filter(
    name: &'static str,
    parameters: &'static [&'static str],
    run: fn(&Call<'_>) -> Eval,
) -> Filter {
    Filter {
        name,
        parameters,
        takes_anything: false,
        run,
    }
}

const fn lazy(
    name: &'static str,
    parameters: &'static [&'static str],
    run: fn(&Call<'_>) -> Eval,
) -> Filter {
    Filter {
        name,
        parameters,
        takes_anything: true,
        run,
    }
}

const TABLES: &[&[Filter]] = &[
    addresses::FILTERS,
    choosing::FILTERS,
    data::FILTERS,
    dates::FILTERS,
    defaults::FILTERS,
    encoding::FILTERS,
    mappings::FILTERS,
    network::FILTERS,
    numbers::FILTERS,
    paths::FILTERS,
    query::FILTERS,
    regexes::FILTERS,
    sequences::FILTERS,
    sets::FILTERS,
    text::FILTERS,
    wrapping::FILTERS,
];

/// Collections whose filters are built in, or some of them.
const PREFIXES: &[&str] = &[
    "ansible.builtin.",
    "ansible.legacy.",
    "ansible.utils.",
    "ansible.netcommon.",
    "community.general.",
];

/// Finds a built-in filter by its name or its full name.
pub(crate) fn find(name: &str) -> Option<&'static Filter> {
    let short = PREFIXES
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    all().find(|filter| filter.name == short)
}

/// All built-in filters.
pub(crate) fn all() -> impl Iterator<Item = &'static Filter> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// The subject as text, for filters that turn text into text.
fn map_text(call: &Call<'_>, change: impl FnOnce(&str) -> String) -> Eval {
    Ok(Val::from(change(&call.subject_text()?)))
}
