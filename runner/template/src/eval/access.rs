//! Looking into values: attributes, items, slices, iteration.

use std::sync::Arc;

use indexmap::IndexMap;
use sasrun_model::Key;

use super::Session;
use crate::python::methods;
use crate::scope::Scope;
use crate::values::{Eval, Fault, Function, Keyed, KeyedSource, Unknown, Val};

impl Session {
    /// `value.name`: an attribute or method first, then an item.
    pub(crate) fn attribute(&self, value: &Val, name: &str) -> Eval {
        match value {
            Val::Undefined(_) => return Ok(value.clone()),
            Val::Unknown(unknown) => return Ok(derived(unknown)),
            Val::Pending(_) => return self.attribute(&self.force(value)?, name),
            _ => {}
        }
        if let Some(found) = self.own_attribute(value, name)? {
            return Ok(found);
        }
        if methods::exists(value, name) {
            return Ok(Val::Function(Function::Bound(std::rc::Rc::new((
                value.clone(),
                name.into(),
            )))));
        }
        if value.is_mapping()
            && let Some(found) = self.entry(value, &Key::from(name))?
        {
            return Ok(found);
        }
        Ok(missing(value, name, true))
    }

    /// Attributes of things that are neither text nor containers of the user's.
    fn own_attribute(&self, value: &Val, name: &str) -> Eval<Option<Val>> {
        Ok(match value {
            Val::Loop(state) => state.attribute(self, name)?,
            Val::Namespace(dict) => dict.entries.borrow().get(name).cloned(),
            Val::Module(module) => module.exports.get(name).cloned(),
            Val::Moment(moment) => moment.attribute(name).map(Val::Int),
            Val::Interval(micros) => crate::python::moment::interval_attribute(*micros, name),
            Val::Seq(seq) if seq.kind == crate::values::SeqKind::Group => match name {
                "grouper" => seq.items.borrow().first().cloned(),
                "list" => seq.items.borrow().get(1).cloned(),
                _ => None,
            },
            Val::Function(Function::Macro(value)) if name == "name" => {
                Some(Val::Text(Arc::clone(&value.declaration.name)))
            }
            Val::Cycler(cycler) if name == "current" => cycler.items.get(cycler.at.get()).cloned(),
            _ => None,
        })
    }

    /// `value[index]`: an item first, then an attribute.
    pub(crate) fn item(&self, value: &Val, index: &Val) -> Eval {
        match value {
            Val::Undefined(_) => return Ok(value.clone()),
            Val::Unknown(unknown) => return Ok(derived(unknown)),
            Val::Pending(_) => return self.item(&self.force(value)?, index),
            _ => {}
        }
        index.known()?;
        if let Val::Pending(_) = index {
            return self.item(value, &self.force(index)?);
        }
        if value.is_mapping() {
            if let Some(key) = self.key_of(index)
                && let Some(found) = self.entry(value, &key)?
            {
                return Ok(found);
            }
        } else if let Some(position) = index.as_int() {
            if let Some(found) = self.at(value, position)? {
                return Ok(found);
            }
            return Ok(missing(value, &position.to_string(), false));
        }
        match index {
            Val::Text(name) => {
                if let Some(found) = self.own_attribute(value, name)? {
                    return Ok(found);
                }
                if methods::exists(value, name) {
                    return self.attribute(value, name);
                }
                Ok(missing(value, name, true))
            }
            other => Ok(missing(value, &self.repr_of(other)?, false)),
        }
    }

    /// An item of a sequence or a character of a text, counted from the end if negative.
    pub(crate) fn at(&self, value: &Val, position: i64) -> Eval<Option<Val>> {
        let from_end = |length: usize| -> Option<usize> {
            if position < 0 {
                length.checked_sub(usize::try_from(position.unsigned_abs()).ok()?)
            } else {
                usize::try_from(position).ok()
            }
        };
        Ok(match value {
            Val::List(items) => from_end(items.len())
                .and_then(|index| items.get(index))
                .map(Val::from_data),
            Val::Seq(seq) => {
                let found = {
                    let items = seq.items.borrow();
                    from_end(items.len()).and_then(|index| items.get(index).cloned())
                };
                found.map(|value| self.force(&value)).transpose()?
            }
            Val::Text(text) => from_end(text.chars().count())
                .and_then(|index| text.chars().nth(index))
                .map(|c| Val::from(c.to_string())),
            _ => None,
        })
    }

