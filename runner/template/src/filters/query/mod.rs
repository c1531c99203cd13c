//! `json_query` of `community.general`: looks into data by an expression of JMESPath.
//!
//! The expression is read by the crate `jmespath`; it is carried out here, on values as they are, so
//! that dictionaries keep their order and whole numbers stay whole, as in Python.

mod functions;

use std::cmp::Ordering;

use indexmap::IndexMap;
use jmespath::ast::{Ast, Comparator};
use sasrun_model::{Key, Value};

use super::{Filter, filter};
use crate::eval::{Call, Session};
use crate::values::{Eval, Fault, Val};

pub(super) const FILTERS: &[Filter] = &[filter("json_query", &["expr"], |call| {
    let Val::Text(expression) = call.required(0)? else {
        return Err(wrong(call, "the expression must be text"));
    };
    let tree = jmespath::parse(expression).map_err(|err| wrong(call, &err.to_string()))?;
    Query { call }.look(&tree, &call.subject)
})];

fn wrong(call: &Call<'_>, why: &str) -> Fault {
    call.fail(format!("JMESPathError in json_query filter plugin:\n{why}"))
}

/// One search.
struct Query<'c, 'e> {
    call: &'c Call<'e>,
}

impl Query<'_, '_> {
    fn session(&self) -> &Session {
        self.call.session()
    }

    fn wrong(&self, why: impl AsRef<str>) -> Fault {
        wrong(self.call, why.as_ref())
    }

    /// Carries out one node of the expression on a value.
    fn look(&self, node: &Ast, data: &Val) -> Eval {
        self.session().step()?;
        self.session().deeper(|| self.look_at(node, data))
    }

    fn look_at(&self, node: &Ast, data: &Val) -> Eval {
        match node {
            Ast::Identity { .. } => Ok(data.clone()),
            Ast::Field { name, .. } => self.field(data, name),
            Ast::Index { idx, .. } if data.is_sequence() => {
                let found = self.session().at(data, i64::from(*idx))?;
                self.solid(found.unwrap_or(Val::Null))
            }
            Ast::Slice {
                start, stop, step, ..
            } if data.is_sequence() => {
                if *step == 0 {
                    return Err(self.wrong("slice step cannot be zero"));
                }
                let bounds = [*start, *stop, Some(*step)].map(|bound| bound.map(i64::from));
                self.session().slice(data, bounds)
            }
            Ast::Index { .. } | Ast::Slice { .. } | Ast::Expref { .. } => Ok(Val::Null),
            Ast::Literal { value, .. } => {
                let json =
                    serde_json::to_value(value).map_err(|err| self.wrong(err.to_string()))?;
                Ok(Val::from_data(&Value::from(json)))
            }
            Ast::Subexpr { lhs, rhs, .. } => {
                let left = self.look(lhs, data)?;
                self.look(rhs, &left)
            }
            Ast::Or { lhs, rhs, .. } => {
                let left = self.look(lhs, data)?;
                if self.holds(&left)? {
                    Ok(left)
                } else {
                    self.look(rhs, data)
                }
            }
            Ast::And { lhs, rhs, .. } => {
                let left = self.look(lhs, data)?;
                if self.holds(&left)? {
                    self.look(rhs, data)
                } else {
                    Ok(left)
                }
            }
            Ast::Not { node, .. } => {
                let found = self.look(node, data)?;
                Ok(Val::Bool(!self.holds(&found)?))
            }
            Ast::Condition {
                predicate, then, ..
            } => {
                let found = self.look(predicate, data)?;
                if self.holds(&found)? {
                    self.look(then, data)
                } else {
                    Ok(Val::Null)
                }
            }
            Ast::Comparison {
                comparator,
                lhs,
                rhs,
                ..
            } => self.compare(comparator, &self.look(lhs, data)?, &self.look(rhs, data)?),
            Ast::ObjectValues { node, .. } => {
                let found = self.look(node, data)?;
                if found.is_mapping() {
                    self.values(&found)
                } else {
                    Ok(Val::Null)
                }
            }
            Ast::Projection { lhs, rhs, .. } => self.project(&self.look(lhs, data)?, rhs),
            Ast::Flatten { node, .. } => self.flatten(&self.look(node, data)?),
            Ast::MultiList { .. } | Ast::MultiHash { .. } if matches!(data, Val::Null) => {
                Ok(Val::Null)
            }
            Ast::MultiList { elements, .. } => {
                let found = elements.iter().map(|element| self.look(element, data));
                Ok(Val::list(found.collect::<Eval<_>>()?))
            }
            Ast::MultiHash { elements, .. } => {
                let mut entries = IndexMap::new();
                for pair in elements {
                    let key = Key::Text(pair.key.as_str().into());
                    entries.insert(key, self.look(&pair.value, data)?);
                }
                Ok(Val::dict(entries))
            }
            Ast::Function { name, args, .. } => self.function(name, args, data),
        }
    }

