//! Filters that treat lists as sets. The order of the first list is kept, where Python's would be anyone's guess.

use std::collections::HashSet;

use sasrun_model::Key;

use super::sequences::sort_key;
use super::{Filter, filter};
use crate::eval::Call;
use crate::values::{Eval, Val};

pub(super) const FILTERS: &[Filter] = &[
    filter("difference", &["b"], |call| {
        combine(call, |in_other| !in_other)
    }),
    filter("intersect", &["b"], |call| {
        combine(call, |in_other| in_other)
    }),
    filter("symmetric_difference", &["b"], symmetric_difference),
    filter("union", &["b"], union),
    filter("unique", &["case_sensitive", "attribute"], unique),
];

/// Values seen so far: hashed where they can be, else in a list.
#[derive(Default)]
struct Seen {
    hashed: HashSet<Key>,
    others: Vec<Val>,
}

impl Seen {
    fn key(value: &Val) -> Option<Key> {
        match value {
            Val::Text(text) => Some(Key::Text(text.clone())),
            // Python holds 1, 1.0 and True for the same.
            other => other.as_int().map(Key::Int),
        }
    }

    fn holds(&self, call: &Call<'_>, value: &Val) -> Eval<bool> {
        value.known()?;
        if let Some(key) = Self::key(value) {
            return Ok(self.hashed.contains(&key));
        }
        for other in &self.others {
            if call.session().equal(other, value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds a value; false if it was there.
    fn add(&mut self, call: &Call<'_>, value: &Val) -> Eval<bool> {
        if self.holds(call, value)? {
            return Ok(false);
        }
        match Self::key(value) {
            Some(key) => {
                self.hashed.insert(key);
            }
            None => self.others.push(value.clone()),
        }
        Ok(true)
    }

    fn of(call: &Call<'_>, values: &[Val]) -> Eval<Self> {
        let mut seen = Self::default();
        for value in values {
            seen.add(call, value)?;
        }
        Ok(seen)
    }
}

fn unique(call: &Call<'_>) -> Eval {
    let case_sensitive = call.flag(0, false)?;
    let attribute = call.some(1);
    // What cannot be hashed is compared as a whole, and then neither of them means anything.
    let is_particular = call.arg(0).is_some() || attribute.is_some();
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for item in call.subject_items()? {
        let key = sort_key(call, &item, attribute, case_sensitive)?;
        if is_particular && (key.is_mapping() || key.is_sequence()) {
            return Err(call.fail(
                "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it \
                 does not support the parameters supplied",
            ));
        }
        if seen.add(call, &key)? {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

fn combine(call: &Call<'_>, keep: fn(bool) -> bool) -> Eval {
    let other = call.session().iterate(call.required(0)?)?;
    let other = Seen::of(call, &other)?;
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for item in call.subject_items()? {
        if keep(other.holds(call, &item)?) && seen.add(call, &item)? {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

fn union(call: &Call<'_>) -> Eval {
    let mut items = call.subject_items()?;
    items.extend(call.session().iterate(call.required(0)?)?);
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for item in items {
        if seen.add(call, &item)? {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

fn symmetric_difference(call: &Call<'_>) -> Eval {
    let left = call.subject_items()?;
    let right = call.session().iterate(call.required(0)?)?;
    let (in_left, in_right) = (Seen::of(call, &left)?, Seen::of(call, &right)?);
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for (items, other) in [(left, in_right), (right, in_left)] {
        for item in items {
            if !other.holds(call, &item)? && seen.add(call, &item)? {
                kept.push(item);
            }
        }
    }
    Ok(Val::list(kept))
}
