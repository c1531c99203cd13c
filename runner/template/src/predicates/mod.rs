//! Tests: `value is name(arguments)`. One table; each subject has a file.

mod kinds;
mod relations;
mod results;
mod version;

use crate::eval::Call;
use crate::values::Eval;

/// A built-in test.
pub(crate) struct Predicate {
    pub(crate) name: &'static str,
    /// Its parameters after the subject.
    pub(crate) parameters: &'static [&'static str],
    /// Whether subject and arguments may be undefined or unknown.
    pub(crate) takes_anything: bool,
    pub(crate) run: fn(&Call<'_>) -> Eval<bool>,
}

impl std::fmt::Debug for Predicate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn predicate(
    name: &'static str,
    parameters: &'static [&'static str],
    run: fn(&Call<'_>) -> Eval<bool>,
) -> Predicate {
    Predicate {
        name,
        parameters,
        takes_anything: false,
        run,
    }
}

const fn lazy(
    name: &'static str,
    parameters: &'static [&'static str],
    run: fn(&Call<'_>) -> Eval<bool>,
) -> Predicate {
    Predicate {
        name,
        parameters,
        takes_anything: true,
        run,
    }
}

const TABLES: &[&[Predicate]] = &[
    kinds::TESTS,
    relations::TESTS,
    results::TESTS,
    version::TESTS,
];

/// Finds a built-in test by its name or its full name.
pub(crate) fn find(name: &str) -> Option<&'static Predicate> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    all().find(|predicate| predicate.name == short)
}

/// All built-in tests.
pub(crate) fn all() -> impl Iterator<Item = &'static Predicate> {
    TABLES.iter().flat_map(|table| table.iter())
}