    /// A value that is resolved and known.
    fn solid(&self, value: Val) -> Eval {
        let value = self.session().force(&value)?;
        value.known()?;
        Ok(value)
    }

    fn field(&self, data: &Val, name: &str) -> Eval {
        if !data.is_mapping() {
            return Ok(Val::Null);
        }
        let found = self.session().entry(data, &Key::Text(name.into()))?;
        self.solid(found.unwrap_or(Val::Null))
    }

    fn items(&self, list: &Val) -> Eval<Vec<Val>> {
        let items = self.session().iterate(list)?;
        items.into_iter().map(|item| self.solid(item)).collect()
    }

    fn values(&self, mapping: &Val) -> Eval {
        let entries = self.session().entries(mapping)?;
        let values = entries.into_iter().map(|(_, value)| self.solid(value));
        Ok(Val::list(values.collect::<Eval<_>>()?))
    }

    /// What counts as true: all but nothing, false and what is empty. Zero does.
    fn holds(&self, value: &Val) -> Eval<bool> {
        match value {
            Val::Int(_) | Val::Float(_) => Ok(true),
            other => self.session().truth(other),
        }
    }

    fn project(&self, list: &Val, each: &Ast) -> Eval {
        if !list.is_sequence() {
            return Ok(Val::Null);
        }
        let mut kept = Vec::new();
        for item in self.items(list)? {
            let found = self.look(each, &item)?;
            if !matches!(found, Val::Null) {
                kept.push(found);
            }
        }
        Ok(Val::list(kept))
    }

    fn flatten(&self, list: &Val) -> Eval {
        if !list.is_sequence() {
            return Ok(Val::Null);
        }
        let mut flat = Vec::new();
        for item in self.items(list)? {
            if item.is_sequence() {
                flat.extend(self.items(&item)?);
            } else {
                flat.push(item);
            }
        }
        Ok(Val::list(flat))
    }

    /// Equality of all, order of numbers and of texts; nothing where there is no order.
    fn compare(&self, how: &Comparator, left: &Val, right: &Val) -> Eval {
        let is_bool = |value: &Val| matches!(value, Val::Bool(_));
        let equal = || Ok(is_bool(left) == is_bool(right) && self.session().equal(left, right)?);
        let fits: fn(Ordering) -> bool = match how {
            Comparator::Equal => return equal().map(Val::Bool),
            Comparator::NotEqual => return equal().map(|equal| Val::Bool(!equal)),
            Comparator::LessThan => Ordering::is_lt,
            Comparator::LessThanEqual => Ordering::is_le,
            Comparator::GreaterThan => Ordering::is_gt,
            Comparator::GreaterThanEqual => Ordering::is_ge,
        };
        let have_order = is_number(left) && is_number(right)
            || left.as_str().is_some() && right.as_str().is_some();
        if !have_order {
            return Ok(Val::Null);
        }
        Ok(Val::Bool(fits(self.session().order(left, right)?)))
    }
}

fn is_number(value: &Val) -> bool {
    matches!(value, Val::Int(_) | Val::Float(_))
}