    /// An entry of a mapping.
    pub(crate) fn entry(&self, value: &Val, key: &Key) -> Eval<Option<Val>> {
        let found = match value {
            Val::Map(map) => return Ok(map.get(key).map(Val::from_data)),
            Val::Dict(dict) | Val::Namespace(dict) => dict.entries.borrow().get(key).cloned(),
            Val::Keyed(keyed) => return self.keyed_entry(keyed, key),
            _ => None,
        };
        found.map(|value| self.force(&value)).transpose()
    }

    /// Whether a mapping has an entry, without looking at its value where that can be helped.
    pub(crate) fn has_entry(&self, value: &Val, key: &Key) -> Eval<bool> {
        Ok(match value {
            Val::Map(map) => map.contains_key(key),
            Val::Dict(dict) | Val::Namespace(dict) => dict.entries.borrow().contains_key(key),
            Val::Keyed(keyed) => match &keyed.source {
                KeyedSource::Lazy(map, _) => map.get(key).is_some(),
                KeyedSource::Scope(scope) => match key {
                    Key::Text(name) => scope.get(name).is_some(),
                    _ => false,
                },
            },
            _ => false,
        })
    }

    fn keyed_entry(&self, keyed: &Keyed, key: &Key) -> Eval<Option<Val>> {
        if let Some(value) = keyed.found.borrow().get(key) {
            return Ok(Some(value.clone()));
        }
        let Some(me) = self.me() else {
            return Ok(None);
        };
        let value = match (&keyed.source, key) {
            (KeyedSource::Lazy(map, scope), _) => match map.get(key) {
                Some(binding) => Some(
                    self.deeper(|| me.bound(scope, binding))
                        .or_else(Fault::into_value)?,
                ),
                None => None,
            },
            (KeyedSource::Scope(scope), Key::Text(name)) => me.variable(scope, name)?,
            (KeyedSource::Scope(_), _) => None,
        };
        if let Some(value) = &value {
            keyed.found.borrow_mut().insert(key.clone(), value.clone());
        }
        Ok(value)
    }

    /// Keys of a mapping.
    pub(crate) fn keys(&self, value: &Val) -> Vec<Key> {
        match value {
            Val::Map(map) => map.keys().cloned().collect(),
            Val::Dict(dict) | Val::Namespace(dict) => {
                dict.entries.borrow().keys().cloned().collect()
            }
            Val::Keyed(keyed) => match &keyed.source {
                KeyedSource::Lazy(map, _) => map.keys(),
                KeyedSource::Scope(scope) => names_of(&**scope),
            },
            _ => Vec::new(),
        }
    }

    /// Entries of a mapping, resolved.
    pub(crate) fn entries(&self, value: &Val) -> Eval<Vec<(Key, Val)>> {
        if let Val::Map(map) = value {
            return Ok(map
                .iter()
                .map(|(key, value)| (key.clone(), Val::from_data(value)))
                .collect());
        }
        let mut entries = Vec::new();
        for key in self.keys(value) {
            if let Some(item) = self.entry(value, &key)? {
                entries.push((key, item));
            }
        }
        Ok(entries)
    }

    /// Items of whatever can be iterated: of a mapping its keys, of a text its characters.
    pub(crate) fn iterate(&self, value: &Val) -> Eval<Vec<Val>> {
        value.known()?;
        self.step()?;
        Ok(match value {
            Val::List(items) => items.iter().map(Val::from_data).collect(),
            Val::Seq(seq) => {
                let items = seq.items.borrow().clone();
                items
                    .iter()
                    .map(|item| self.force(item))
                    .collect::<Eval<_>>()?
            }
            Val::Text(text) => text.chars().map(|c| Val::from(c.to_string())).collect(),
            Val::Pending(_) => return self.iterate(&self.force(value)?),
            _ if value.is_mapping() => self.keys(value).iter().map(Val::from_key).collect(),
            other => {
                return Err(Fault::operation(format!(
                    "'{}' object is not iterable",
                    other.type_name()
                )));
            }
        })
    }

