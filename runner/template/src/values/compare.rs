//! Equality, order and membership, as Python has them.

use std::cmp::Ordering;

use sasrun_model::Key;

use super::{Eval, Fault, Val};
use crate::eval::Session;

impl Session {
    /// Whether two values are equal.
    pub(crate) fn equal(&self, left: &Val, right: &Val) -> Eval<bool> {
        left.known()?;
        right.known()?;
        if let (Some(a), Some(b)) = (left.as_number(), right.as_number()) {
            return Ok(match (left.as_int(), right.as_int()) {
                (Some(a), Some(b)) => a == b,
                _ => a == b,
            });
        }
        if left.is_sequence() && right.is_sequence() {
            return self.equal_sequences(left, right);
        }
        if left.is_mapping() && right.is_mapping() {
            return self.equal_mappings(left, right);
        }
        Ok(match (left, right) {
            (Val::Pending(_), _) => self.equal(&self.force(left)?, right)?,
            (_, Val::Pending(_)) => self.equal(left, &self.force(right)?)?,
            (Val::Null, Val::Null) | (Val::Omit, Val::Omit) => true,
            (Val::Text(a), Val::Text(b)) => a == b,
            (Val::Moment(a), Val::Moment(b)) => a == b,
            (Val::Interval(a), Val::Interval(b)) => a == b,
            _ => false,
        })
    }

    fn equal_sequences(&self, left: &Val, right: &Val) -> Eval<bool> {
        if left.type_name() != right.type_name() {
            return Ok(false);
        }
        let (left, right) = (self.iterate(left)?, self.iterate(right)?);
        if left.len() != right.len() {
            return Ok(false);
        }
        for (a, b) in left.iter().zip(&right) {
            if !self.equal(a, b)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_mappings(&self, left: &Val, right: &Val) -> Eval<bool> {
        if self.length(left)? != self.length(right)? {
            return Ok(false);
        }
        for (key, a) in self.entries(left)? {
            match self.entry(right, &key)? {
                Some(b) if self.equal(&a, &b)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Which of two values comes first.
    pub(crate) fn order(&self, left: &Val, right: &Val) -> Eval<Ordering> {
        left.known()?;
        right.known()?;
        let refuse = || {
            Fault::operation(format!(
                "'<' not supported between instances of '{}' and '{}'",
                left.type_name(),
                right.type_name()
            ))
        };
        if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
            return Ok(a.cmp(&b));
        }
        if let (Some(a), Some(b)) = (left.as_number(), right.as_number()) {
            return a.partial_cmp(&b).ok_or_else(refuse);
        }
        match (left, right) {
            (Val::Text(a), Val::Text(b)) => Ok(a.cmp(b)),
            (Val::Moment(a), Val::Moment(b)) => Ok(a.cmp(b)),
            (Val::Interval(a), Val::Interval(b)) => Ok(a.cmp(b)),
            (Val::Pending(_), _) => self.order(&self.force(left)?, right),
            (_, Val::Pending(_)) => self.order(left, &self.force(right)?),
            _ if left.is_sequence() && right.is_sequence() => {
                let (a, b) = (self.iterate(left)?, self.iterate(right)?);
                for (a, b) in a.iter().zip(&b) {
                    if !self.equal(a, b)? {
                        return self.order(a, b);
                    }
                }
                Ok(a.len().cmp(&b.len()))
            }
            _ => Err(refuse()),
        }
    }

    /// Whether a container holds a value (`in`).
    pub(crate) fn contains(&self, container: &Val, item: &Val) -> Eval<bool> {
        container.known()?;
        item.known()?;
        match container {
            Val::Text(text) => match item {
                Val::Text(part) => Ok(text.contains(&**part)),
                other => Err(Fault::operation(format!(
                    "'in <string>' requires string as left operand, not {}",
                    other.type_name()
                ))),
            },
            Val::Map(_) | Val::Dict(_) | Val::Keyed(_) | Val::Namespace(_) => {
                match self.key_of(item) {
                    Some(key) => self.has_entry(container, &key),
                    None => Ok(false),
                }
            }
            Val::List(_) | Val::Seq(_) => {
                for candidate in self.iterate(container)? {
                    if self.equal(&candidate, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            other => Err(Fault::operation(format!(
                "argument of type '{}' is not iterable",
                other.type_name()
            ))),
        }
    }

    /// The key that a value makes.
    pub(crate) fn key_of(&self, value: &Val) -> Option<Key> {
        Some(match value {
            Val::Null => Key::Null,
            Val::Bool(value) => Key::Bool(*value),
            Val::Int(value) => Key::Int(*value),
            Val::Float(value) => Key::Text(super::float_text(*value).into()),
            Val::Text(text) => Key::Text(text.clone()),
            Val::Seq(_) => Key::Text(self.repr_of(value).ok()?.into()),
            _ => return None,
        })
    }
}

/// Sorts with a comparison that may fail; the order of equals stays.
pub(crate) fn order_values<T>(
    items: &mut [T],
    mut compare: impl FnMut(&T, &T) -> Eval<Ordering>,
) -> Eval<()> {
    let mut failed = None;
    items.sort_by(|a, b| {
        if failed.is_some() {
            return Ordering::Equal;
        }
        compare(a, b).unwrap_or_else(|fault| {
            failed = Some(fault);
            Ordering::Equal
        })
    });
    failed.map_or(Ok(()), Err)
}