    /// How many items there are; None for what has no length.
    pub(crate) fn length(&self, value: &Val) -> Eval<Option<usize>> {
        value.known()?;
        Ok(Some(match value {
            Val::List(items) => items.len(),
            Val::Seq(seq) => seq.items.borrow().len(),
            Val::Text(text) => text.chars().count(),
            Val::Map(map) => map.len(),
            Val::Dict(dict) => dict.entries.borrow().len(),
            Val::Keyed(_) => self.keys(value).len(),
            Val::Pending(_) => return self.length(&self.force(value)?),
            _ => return Ok(None),
        }))
    }

    /// Truth as Python has it.
    pub(crate) fn truth(&self, value: &Val) -> Eval<bool> {
        value.known()?;
        Ok(match value {
            Val::Null => false,
            Val::Bool(value) => *value,
            Val::Int(value) => *value != 0,
            Val::Float(value) => *value != 0.0,
            Val::Interval(micros) => *micros != 0,
            other => self.length(other)?.is_none_or(|length| length > 0),
        })
    }

    /// `value[start:stop:step]`.
    pub(crate) fn slice(&self, value: &Val, bounds: [Option<i64>; 3]) -> Eval {
        if matches!(value, Val::Undefined(_)) {
            return Ok(value.clone());
        }
        let Some(length) = self.length(value)? else {
            return Err(Fault::operation(format!(
                "'{}' object is not subscriptable",
                value.type_name()
            )));
        };
        if value.is_mapping() {
            return Err(Fault::operation("unhashable type: 'slice'"));
        }
        let items = self.iterate(value)?;
        let picked = slice_positions(length, bounds)?
            .into_iter()
            .filter_map(|index| items.get(index).cloned());
        Ok(match value {
            Val::Text(_) => {
                let mut text = String::new();
                for item in picked {
                    self.write_text(&item, &mut text)?;
                }
                Val::from(text)
            }
            Val::Seq(seq) => Val::seq(picked.collect(), seq.kind),
            _ => Val::list(picked.collect()),
        })
    }

    /// A shallow copy that can be changed in place.
    pub(crate) fn thawed(&self, value: &Val) -> Eval {
        Ok(match value {
            Val::List(items) => Val::list(items.iter().map(Val::from_data).collect()),
            Val::Map(map) => Val::dict(
                map.iter()
                    .map(|(key, value)| (key.clone(), Val::from_data(value)))
                    .collect::<IndexMap<_, _>>(),
            ),
            Val::Keyed(_) => Val::dict(self.entries(value)?.into_iter().collect()),
            other => other.clone(),
        })
    }
}

fn names_of(scope: &dyn Scope) -> Vec<Key> {
    scope.names().into_iter().map(Key::Text).collect()
}

fn derived(unknown: &Unknown) -> Val {
    Val::Unknown(Unknown {
        reason: Arc::clone(&unknown.reason),
        derived: true,
    })
}

fn missing(value: &Val, name: &str, is_name: bool) -> Val {
    let message = if is_name {
        format!(
            "object of type '{}' has no attribute '{name}'",
            value.type_name()
        )
    } else {
        format!(
            "object of type '{}' has no element {name}",
            value.type_name()
        )
    };
    Val::undefined(name, message)
}

/// Positions that a slice picks, as Python counts them.
fn slice_positions(length: usize, [start, stop, step]: [Option<i64>; 3]) -> Eval<Vec<usize>> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Fault::operation("slice step cannot be zero"));
    }
    let (lowest, highest) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let bound = |value: Option<i64>, default: i64| match value {
        None => default,
        Some(value) if value < 0 => value.saturating_add(length).max(lowest),
        Some(value) => value.min(highest),
    };
    let (first, last) = if step > 0 {
        (bound(start, 0), bound(stop, length))
    } else {
        (bound(start, length - 1), bound(stop, -1))
    };
    let mut positions = Vec::new();
    let mut at = first;
    while (step > 0 && at < last) || (step < 0 && at > last) {
        if let Ok(position) = usize::try_from(at) {
            positions.push(position);
        }
        at = match at.checked_add(step) {
            Some(next) => next,
            None => break,
        };
    }
    Ok(positions)
}
